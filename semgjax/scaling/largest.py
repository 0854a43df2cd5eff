"""Whether the largest runs lie where the others put them, by the prediction interval that the others give."""

from dataclasses import dataclass

import numpy as np

from semgjax.scaling.drift import active_coordinates, slopes_at
from semgjax.scaling.fit import Fit
from semgjax.scaling.quantiles import t_quantile, t_tail
from semgjax.scaling.refit import predicted, refits
from semgjax.scaling.rolling import ordered

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Largest:
    """The largest level predicted from all others.

    rows: of the level in the table. measured, predicted: geometric means. low, high: prediction interval of the mean.
    p: two-sided, of a value as far off if the law holds. error: standard error (log) of measured over predicted, known
    by `freedom` degrees of freedom.
    """

    rows: Array
    measured: float
    predicted: float
    low: float
    high: float
    p: float
    error: float
    freedom: int

    @property
    def log_error(self) -> float:
        return float(np.log(self.measured / self.predicted))


def largest_level(fit: Fit, level: float = 0.95) -> Largest | None:
    """The largest level beside its prediction; None where the others leave nothing to judge by."""
    order, levels = ordered(fit)
    held = order == len(levels) - 1
    # A run that the fit counts less is asked about all the same; it judges no other.
    rest, rows, stated = np.flatnonzero(~held & (fit.weights > 0)), np.flatnonzero(held), fit.problem.weights
    if len(levels) - 1 <= fit.free_count or len(rest) - fit.free_count < 2:
        return None
    theta = refits(fit, (~held).astype(float)[None])[0]
    x, logs, root = fit.table.x, np.log(fit.table.y), np.sqrt(fit.weights)
    expected = np.log(predicted(fit, theta[None], x)[0])
    active = active_coordinates(fit, theta)
    slopes = slopes_at(fit, theta, x)[:, active]
    own = slopes[rest] * root[rest, None]
    freedom = len(rest) - int(active.sum())
    left = ((logs - expected) * root)[rest]
    # The refit may be robust: what a least-squares step would still change is no noise.
    left = left - own @ np.linalg.lstsq(own, left, rcond=1e-8)[0]
    scatter = float(left @ left) / freedom
    mean = stated[rows] / stated[rows].sum()
    gradient = np.linalg.pinv(own.T, rcond=1e-8) @ (mean @ slopes[rows])
    error = np.sqrt(scatter * (1.0 / stated[rows].sum() + float(gradient @ gradient)))
    centre, apart = float(mean @ expected[rows]), float(mean @ (logs - expected)[rows])
    if error <= 1e-12:
        return None
    half = float(t_quantile(0.5 + 0.5 * level, freedom)) * error
    p = 2.0 * float(t_tail(abs(apart) / error, freedom))
    low, high = (float(np.exp(np.clip(centre + s * half, -700.0, 700.0))) for s in (-1, 1))
    return Largest(rows, float(np.exp(mean @ logs[rows])), float(np.exp(centre)), low, high, p, error, freedom)
