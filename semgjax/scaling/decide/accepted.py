"""Which answers the points do not reject: profile likelihood of a question that is a condition on the curve.

"The optimum lies at N" is the condition that the curve is level there along the line of equal cost; "N reaches the
target" that it has the target's value at N. The interval holds the answers whose condition is not rejected.
"""

from collections.abc import Callable, Mapping

import numpy as np

from semgjax.scaling.ends import Interval, Limits
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import Ties, gradients_of, rejection
from semgjax.scaling.quantiles import f_quantile

Array = np.ndarray
Condition = Callable[[Array], tuple[Ties, Array]]  # answers [m] -> ties and the values that they must have [m]

STEP = 0.02  # log: half the distance over which a slope along a line is measured
# Where ends are looked for: over the whole range, near the answer (log), then between neighbours.
_COARSE, _NEAR = 49, np.array([0.0, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5])
_FINE, _ZOOMS = 8, 3
# Words in a column's name that say that it is measured and not counted.
_MEASURED = ("hour", "minute", "second", "day", "epoch", "flop", "ratio", "share")


def ties_at(fit: Fit, places: list[Mapping[str, Array]], weights: list[float]) -> Ties:
    """Weighted sums of the log curve at a few places, each {input: [m]} in the units of the table."""
    defaults = {i.name: i.default for i in fit.law.inputs if i.default is not None}
    filled = [{**{name: place[of] for name, of in defaults.items() if of in place}, **place} for place in places]
    scaled = [fit.problem.inputs(place) for place in filled]
    m = max(len(np.atleast_1d(v)) for place in scaled for v in place.values())
    x = {
        name: np.stack([np.broadcast_to(np.atleast_1d(place[name]), (m,)) for place in scaled], axis=1)
        for name in scaled[0]
    }
    return Ties(x, np.tile(np.array(weights), (m, 1)), np.zeros((m, len(fit.theta))))


def accepted_range(fit: Fit, condition: Condition, value: float, ends: tuple[float, float], level: float) -> Interval:
    """The lowest and the highest answer within `ends` that is not rejected at `level`.

    0 or inf: no answer down there, or up there, is rejected. (inf, inf): all are.
    """
    cut = float(f_quantile(level, 1, fit.degrees_of_freedom))
    middle = np.log(value) if np.isfinite(value) else np.log(ends[1])
    logs = np.concatenate([np.linspace(np.log(ends[0]), np.log(ends[1]), _COARSE), middle + _NEAR, middle - _NEAR])
    logs = np.unique(np.clip(logs, *np.log(ends)))
    for _ in range(_ZOOMS):
        kept = rejection(fit, *condition(np.exp(logs))) <= cut
        if not kept.any():
            return np.inf, np.inf
        first, last = int(kept.argmax()), len(kept) - 1 - int(kept[::-1].argmax())
        edges = [(logs[max(first - 1, 0)], logs[first]), (logs[last], logs[min(last + 1, len(logs) - 1)])]
        logs = np.unique(np.concatenate([np.linspace(edge[0], edge[1], _FINE) for edge in edges]))
    low, high = edges[0][1], edges[1][0]
    least = 0.0 if low <= np.log(ends[0]) + 1e-9 else float(np.exp(low))
    return least, np.inf if high >= np.log(ends[1]) - 1e-9 else float(np.exp(high))


def gradient_at(fit: Fit, condition: Condition, value: float) -> Array:
    """How an answer moves with the coordinates [p], up to a factor: by its condition's own derivatives there."""
    return gradients_of(fit, condition(np.array([value]))[0])[1][0]


def limits_of(fit: Fit, name: str, ends: tuple[float, float]) -> Limits:
    """The limits of an amount of an input that is searched within `ends`."""
    values = fit.table.x[name]
    positive = values[values > 0]
    column = fit.table.column(name).lower()
    unit = next(declared.unit for declared in fit.law.inputs if declared.name == name)
    counted = unit in ("parameters", "users") and not any(word in column for word in _MEASURED)
    counted = counted and bool((positive >= 1.0).all() and (positive == np.round(positive)).all())
    return Limits(1.0 if counted else 0.0, *ends, float(positive.min()), float(positive.max()))
