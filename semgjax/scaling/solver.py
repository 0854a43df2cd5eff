"""Minimises many problems of one law at once: a damped Newton method, batched in JAX over starts and draws.

Each problem has its own y, weights, delta, bounds and, where wanted, one tie: a row that pulls the curve at a
point, or a sum of coordinates, towards a value (profile likelihood). Steps are damped by the matrix of the
iteratively reweighted least squares, which bounds the objective from above: with little damping a step is
Newton's, with much it is one of a descent that cannot fail for long. Shapes are padded to a few sizes, so
that one compiled program serves many tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.scaling.law import Law
from semgjax.scaling.precision import float64

Array = np.ndarray

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
    [b or 1] where the curve is tied (scaled); tie_curve [b or 1]: 1 to count the log curve there; tie_row
    [b or 1, p]: weights of the coordinates; tie_value, tie_weight [b or 1].
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


class _Data(NamedTuple):
    y: Any
    weights: Any
    delta: Any
    low: Any
    high: Any
    tie_x: Any
    tie_curve: Any
    tie_row: Any
    tie_value: Any
    tie_weight: Any


class _Settings(NamedTuple):
    """Residuals are those of log * log(y + shift) + (1 - log) * y, so that one program serves all scales."""

    log: Any
    shift: Any
    below: Any
    above: Any
    nu: Any


class _State(NamedTuple):
    theta: Any
    tried: Any
    total: Any
    expected: Any
    gradient: Any
    matrix: Any
    diagonal: Any
    value: Any
    tie: Any
    damping: Any
    growth: Any
    done: Any
    failed: Any


def named(law: Law, theta: Any) -> dict[str, Any]:
    """Coordinates [p] -> the law's (scaled) parameters by name."""
    return {
        p.name: jnp.exp(theta[i]) if p.in_log else theta[i] for i, p in enumerate(law.parameters)
    }  # fmt: skip


