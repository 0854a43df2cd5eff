"""kappa: the scale of a profile's statistic, the residual variance for squares."""

import numpy as np

from semgjax.scaling.bootstrap import problems_of
from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.objective import residuals_on, robust_scale
from semgjax.scaling.quantiles import normal_below
from semgjax.scaling.robust import weighted_scale

Array = np.ndarray


def kappa(fit: Fit) -> float:
    """The scale of 2 (S - S(fit)), in the units of the scaled objective; the residual variance for squares."""
    problems = problems_of(fit)
    r = residuals_on(fit.objective.scale, fit.table.y, predict(fit, fit.table.x))
    if fit.objective.kind == "mm_log" and fit.delta is not None:
        r = r * np.sqrt(fit.problem.weights)
        return weighted_scale(r, fit.run_weights, fit.delta, fit.free_count) + 1e-16
    if fit.objective.scale == "linear":
        r = r / fit.unit_y
    delta = float(problems.delta[0])
    return noise_scale(r, fit.weights, delta, fit.free_count, problems.sides, problems.nu)


def noise_scale(
    residuals: Array,
    weights: Array,
    delta: float,
    parameters: int,
    sides: tuple[float, float] = (1.0, 1.0),
    nu: float | None = None,
) -> float:
    """kappa of residuals [n] under Huber's loss (inf: squares), its asymmetric form, or Student's (nu given)."""
    r, dof, (below, above) = residuals, max(len(residuals) - parameters, 1), sides
    side = np.where(r < 0, above, below)
    if nu is not None:
        ratio = (r / delta) ** 2 / nu
        common = (nu + 1.0) / (nu * delta**2)
        first, curvature = common * r / (1.0 + ratio), common * max(float(np.mean((1 - ratio) / (1 + ratio) ** 2)), 0.2)
    else:
        first = side * np.clip(r, -delta, delta)
        scale = max(robust_scale(r * np.sqrt(weights), parameters), 1e-9)
        inside = 2.0 * normal_below(delta / scale) - 1.0 if np.isfinite(delta) else 1.0
        curvature = 0.5 * (below + above) * float(inside)
    # Points without noise would leave a region of rounding size; one part in 1e8 keeps it searchable.
    return float(np.sum(weights * first**2) / dof / curvature) + 1e-16
