"""How a curve follows its parameters: gradients of the log curve, and what points say about parameters."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.scaling.fit import Fit, points_of
from semgjax.scaling.law import Law
from semgjax.scaling.precision import float64
from semgjax.scaling.solver import named, pad_rows, padded_rows, with_logs

Array = np.ndarray


def log_gradients(fit: Fit, thetas: Array, x: Mapping[str, Array | float]) -> Array:
    """d log y / d theta at points x for each of thetas [k, p]: [k, m, p]; 0 for parameters that are held fixed."""
    values, _ = points_of(fit, x)
    m = len(next(iter(values.values())))
    scaled = pad_rows(fit.problem.inputs(values), padded_rows(m))
    with float64():
        found = np.asarray(_gradients(fit.law, scaled, np.asarray(thetas, np.float64)))[:, :m]
    return np.where(fit.free, np.nan_to_num(found), 0.0)


def log_slopes(fit: Fit, thetas: Array, x: Mapping[str, Array | float], name: str) -> Array:
    """d log y / d log input at points x for each of thetas [k, p]: [k, m]."""
    values, _ = points_of(fit, x)
    m = len(next(iter(values.values())))
    scaled = pad_rows(fit.problem.inputs(values), padded_rows(m))
    with float64():
        return np.asarray(_slopes(fit.law, name, scaled, np.asarray(thetas, np.float64)))[:, :m]


@partial(jax.jit, static_argnums=0)
def _gradients(law: Law, x: Any, thetas: Any) -> Any:
    full = with_logs(x)

    def log_curve(theta: Any) -> Any:
        return jnp.log(law.predict(named(law, theta), full) + jnp.zeros_like(next(iter(x.values()))))

    return jax.vmap(jax.jacfwd(log_curve))(thetas)


@partial(jax.jit, static_argnums=(0, 1))
def _slopes(law: Law, name: str, x: Any, thetas: Any) -> Any:
    def one(theta: Any) -> Any:
        def log_curve(log_values: Any) -> Any:
            moved = with_logs({**x, name: jnp.exp(log_values)})
            return jnp.log(law.predict(named(law, theta), moved) + jnp.zeros_like(log_values))

        ones = jnp.ones_like(x[name])
        return jax.jvp(log_curve, (jnp.log(x[name]),), (ones,))[1]

    return jax.vmap(one)(thetas)


def information(gradients: Array, weights: Array | None = None) -> Array:
    """Sum over points of the outer products of gradients [..., m, p]: [..., p, p]."""
    scaled = gradients if weights is None else gradients * np.sqrt(weights)[:, None]
    return np.swapaxes(scaled, -1, -2) @ scaled


def variance_of(goal: Array, matrix: Array) -> Array:
    """goal' matrix^-1 goal for goals [..., p] and information [..., p, p]; inf where the points do not determine it."""
    spread = np.sqrt(np.maximum(np.diagonal(matrix, axis1=-2, axis2=-1), 1e-300))
    informed = spread > 1e-140
    unit = matrix / (spread[..., :, None] * spread[..., None, :])
    values, vectors = np.linalg.eigh(unit)
    parts = np.einsum("...p,...pq->...q", np.where(informed, goal / spread, 0.0), vectors) ** 2
    faint = values <= 1e-10 * values[..., -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(faint, 0.0, parts / values)
    total = share.sum(axis=-1)
    # A direction that no point informs, but that moves the goal, leaves it open.
    open_end = (faint & (parts > 1e-6 * np.maximum(parts.sum(axis=-1, keepdims=True), 1e-300))).any(axis=-1)
    open_end |= (~informed & (goal != 0.0)).any(axis=-1)
    return np.where(open_end, np.inf, total)
