"""What a reader of a fit must know before trusting it: codes with a severity and a sentence each."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from semgjax.scaling.fit import Fit, extrapolation, parameter_values, predict
from semgjax.scaling.objective import robust_scale
from semgjax.scaling.uncertainty import LEVEL, Interval, ceiling, no_interval_reason, prediction_interval

Severity = Literal["info", "warning", "error"]

# Below a factor of 10 in size the curve's bend, and with it floor and exponent, rests on little.
SHORT_RANGE = 10.0
# Seeds differ by 1 to 5 % in error rate; 10 % of scatter says that the law misses something.
LARGE_SCATTER = 0.1
# In normal noise one fit in a hundred or fewer has a point this many robust standard deviations off.
OUTLIER = 6.0
FAR = 3.0  # times beyond the sweep


@dataclass(frozen=True)
class Diagnostic:
    """One finding. error: the fit answers no question; warning: it answers with the stated reserve."""

    code: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class Prediction:
    """The law's value at one size, its interval (None: the diagnostics say why) and what to know about it."""

    size: float
    value: float
    interval: Interval | None
    level: float
    beyond: float
    diagnostics: tuple[Diagnostic, ...]


def diagnose(fit: Fit, intervals: dict[str, Interval] | None, level: float = LEVEL) -> tuple[Diagnostic, ...]:
    """Findings about a fit; intervals: of its parameters at `level` (`parameter_intervals`)."""
    return (*_about_points(fit), *_about_search(fit), *_about_parameters(fit, intervals, level))


def predict_at(fit: Fit, size: float, level: float = LEVEL) -> Prediction:
    """Value, interval and findings at one size.

    Raises:
        InputError: size or level out of range.
    """
    value = float(predict(fit, size))
    interval = prediction_interval(fit, size, level)
    beyond = extrapolation(fit, size)
    found = []
    if interval is None:
        found.append(Diagnostic("few-levels", "error", f"no interval: {no_interval_reason(fit)}"))
    if beyond > 1.0:
        end = "above the largest" if size > fit.table.sizes.max() else "below the smallest"
        text = f"{beyond:.3g} times {end} size of the sweep; the interval holds if the law does"
        found.append(Diagnostic("extrapolating", "warning" if beyond > FAR else "info", text))
    if interval is not None and interval[1] >= ceiling(fit):
        text = f"upper end cut at {ceiling(fit):g} {fit.table.unit}: the points do not exclude more"
        found.append(Diagnostic("interval-cut", "warning", text))
    if value > ceiling(fit):
        text = f"the law, which has no ceiling, gives more than {ceiling(fit):g} {fit.table.unit}"
        found.append(Diagnostic("above-ceiling", "error", text))
    return Prediction(float(size), value, interval, level, beyond, tuple(found))


def _about_points(fit: Fit) -> list[Diagnostic]:
    found = []
    parameters = len(fit.law.parameters)
    reason = no_interval_reason(fit)
    name = fit.table.size_name
    if reason is not None:
        text = f"no interval: {reason}; measure {parameters + 1} sizes or more"
        found.append(Diagnostic("few-levels", "error", text))
    elif fit.levels == parameters + 1:
        text = f"{fit.levels} different sizes for {parameters} parameters: intervals are wide"
        found.append(Diagnostic("few-levels", "warning", text))
    factor = float(fit.table.sizes.max() / fit.table.sizes.min())
    if factor < SHORT_RANGE:
        text = f"{name} spans a factor of {factor:.3g} only; a factor of {SHORT_RANGE:g} or more shows the bend"
        found.append(Diagnostic("short-range", "warning", text))
    return found


def _about_search(fit: Fit) -> list[Diagnostic]:
    found = []
    if not fit.converged:
        text = f"the search did not end in a minimum (gradient norm {fit.gradient_norm:.2g})"
        found.append(Diagnostic("not-converged", "error", text))
    if fit.starts_agree < 0.5:
        text = f"only {fit.starts_agree:.0%} of {fit.starts} starts reached the best minimum; there are others"
        found.append(Diagnostic("starts-disagree", "warning", text))
    return found


def _about_parameters(fit: Fit, intervals: dict[str, Interval] | None, level: float) -> list[Diagnostic]:
    found = []
    ends = predict(fit, [fit.table.sizes.min(), fit.table.sizes.max()])
    steep = fit.law.shape[0]
    if ends[1] > 0.999 * ends[0]:
        text = f"the error does not fall with {fit.table.size_name} in these points"
        found.append(Diagnostic("not-falling", "error", text))
    elif intervals is not None and intervals["alpha"][0] <= steep.low:
        text = f"the {level:.0%} interval of alpha reaches 0: a constant error fits the points as well"
        found.append(Diagnostic("not-falling", "warning", text))
    if "alpha" in fit.at_bound and fit.shape[0] >= steep.high:
        text = f"alpha is at its limit of {steep.high:g}: the points show a step, not a slope"
        found.append(Diagnostic("step", "error", text))
    if "E" in fit.at_bound:
        text = "the best floor is 0: the curve still falls as a pure power law, and its end is not in sight"
        found.append(Diagnostic("floor-at-bound", "warning", text))
    elif intervals is not None and "E" in intervals and intervals["E"][0] <= 1e-3 * parameter_values(fit)["E"]:
        text = f"the {level:.0%} interval of the floor reaches 0: do not quote E as what no size removes"
        found.append(Diagnostic("floor-not-identified", "warning", text))
    if fit.scatter is not None and fit.scatter > LARGE_SCATTER:
        text = f"points scatter by {100 * fit.scatter:.0f} % about the curve; look at them before using it"
        found.append(Diagnostic("poor-fit", "warning", text))
    return found + _outliers(fit)


def _outliers(fit: Fit) -> list[Diagnostic]:
    """Points far off the bulk; a fit with few points to spare bends towards them and cannot tell."""
    if fit.degrees_of_freedom < 4:
        return []
    residuals = fit.residuals
    scale = max(robust_scale(residuals, len(fit.law.parameters)), 1e-3)
    far = np.flatnonzero(np.abs(residuals) > OUTLIER * scale)
    places = ", ".join(
        f"{fit.table.size_name} = {fit.table.sizes[i]:g} ({100 * np.expm1(residuals[i]):+.0f} %)" for i in far
    )
    return [Diagnostic("outlier", "warning", f"far off the curve: {places}")] if len(far) else []