def with_logs(x: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs and their logarithms, as a law takes them."""
    return {**x, **{f"log_{name}": jnp.log(values) for name, values in x.items()}}


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
    padded = padded_rows(rows)
    data = _padded(problems, padded, p)
    x = pad_rows(problems.x, padded)
    run = partial(_run, law, problems.nu is not None, _settings(problems))
    found: dict[str, Array] = {}
    waiting = np.arange(count)
    theta = np.clip(starts, np.broadcast_to(problems.low, starts.shape), np.broadcast_to(problems.high, starts.shape))
    damping = np.full(count, 1e-2)
    used = 0
    while len(waiting) and used < most:
        later = []
        # A part that is not full repeats some of its searches.
        for part in (waiting[i : i + _USUAL] for i in range(0, len(waiting), _USUAL)):
            index = np.resize(part, _FEW if len(part) <= _FEW and padded >= _LARGE else _USUAL)
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


def _settings(problems: Problems) -> _Settings:
    linear = problems.scale == "linear"
    shift = 1.0 / problems.unit if problems.scale == "log1p" else 1.0 if linear else 0.0
    return _Settings(0.0 if linear else 1.0, shift, *problems.sides, problems.nu or 1.0)


def _padded(problems: Problems, rows: int, p: int) -> _Data:
    y, weights = np.atleast_2d(problems.y), np.atleast_2d(problems.weights)
    more = rows - y.shape[1]
    zero = np.zeros(1)
    none = {name: np.ones(1) for name in problems.x}

    def at_least_1d(values: Any) -> Array:
        return zero if values is None else np.atleast_1d(np.asarray(values, np.float64))

    return _Data(
        y=np.pad(y, ((0, 0), (0, more)), constant_values=1.0),
        weights=np.pad(weights, ((0, 0), (0, more))),
        delta=at_least_1d(problems.delta),
        low=np.atleast_2d(problems.low),
        high=np.atleast_2d(problems.high),
        tie_x={k: np.atleast_1d(v) for k, v in (problems.tie_x or none).items()},
        tie_curve=at_least_1d(problems.tie_curve),
        tie_row=np.zeros((1, p)) if problems.tie_row is None else np.atleast_2d(problems.tie_row),
        tie_value=at_least_1d(problems.tie_value),
        tie_weight=at_least_1d(problems.tie_weight),
    )


def _taken(data: _Data, index: Array) -> _Data:
    return jax.tree.map(
        lambda a: a[index] if len(a) > 1 else np.broadcast_to(a, (len(index), *a.shape[1:])), data
    )  # fmt: skip


@partial(jax.jit, static_argnums=(0, 1))
def _run(law: Law, student: bool, settings: _Settings, x: Any, data: _Data, theta: Any, damping: Any) -> Any:
    full = with_logs(x)

    def to_scale(y: Any) -> Any:
        return settings.log * jnp.log(y + settings.shift) + (1.0 - settings.log) * y

    def model(theta: Any) -> Any:
        return to_scale(law.predict(named(law, theta), full))

    def tied(theta: Any, one: _Data) -> Any:
        at = with_logs({name: one.tie_x[name] for name in one.tie_x})
        curve = jnp.log(law.predict(named(law, theta), at))
        return jnp.where(one.tie_curve > 0, one.tie_curve * curve, 0.0) + one.tie_row @ theta

    def rates(r: Any, one: _Data) -> tuple[Any, Any, Any, Any]:
        """Loss, its first and second derivative, and the weight of its majorant, of residuals [n]."""
        factor = one.weights * jnp.where(r < 0, settings.above, settings.below)
        size = jnp.abs(r)
        if student:
            nu = settings.nu
            ratio = (r / one.delta) ** 2 / nu
            common = factor * (nu + 1.0) / (nu * one.delta**2)
            second = (1.0 - ratio) / (1.0 + ratio) ** 2
            return (
                0.5 * factor * (nu + 1.0) * jnp.log1p(ratio),
                common * r / (1.0 + ratio),
                common * jnp.maximum(second, 0.0),
                common / (1.0 + ratio),
            )
        near = size <= one.delta
        loss = jnp.where(near, 0.5 * r**2, one.delta * (size - 0.5 * one.delta))
        share = jnp.where(near, 1.0, one.delta / jnp.maximum(size, 1e-300))
        return factor * loss, factor * share * r, factor * near, factor * share

    def at(theta: Any, mixed: Any, one: _Data) -> tuple[Any, ...]:
        """Objective with the tie, gradient, matrix, the majorant's diagonal, objective without the tie, tied value.

        matrix: Newton's plus `mixed` times the majorant's.
        """
        f = model(theta)
        slopes = jax.jacfwd(model)(theta)
        loss, first, second, weight = rates(to_scale(one.y) - f, one)
        live = one.weights > 0
        # Padded and unused rows must not bring in what is not finite.
        loss, first, second, weight = (jnp.where(live, a, 0.0) for a in (loss, first, second, weight))
        slopes = jnp.where(live[:, None], slopes, 0.0)
        value = jnp.sum(loss)
        held = one.tie_weight > 0
        tie, row = jax.value_and_grad(tied)(theta, one)
        tie, row = jnp.where(held, tie, 0.0), jnp.where(held, row, 0.0)
        gap = jnp.where(held, tie - one.tie_value, 0.0)
        outer = one.tie_weight * row[:, None] * row[None, :]
        return (
            value + 0.5 * one.tie_weight * gap**2,
            -(slopes.T @ first) + one.tie_weight * gap * row,
            (slopes * (second + mixed * weight)[:, None]).T @ slopes + (1.0 + mixed) * outer,
            jnp.sum(weight[:, None] * slopes**2, axis=0) + jnp.diag(outer),
            value,
            tie,
        )

    def step(state: _State, one: _Data) -> _State:
        """Judge the point tried last, then choose the next."""
        total, gradient, matrix, diagonal, value, tie = at(state.tried, 0.2 * state.damping, one)
        fine = jnp.isfinite(total) & jnp.all(jnp.isfinite(gradient)) & jnp.all(jnp.isfinite(matrix))
        better = fine & (total < state.total)
        small = better & (state.expected <= 1e-13 * total + 1e-24) & (state.damping <= 1.0)
        # A step that promises nothing above rounding, and one that fails whatever the damping, end the search.
        rounding = fine & ~better & (state.expected <= 1e-11 * state.total + 1e-22)
        lost = ~better & (state.damping > 1e9)
        take = better & ~state.done

        def chosen(new: Any, old: Any) -> Any:
            return jnp.where(take, new, old)

        # Nielsen 1999: damping falls as the step kept its promise, and rises ever faster while steps fail.
        kept = (state.total - total) / state.expected
        eased = state.damping * jnp.clip(1.0 - (2.0 * kept - 1.0) ** 3, 0.3, 2.0)
        eased = jnp.where(jnp.isfinite(state.total), jnp.maximum(eased, 1e-9), state.damping)
        lam = jnp.where(better, eased, jnp.maximum(state.damping, 1e-6) * state.growth)
        lam = jnp.where(state.done, state.damping, lam)
        theta, gradient = chosen(state.tried, state.theta), chosen(gradient, state.gradient)
        full, diagonal = chosen(matrix, state.matrix), chosen(diagonal, state.diagonal)
        free = ~_stuck(theta, gradient, one.low, one.high)
        slope = jnp.where(free, gradient, 0.0)
        ridge = lam * (0.1 + lam) * diagonal + 1e-12 * jnp.max(diagonal) + 1e-300
        matrix = jnp.where(free[:, None] & free[None, :], full, 0.0)
        matrix += jnp.diag(jnp.where(free, ridge, 1.0))
        move = jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(matrix), True), -slope)
        move = jnp.where(jnp.all(jnp.isfinite(move)), move, 0.0)
        return _State(
            theta=theta,
            tried=jnp.clip(theta + move, one.low, one.high),
            total=chosen(total, state.total),
            expected=-0.5 * (slope @ move),
            gradient=gradient,
            matrix=full,
            diagonal=diagonal,
            value=chosen(value, state.value),
            tie=chosen(tie, state.tie),
            damping=lam,
            growth=jnp.where(better, 3.0, 2.0 * state.growth),
            done=state.done | small | rounding | lost,
            failed=state.failed | (lost & ~small & ~rounding & ~state.done),
        )

    def body(carry: Any) -> Any:
        i, states = carry
        return i + 1, jax.vmap(step)(states, data)

    start = _blank(theta, damping)
    _, states = jax.lax.while_loop(lambda c: (c[0] < CHUNK + 1) & ~jnp.all(c[1].done), body, (0, start))
    free = ~_stuck(states.theta, states.gradient, data.low, data.high)
    norm = jnp.linalg.norm(jnp.where(free, states.gradient, 0.0), axis=-1)
    good = states.done & ~states.failed & jnp.isfinite(states.total)
    return states.theta, states.damping, states.done, states.value, states.tie, states.total, norm, good


def _stuck(theta: Any, gradient: Any, low: Any, high: Any) -> Any:
    return (low >= high) | ((theta <= low) & (gradient > 0)) | ((theta >= high) & (gradient < 0))


def _blank(theta: Any, damping: Any) -> _State:
    """States of b searches that have tried nothing yet."""
    count, p = theta.shape
    zero, square, no = jnp.zeros(count), jnp.zeros((count, p, p)), jnp.zeros(count, bool)
    return _State(
        theta=theta,
        tried=theta,
        total=zero + jnp.inf,
        expected=zero + jnp.inf,
        gradient=jnp.zeros((count, p)),
        matrix=square,
        diagonal=jnp.zeros((count, p)),
        value=zero + jnp.inf,
        tie=zero,
        damping=damping,
        growth=zero + 3.0,
        done=no,
        failed=no,
    )


@partial(jax.jit, static_argnums=0)
def _curves(law: Law, x: Any, thetas: Any) -> Any:
    full = with_logs(x)
    return jax.vmap(lambda theta: law.predict(named(law, theta), full) + jnp.zeros_like(next(iter(x.values()))))(thetas)


def curves(law: Law, x: Mapping[str, Array], thetas: Array) -> Array:
    """The (scaled) law at scaled x [n] for each of thetas [k, p]: [k, n]. Padded, so that few programs are compiled."""
    thetas = np.atleast_2d(np.asarray(thetas, np.float64))
    count, rows = len(thetas), len(next(iter(x.values())))
    size = 1 if count == 1 else -(-count // _USUAL) * _USUAL
    with float64():
        full = pad_rows(x, padded_rows(rows))
        return np.asarray(_curves(law, full, thetas[np.resize(np.arange(count), size)]))[:count, :rows]
