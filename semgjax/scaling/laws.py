"""Scaling laws as small declared objects: sums of positive terms, each a coefficient times a term in size.

y(N) = sum_k c_k * phi_k(N; shape). Coefficients c_k enter linearly, shape parameters do not; every other
module works from this split alone, so a new law is one more declaration here. A term is given as the
logarithm of phi_k over x = log(N / N0), with N0 the reference size of the fit (the geometric mean of the
sizes).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Parameter:
    """One parameter of a law: its name, unit ("y" is the unit of the error), what it says, and its range."""

    name: str
    unit: str
    meaning: str
    low: float = 0.0
    high: float = np.inf


@dataclass(frozen=True)
class Law:
    """A declared law.

    linear: the coefficients c_k (all >= 0), in the order of the terms.
    shape: the parameters inside the terms.
    log_terms(shape[..., J], x[n]) -> log phi [..., n, K].
    slopes(shape[J], x[n]) -> derivatives of log phi by the shape parameters [n, K, J].
    droppable: the terms that may vanish (coefficient 0), by index.
    """

    name: str
    formula: str
    linear: tuple[Parameter, ...]
    shape: tuple[Parameter, ...]
    log_terms: Callable[[Array, Array], Array]
    slopes: Callable[[Array, Array], Array]
    droppable: tuple[int, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.linear + self.shape


def log_curve(law: Law, log_coefficients: Array, shape: Array, x: Array) -> Array:
    """log y at x = log(N / N0): [n]. A vanished term has the log coefficient -inf."""
    return np.logaddexp.reduce(log_coefficients + law.log_terms(shape, x), axis=-1)


def log_curve_gradient(law: Law, log_coefficients: Array, shape: Array, x: Array) -> tuple[Array, Array]:
    """log y [n] and its derivatives by (log coefficients, shape) [n, K + J].

    d log y / d log c_k is the share of term k in y; the shape derivatives are the shares' average of the
    slopes.
    """
    log_parts = log_coefficients + law.log_terms(shape, x)
    log_y = np.logaddexp.reduce(log_parts, axis=-1)
    shares = np.exp(log_parts - log_y[:, None])
    by_shape = np.einsum("nk,nkj->nj", shares, law.slopes(shape, x))
    return log_y, np.concatenate([shares, by_shape], axis=1)


# alpha = 10 over neighbouring sizes is a step, not a slope: nothing measured on error rates comes near it.
_ALPHA = Parameter("alpha", "1", "exponent: y - E falls as N^-alpha", low=0.0, high=10.0)


def _power_terms(shape: Array, x: Array) -> Array:
    return -(shape[..., 0, None] * x)[..., None]


def _power_slopes(shape: Array, x: Array) -> Array:
    return -x[:, None, None]


def _floor_power_terms(shape: Array, x: Array) -> Array:
    falling = _power_terms(shape, x)
    return np.concatenate([np.zeros_like(falling), falling], axis=-1)


def _floor_power_slopes(shape: Array, x: Array) -> Array:
    return np.stack([np.zeros_like(x), -x], axis=1)[:, :, None]


POWER = Law(
    name="power",
    formula="y = A * N^-alpha",
    linear=(Parameter("A", "y", "value of the power term at N = 1"),),
    shape=(_ALPHA,),
    log_terms=_power_terms,
    slopes=_power_slopes,
)

FLOOR_POWER = Law(
    name="floor_power",
    formula="y = E + A * N^-alpha",
    linear=(
        Parameter("E", "y", "floor: what no size removes"),
        Parameter("A", "y", "value of the power term at N = 1"),
    ),
    shape=(_ALPHA,),
    log_terms=_floor_power_terms,
    slopes=_floor_power_slopes,
    droppable=(0,),
)

LAWS = (FLOOR_POWER, POWER)
