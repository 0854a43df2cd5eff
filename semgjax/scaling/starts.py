"""First guesses and bounds of a search: shapes spread over their ranges, linear parameters by least squares."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.scaling.elementwise import program_of
from semgjax.scaling.halton import halton
from semgjax.scaling.law import Law, Parameter
from semgjax.scaling.precision import float64
from semgjax.scaling.solver import SMALL, both_names, named, pad_rows, padded_rows, with_logs

Array = np.ndarray

_WIDE = 60.0  # exp(60) times the size of y: beyond any amplitude, within float64


def bounds(law: Law, x: Mapping[str, Array], y: Array, most: float) -> tuple[Array, Array]:
    """(low, high) [p] of the coordinates for scaled x and y; most: largest ceiling (scaled; inf: none known)."""
    low, high = np.zeros(len(law.parameters)), np.zeros(len(law.parameters))
    top = float(y.max())
    for i, p in enumerate(law.parameters):
        if p.kind == "floor":
            ends = (0.0, top)
        elif p.kind == "ceiling":
            ends = (np.log(0.5 * top), np.log(max(most, 1.02 * top) if np.isfinite(most) else 1e3 * top))
        elif p.kind == "location":
            logs = _log_input(p, x)
            ends = (logs.min() - 5.0, logs.max() + 5.0)
        elif p.in_log:
            ends = (np.log(p.low) if p.low else -_WIDE, np.log(p.high) if p.high else _WIDE)
        else:
            ends = (-1e4 if p.low is None else p.low, 1e4 if p.high is None else p.high)
        low[i], high[i] = ends
    return low, high


def first_guesses(
    law: Law, x: Mapping[str, Array], y: Array, weights: Array, low: Array, high: Array, count: int, seed: int
) -> Array:
    """Starts [count, p] within the bounds.

    Shape parameters follow a Halton sequence over their ranges; the linear ones then come from least squares of
    relative errors with coefficients >= 0 (variable projection: Golub and Pereyra 1973).
    """
    unit = halton(len(law.parameters), count, seed)
    theta = np.empty_like(unit)
    for i, p in enumerate(law.parameters):
        a, b = _range(p, dict(x), y, low[i], high[i])
        theta[:, i] = a + (b - a) * unit[:, i]
    if p_exponents := [i for i, p in enumerate(law.parameters) if p.kind == "exponent"]:
        theta[:, p_exponents] = np.exp(theta[:, p_exponents])
    linear = [law.parameter_names.index(name) for name in law.linear]
    fixed = low >= high
    theta = np.where(fixed, low, theta)
    linear = [k for k in linear if not fixed[k]]
    if linear:
        theta[:, linear] = _projected(law, x, y, weights, theta, linear)
    return np.clip(theta, low, high)


def _range(p: Parameter, x: dict[str, Array], y: Array, low: float, high: float) -> tuple[float, float]:
    """Ends of the first guesses: in logarithm for exponents, else in the coordinate."""
    if p.start is not None:
        start = p.start(x, y) if callable(p.start) else p.start
        scale = float(y.max()) if p.kind == "ceiling" else 1.0
        if p.kind == "exponent" or p.in_log and min(start) > 0:
            a, b = np.log(start[0] * scale), np.log(start[1] * scale)
        else:
            a, b = start
        if p.kind == "exponent":
            return float(a), float(b)
        return float(np.clip(a, low, high)), float(np.clip(b, low, high))
    if p.kind == "exponent":
        spans = [np.ptp(np.log(v[v > 0])) for v in x.values()]
        span = max(min((s for s in spans if s > 0.01), default=1.0), 1e-3)
        most = max(high, 1e-6)
        return float(np.log(min(0.3 / span, 0.5 * most))), float(np.log(min(8.0 / span, most)))
    if p.kind == "location":
        logs = _log_input(p, x)
        return float(logs.min()), float(logs.max())
    if p.kind == "floor":
        return 0.0, 0.95 * float(y.min())
    if p.kind == "amplitude":
        return -3.0, 1.0
    return max(low, -2.0), min(high, 2.0)


def _log_input(p: Parameter, x: Mapping[str, Array]) -> Array:
    values = x[next(iter(p.scaling))] if p.scaling else next(iter(x.values()))
    return np.log(values[values > 0])


def _projected(law: Law, x: Mapping[str, Array], y: Array, weights: Array, theta: Array, linear: list[int]) -> Array:
    """Coordinates of the linear parameters [s, k] for the shapes in theta [s, p]."""
    rows, count = padded_rows(len(y)), len(theta)
    found = _small_basis(law, tuple(linear), x, y, theta) if len(y) <= SMALL else None
    if found is not None:
        basis, goal = found
    else:
        # Padded, so that one compiled program serves all.
        padded = theta[np.resize(np.arange(count), -(-count // 256) * 256)]
        with float64():
            basis, goal = (
                np.asarray(a)[:count, ..., : len(y)]
                for a in _basis(law, tuple(linear), pad_rows(x, rows), np.append(y, np.ones(rows - len(y))), padded)
            )
    goal = np.maximum(goal, 1e-9)
    scaled = np.sqrt(weights) * basis / goal[:, None, :]
    target = np.broadcast_to(np.sqrt(weights), goal.shape)
    found = np.nan_to_num(_non_negative(np.nan_to_num(scaled), target))
    # A vanished amplitude would stay so in logarithms: begin at a hundredth of the smallest value instead.
    least = 0.01 * float(goal.min())
    logs = np.array([law.parameters[k].in_log for k in linear])
    return np.where(logs, np.log(np.maximum(found, least)), found)


def _non_negative(columns: Array, target: Array) -> Array:
    """Least squares with coefficients >= 0 for each of s problems: columns [s, k, n], target [s, n] -> [s, k]."""
    count, k, _ = columns.shape
    gram = np.einsum("skn,sjn->skj", columns, columns)
    right = np.einsum("skn,sn->sk", columns, target)
    best, chosen = np.full(count, np.inf), np.zeros((count, k))
    for size in range(1, k + 1):
        for subset in combinations(range(k), size):
            index = np.array(subset)
            part = gram[:, index[:, None], index]
            ridge = 1e-10 * np.trace(part, axis1=1, axis2=2)[:, None, None] + 1e-300
            c = np.linalg.solve(part + ridge * np.eye(size), right[:, index, None])[..., 0]
            gain = -np.einsum("sk,sk->s", c, right[:, index])
            better = (c >= 0).all(axis=1) & (gain < best)
            best = np.where(better, gain, best)
            row = np.zeros((count, k))
            row[:, index] = c
            chosen = np.where(better[:, None], row, chosen)
    return chosen


def _small_basis(
    law: Law, linear: tuple[int, ...], x: Mapping[str, Array], y: Array, thetas: Array
) -> tuple[Array, Array] | None:
    """`_basis` with NumPy; None where the law can only be compiled."""
    names, inputs = law.parameter_names, both_names(law)
    curve = program_of(law.inner or law.predict, names, inputs)
    unlink = None if law.unlink is None else program_of(_unlink_of(law.unlink), names, ("y",))
    if curve is None or (law.unlink is not None and unlink is None):
        return None
    with np.errstate(all="ignore"):
        full = with_logs({name: np.asarray(x[name], np.float64)[None] for name in law.input_names}, np)
        p = named(law, thetas.T[..., None], np)
        goal = np.broadcast_to(y, (len(thetas), len(y))) if unlink is None else unlink(p, {"y": y[None]})
        chosen = [names[k] for k in linear]
        rest = curve({**p, **dict.fromkeys(chosen, 0.0)}, full)
        columns = [curve({**p, **{other: float(other == name) for other in chosen}}, full) - rest for name in chosen]
    return np.stack(columns, axis=1), goal - rest


@lru_cache(maxsize=256)
def _unlink_of(unlink: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda p, x: unlink(p, x["y"])


@partial(jax.jit, static_argnums=(0, 1))
def _basis(law: Law, linear: tuple[int, ...], x: Any, y: Any, thetas: Any) -> Any:
    full = with_logs(x)
    zeros = jnp.zeros_like(y)

    def one(theta: Any) -> tuple[Any, Any]:
        p = named(law, theta)
        curve = law.inner or law.predict
        goal = y if law.unlink is None else law.unlink(p, y)
        names = [law.parameters[k].name for k in linear]
        rest = curve({**p, **dict.fromkeys(names, 0.0)}, full)
        columns = [
            curve({**p, **{other: float(other == name) for other in names}}, full) - rest + zeros for name in names
        ]
        return jnp.stack(columns), goal - rest + zeros

    return jax.vmap(one)(thetas)
