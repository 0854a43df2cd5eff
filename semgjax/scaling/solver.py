"""Minimises many problems of one law at once: a damped Newton method, batched over starts and draws.

Each problem has its own y, weights, delta, bounds and, where wanted, one tie: a row that pulls the log curve at a
point, a weighted sum of it over a few points, or a sum of coordinates, towards a value (profile likelihood). A small
table's searches run with NumPy, as compiling them takes longer than they do. A large table's are compiled by JAX;
shapes are then padded to a few sizes, so that one compiled program serves many tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.scaling.descent import Data, Settings, blank, outcome, step, to_scale
from semgjax.scaling.elementwise import Program, program_of
from semgjax.scaling.law import Law
from semgjax.scaling.precision import float64

Array = np.ndarray

SMALL = 64  # rows up to which a search runs with NumPy: compiling it would take longer than the search
_SMALL_CURVES = 1 << 20  # values
CHUNK = 10  # iterations between two looks at who is done
MOST = 400
# Searches of one program: few of a large table, and the usual; with more, a large table's numbers leave the cache.
_FEW, _USUAL = 32, 256
_LARGE = 256  # rows from which the program for few is worth compiling
_ROWS = (16, 64, 256, 1024, 4096)


@dataclass(frozen=True)
class Problems:
    """What is solved: arrays with a leading axis b over problems, or 1 where all share one row.

    x: input -> scaled values [n]. y, weights [b or 1, n]: scaled. delta [b or 1]: where the loss turns
    straight (inf: squares). low, high [b or 1, p]: of the coordinates. sides: factors of the loss where the law
    is below and above. nu: degrees of freedom of Student's t, None for Huber's loss and squares. scale:
    residuals of "log" y, "log1p" (log(1 + y)) or "linear" y. unit: of y, which log1p needs. tie_x: input ->
    [b or 1] or [b or 1, t], where the curve is tied (scaled); tie_curve, of the same shape: the weight of the log
    curve there; tie_row [b or 1, p]: weights of the coordinates; tie_value, tie_weight [b or 1].
    """

    x: Mapping[str, Array]
    y: Array
    weights: Array
    delta: Array
    low: Array
    high: Array
    sides: tuple[float, float] = (1.0, 1.0)
    nu: float | None = None
    scale: str = "log"
    unit: float = 1.0
    tie_x: Mapping[str, Array] | None = None
    tie_curve: Array | None = None
    tie_row: Array | None = None
    tie_value: Array | None = None
    tie_weight: Array | None = None


@dataclass(frozen=True)
class Ends:
    """Where the searches ended: theta [b, p], objective without the tie [b], the tied quantity [b] and its objective
    with the tie [b], norm of the free gradient [b], whether each ended in a minimum [b], iterations used."""

    theta: Array
    value: Array
    tied: Array
    total: Array
    gradient_norm: Array
    converged: Array
    iterations: int


def named(law: Law, theta: Any, xp: ModuleType = jnp) -> dict[str, Any]:
    """Coordinates [p, ...] -> the law's (scaled) parameters by name, each [...]."""
    return {p.name: xp.exp(theta[i]) if p.in_log else theta[i] for i, p in enumerate(law.parameters)}


def with_logs(x: Mapping[str, Any], xp: ModuleType = jnp) -> dict[str, Any]:
    """Inputs and their logarithms, as a law takes them; that of 0 is -inf, and a law that allows 0 does not read it."""
    with np.errstate(divide="ignore"):
        return {**x, **{f"log_{name}": xp.log(values) for name, values in x.items()}}


def _program(law: Law) -> Program | None:
    """The law as a NumPy program; None where it can only be compiled."""
    return program_of(law.predict, law.parameter_names, both_names(law))


def both_names(law: Law) -> tuple[str, ...]:
    """The names of `with_logs`."""
    return (*law.input_names, *(f"log_{name}" for name in law.input_names))


def padded_rows(rows: int) -> int:
    """The number of rows that `rows` is padded to."""
    return next((size for size in _ROWS if size >= rows), rows)


