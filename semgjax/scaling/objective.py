"""What a fit minimises: the sum over points of a loss of the residual, on a log or a linear scale."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.robust import bisquare_losses

Array = np.ndarray
ObjectiveKind = Literal[
    "mm_log", "huber_log", "huber_linear", "log_ls", "log1p_ls", "linear_ls", "student_t", "pinball", "asymmetric"
]
Scale = Literal["log", "log1p", "linear"]
Reduction = Literal["sum", "mean"]
LINEAR = ("huber_linear", "linear_ls", "asymmetric")
KINDS: tuple[ObjectiveKind, ...] = get_args(ObjectiveKind)

# Below a tenth of a percent no error rate is measured; a smaller delta would only turn the loss into absolute
# values.
SMALLEST_DELTA = 1e-3
_INSIDE = 0.91069  # Phi(1.345)


@dataclass(frozen=True)
class Objective:
    """A loss of the residual log(y) - log(law); log(1 + y) for log1p_ls; y - law for huber_linear, linear_ls and
    asymmetric.

    mm_log: the bisquare loss with the scale of the runs that agree (`semgjax.scaling.robust`); the default without a
    delta. huber_log (the default with a delta), huber_linear: squares up to delta, straight beyond (Huber 1964).
    log_ls, log1p_ls, linear_ls: squares. student_t: minus the log likelihood of a t distribution with `nu` degrees of
    freedom and scale delta. pinball: the loss of the quantile `tau`. asymmetric: absolute error, `over` times dearer
    where the law lies above the point.
    delta: log units, about the relative error at which a point counts as far off (huber_linear: in the unit of y);
    None: set by the scatter of the residuals. 1e-3 of the log is the choice of Hoffmann et al. 2022. reduction: the
    value is the sum of the losses or, over the number of points, their mean; the fit is the same.

    Raises:
        InputError: an unknown kind, or a setting that the kind has not or that is out of range.
    """

    kind: ObjectiveKind | Literal[""] = ""
    delta: float | None = None
    nu: float = 4.0
    tau: float = 0.5
    over: float = 10.0
    reduction: Reduction = "sum"

    def __post_init__(self) -> None:
        if not self.kind:
            object.__setattr__(self, "kind", "mm_log" if self.delta is None else "huber_log")
        if self.kind not in KINDS:
            raise InputError(f"objective {self.kind!r}: choose one of {', '.join(KINDS)}", "bad-value")
        if self.delta is not None and self.kind not in ("huber_log", "huber_linear", "student_t"):
            raise InputError(
                f"delta {self.delta}: only huber_log, huber_linear and student_t have one; leave it out", "conflict"
            )
        if self.delta is not None and not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError(f"delta {self.delta}: must be a number above 0, e.g. 0.001", "bad-value")
        if self.reduction not in get_args(Reduction):
            raise InputError(f"reduction {self.reduction!r}: choose sum or mean", "bad-value")
        if not 0.0 < self.tau < 1.0:
            raise InputError(f"tau {self.tau}: must lie between 0 and 1, e.g. 0.5", "bad-value")
        if not (np.isfinite(self.nu) and self.nu > 0 and np.isfinite(self.over) and self.over > 0):
            raise InputError(f"nu {self.nu}, over {self.over}: must be numbers above 0", "bad-value")

    @property
    def scale(self) -> Scale:
        return "log1p" if self.kind == "log1p_ls" else "linear" if self.kind in LINEAR else "log"

    @property
    def smooth(self) -> bool:
        return self.kind not in ("pinball", "asymmetric")

    @property
    def sides(self) -> tuple[float, float]:
        """Factors of the loss where the law lies (below, above) the point."""
        if self.kind == "pinball":
            return self.tau, 1.0 - self.tau
        return (1.0, self.over) if self.kind == "asymmetric" else (1.0, 1.0)


def residuals_on(scale: Scale, y: Array, fitted: Array) -> Array:
    """Residuals [n] of y and the law's values, in the units of the table."""
    if scale == "linear":
        return y - fitted
    return np.log(y / fitted) if scale == "log" else np.log1p(y) - np.log1p(fitted)


def losses(objective: Objective, residuals: Array, delta: float | None) -> Array:
    """The loss of each residual [n]; delta: of Huber's and Student's, or where the bisquare loss turns constant."""
    if objective.kind == "mm_log":
        return bisquare_losses(residuals, np.inf if delta is None else delta)
    size = np.abs(residuals)
    factor = np.where(residuals < 0, objective.sides[1], objective.sides[0])
    if not objective.smooth:
        return factor * size
    if objective.kind == "student_t":
        assert delta is not None
        return 0.5 * (objective.nu + 1.0) * np.log1p((residuals / delta) ** 2 / objective.nu)
    if delta is None or objective.kind not in ("huber_log", "huber_linear"):
        return 0.5 * residuals**2
    return np.where(size <= delta, 0.5 * residuals**2, delta * (size - 0.5 * delta))


def robust_scale(residuals: Array, parameters: int) -> float:
    """Standard deviation of the bulk of residuals [n]: median size over 0.6745, without the smallest ones.

    A fit of p parameters makes about p residuals too small; leaving out p - 1 of them corrects that (Street,
    Carroll and Ruppert 1988, The American Statistician 42).
    """
    sizes = np.sort(np.abs(residuals))
    return float(np.median(sizes[min(parameters, len(sizes)) - 1 :]) / 0.6745)


def delta_by_scale(residuals: Array, parameters: int) -> float:
    """Huber's delta: the robust standard deviation times the t quantile that 1.345 is for a known one.

    With many points that is 95 % efficiency under normal noise; with few, the scale itself is badly known, and no
    point can be called far off by it.
    """
    dof = max(len(residuals) - parameters, 1)
    return max(float(t_quantile(_INSIDE, dof)) * robust_scale(residuals, parameters), SMALLEST_DELTA)
