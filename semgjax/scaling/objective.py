"""What a fit minimises: the sum over points of a loss of the residual log(measured) - log(law)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from semgjax.errors import InputError

Array = np.ndarray
ObjectiveKind = Literal["huber_log", "log_ls"]

# Below a tenth of a percent no error rate is measured; a smaller delta would only turn the loss into absolute
# values.
SMALLEST_DELTA = 1e-3


@dataclass(frozen=True)
class Objective:
    """kind: "huber_log" (Huber 1964: squares up to delta, straight beyond) or "log_ls" (least squares).

    delta: log units, about the relative error at which a point counts as far off. None: set by the scatter of
    the residuals. 1e-3 is the choice of Hoffmann et al. 2022. log_ls has none.
    """

    kind: ObjectiveKind = "huber_log"
    delta: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("huber_log", "log_ls"):
            raise InputError(f"objective {self.kind!r}: choose huber_log or log_ls")
        if self.delta is not None and self.kind == "log_ls":
            raise InputError(f"delta {self.delta}: only huber_log has one; leave it out")
        if self.delta is not None and not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError(f"delta {self.delta}: must be a number above 0, e.g. 0.001")


def loss(residuals: Array, delta: float | None) -> tuple[float, Array, Array]:
    """(sum of losses, first and second derivatives [n]) of residuals [n]; delta None: squares / 2."""
    if delta is None:
        return 0.5 * float(residuals @ residuals), residuals, np.ones_like(residuals)
    size = np.abs(residuals)
    near = size <= delta
    losses = np.where(near, 0.5 * residuals**2, delta * (size - 0.5 * delta))
    return float(losses.sum()), np.clip(residuals, -delta, delta), near.astype(np.float64)


def robust_scale(residuals: Array, parameters: int) -> float:
    """Standard deviation of the bulk of residuals [n]: median size over 0.6745, without the smallest ones.

    A fit of p parameters makes about p residuals too small; leaving out p - 1 of them mends that (Street,
    Carroll and Ruppert 1988, The American Statistician 42).
    """
    sizes = np.sort(np.abs(residuals))
    return float(np.median(sizes[min(parameters, len(sizes)) - 1 :]) / 0.6745)


def delta_by_scale(residuals: Array, parameters: int) -> float:
    """Huber's delta for 95 % efficiency under normal noise: 1.345 robust standard deviations."""
    return max(1.345 * robust_scale(residuals, parameters), SMALLEST_DELTA)