def pad_rows(x: Mapping[str, Array], rows: int) -> dict[str, Array]:
    """Inputs [n] filled up with ones to [rows]."""
    return {name: np.append(np.asarray(v, np.float64), np.ones(rows - len(v))) for name, v in x.items()}


def solve(law: Law, problems: Problems, starts: Array, most: int = MOST) -> Ends:
    """Run every problem from its start [b, p] to its minimum."""
    with float64():
        return _solve(law, problems, np.asarray(starts, np.float64), most)


def _solve(law: Law, problems: Problems, starts: Array, most: int) -> Ends:
    count, p = starts.shape
    rows = problems.y.shape[-1]
    small = rows <= SMALL and _program(law) is not None
    padded = rows if small else padded_rows(rows)
    data = _padded(problems, padded, p)
    x = pad_rows(problems.x, padded)
    run = partial(_run_small if small else _run, law, problems.nu is not None, _settings(problems))
    found: dict[str, Array] = {}
    waiting = np.arange(count)
    theta = np.clip(starts, np.broadcast_to(problems.low, starts.shape), np.broadcast_to(problems.high, starts.shape))
    damping = np.full(count, 1e-2)
    used = 0
    while len(waiting) and used < most:
        later = []
        # In a compiled program a part that is not full repeats some of its searches.
        for part in (waiting[i : i + _USUAL] for i in range(0, len(waiting), _USUAL)):
            index = part if small else np.resize(part, _FEW if len(part) <= _FEW and padded >= _LARGE else _USUAL)
            out = run(x, _taken(data, index), theta[index], damping[index])
            out = [np.asarray(o)[: len(part)] for o in out]
            for name, values in zip(_OUT, out, strict=True):
                found.setdefault(name, np.zeros((count, *values.shape[1:]), values.dtype))[part] = values
            theta[part], damping[part] = out[0], out[1]
            later.append(part[~found["done"][part]])
        waiting = np.concatenate(later)
        used += CHUNK
    return Ends(found["theta"], found["value"], found["tied"], found["total"], found["norm"], found["good"], used)


_OUT = ("theta", "damping", "done", "value", "tied", "total", "norm", "good")


def _settings(problems: Problems) -> Settings:
    linear = problems.scale == "linear"
    shift = 1.0 / problems.unit if problems.scale == "log1p" else 1.0 if linear else 0.0
    return Settings(0.0 if linear else 1.0, shift, *problems.sides, problems.nu or 1.0)


def _padded(problems: Problems, rows: int, p: int) -> Data:
    y, weights = np.atleast_2d(problems.y), np.atleast_2d(problems.weights)
    more = rows - y.shape[1]
    zero = np.zeros(1)
    none = {name: np.ones(1) for name in problems.x}

    def at_least_1d(values: Any) -> Array:
        return zero if values is None else np.atleast_1d(np.asarray(values, np.float64))

    return Data(
        y=np.pad(y, ((0, 0), (0, more)), constant_values=1.0),
        weights=np.pad(weights, ((0, 0), (0, more))),
        delta=at_least_1d(problems.delta),
        low=np.atleast_2d(problems.low),
        high=np.atleast_2d(problems.high),
        tie_x={k: _of_points(v) for k, v in (problems.tie_x or none).items()},
        tie_curve=_of_points(at_least_1d(problems.tie_curve)),
        tie_row=np.zeros((1, p)) if problems.tie_row is None else np.atleast_2d(problems.tie_row),
        tie_value=at_least_1d(problems.tie_value),
        tie_weight=at_least_1d(problems.tie_weight),
    )


def _of_points(values: Array) -> Array:
    """[b] or [b, t] -> [b, t]."""
    values = np.atleast_1d(np.asarray(values, np.float64))
    return values if values.ndim == 2 else values[:, None]


def _taken(data: Data, index: Array) -> Data:
    return jax.tree.map(
        lambda a: a[index] if len(a) > 1 else np.broadcast_to(a, (len(index), *a.shape[1:])), data
    )  # fmt: skip


def _run_small(law: Law, student: bool, settings: Settings, x: Any, data: Data, theta: Any, damping: Any) -> Any:
    """`_run` with NumPy, where the law is an elementwise program."""
    names = law.parameter_names
    program = _program(law)
    assert program is not None
    full, tie_full = with_logs(x, np), with_logs(data.tie_x, np)

    def at(theta: Array, inputs: Any) -> tuple[Array, Array]:
        values = {
            p.name: np.exp(theta[:, i, None]) if p.in_log else theta[:, i, None] for i, p in enumerate(law.parameters)
        }
        y, slopes = program.with_slopes(values, inputs, names)
        inner = [s * values[p.name] if p.in_log else s for p, s in zip(law.parameters, slopes, strict=True)]
        return y, np.stack(inner, axis=-1)

    def model(theta: Array) -> tuple[Array, Array]:
        y, slopes = at(theta, full)
        change = settings.log / (y + settings.shift) + (1.0 - settings.log)
        return to_scale(np, settings, y), change[..., None] * slopes

    curved = bool((data.tie_curve != 0).any())

    def tie_model(theta: Array) -> tuple[Array, Array]:
        if not curved:
            return np.zeros((len(theta), 1)), np.zeros((len(theta), 1, theta.shape[1]))
        y, slopes = at(theta, tie_full)
        return np.log(y), slopes / y[..., None]

    with np.errstate(all="ignore"):
        data = data._replace(y=to_scale(np, settings, data.y))
        tied = tie_model if bool((data.tie_weight > 0).any()) else None
        state = blank(np, theta, damping)
        for _ in range(CHUNK + 1):
            if state.done.all():
                break
            state = step(np, model, tied, settings, student, data, state)
        return outcome(np, data, state)


@partial(jax.jit, static_argnums=(0, 1))
def _run(law: Law, student: bool, settings: Settings, x: Any, data: Data, theta: Any, damping: Any) -> Any:
    full = with_logs(x)
    data = data._replace(y=to_scale(jnp, settings, data.y))

    def at_rows(theta: Any) -> Any:
        return to_scale(jnp, settings, law.predict(named(law, theta), full) + jnp.zeros_like(next(iter(x.values()))))

    def at_tie(theta: Any, place: Any) -> Any:
        return jnp.log(law.predict(named(law, theta), with_logs(place)) + jnp.zeros_like(data.tie_curve[0]))

    def model(theta: Any) -> Any:
        return jax.vmap(at_rows)(theta), jax.vmap(jax.jacfwd(at_rows))(theta)

    def tie_model(theta: Any) -> Any:
        return jax.vmap(at_tie)(theta, data.tie_x), jax.vmap(jax.jacfwd(at_tie))(theta, data.tie_x)

    def body(carry: Any) -> Any:
        i, state = carry
        return i + 1, step(jnp, model, tie_model, settings, student, data, state)

    start = blank(jnp, theta, damping)
    _, state = jax.lax.while_loop(lambda c: (c[0] < CHUNK + 1) & ~jnp.all(c[1].done), body, (0, start))
    return outcome(jnp, data, state)


@partial(jax.jit, static_argnums=0)
def _curves(law: Law, x: Any, thetas: Any) -> Any:
    full = with_logs(x)
    return jax.vmap(lambda theta: law.predict(named(law, theta), full) + jnp.zeros_like(next(iter(x.values()))))(thetas)


def curves(law: Law, x: Mapping[str, Array], thetas: Array) -> Array:
    """The (scaled) law at scaled x [n] for each of thetas [k, p]: [k, n]. Padded, so that few programs are compiled."""
    thetas = np.atleast_2d(np.asarray(thetas, np.float64))
    count, rows = len(thetas), len(next(iter(x.values())))
    program = _program(law)
    if program is not None and count * rows <= _SMALL_CURVES:
        with np.errstate(all="ignore"):
            full = with_logs({name: np.asarray(x[name], np.float64)[None] for name in law.input_names}, np)
            return np.array(program(named(law, thetas.T[..., None], np), full))
    size = 1 if count == 1 else -(-count // _USUAL) * _USUAL
    with float64():
        full = pad_rows(x, padded_rows(rows))
        return np.asarray(_curves(law, full, thetas[np.resize(np.arange(count), size)]))[:count, :rows]
