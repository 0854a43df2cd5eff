"""A prediction with its three layers: sampling, choice and extrapolation, and what to know about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np

from semgjax.notebook import facts
from semgjax.scaling.better import about_law, rivals
from semgjax.scaling.bootstrap import draw, draw_interval, predict_draws
from semgjax.scaling.choices import Spread, choice_spread
from semgjax.scaling.diagnose import Diagnostic, blocks, diagnose
from semgjax.scaling.ends import ends_json, listed, number, opened, span
from semgjax.scaling.fit import Fit, Point, distance, points_of, predict
from semgjax.scaling.point_checks import about_point
from semgjax.scaling.profile import (
    LEVEL,
    Interval,
    ceiling,
    no_interval_reason,
    parameter_intervals,
    prediction_interval,
)
from semgjax.scaling.refit import influence
from semgjax.scaling.rolling import extrapolation_interval, log_distance, rolling_origin

FAR = 3.0  # times beyond the sweep
TOO_FAR = 100.0
USER_DRAWS = 500


@dataclass(frozen=True, repr=False)
class Prediction:
    """The law's value at one point with everything that bears on trusting it.

    value: None where an error-level finding blocks it. interval: sampling, by profile likelihood. users: what
    other test users would do to it (bootstrap over test users), where the table has them. choice: the range
    over objectives, outliers and laws. extrapolation: what the law's own record of predicting larger runs
    says of this distance. beyond: times beyond the sweep.
    """

    x: Mapping[str, float]
    value: float | None
    interval: Interval | None
    users: Interval | None
    choice: Spread | None
    extrapolation: Interval | None
    level: float
    beyond: float
    blocked: bool
    diagnostics: tuple[Diagnostic, ...]

    def __repr__(self) -> str:
        """One line."""
        place = ", ".join(f"{name}={value:g}" for name, value in self.x.items())
        if self.value is None:
            return f"Prediction({place}: no number; {_counted(self.diagnostics)})"
        return f"Prediction({place}: {number(self.value)} {span(self.interval)}; {_counted(self.diagnostics)})"

    def _repr_html_(self) -> str:
        choice = None if self.choice is None else (self.choice.low, self.choice.high)
        layers = {
            "value": number(self.value),
            "sampling": span(self.interval),
            "test users": span(self.users),
            "choice": span(choice),
            "extrapolation": span(self.extrapolation),
        }
        findings = [(f"{found.severity} {found.code}", found.message) for found in self.diagnostics]
        return facts(repr(self), [*layers.items(), *findings])


def _counted(findings: tuple[Diagnostic, ...]) -> str:
    return f"{len(findings)} findings" if len(findings) != 1 else f"1 finding, {findings[0].code}"


def as_json(prediction: Prediction) -> dict[str, Any]:
    """A prediction as a JSON object; an end that does not exist is null, "unbounded" names what nothing bounds."""
    body = asdict(prediction)
    del body["interval"]
    for name in ("users", "extrapolation"):
        body[name] = listed(getattr(prediction, name))
    if prediction.choice is not None:
        ends = (prediction.choice.low, prediction.choice.high)
        members = [(label, value if isfinite(value) else None) for label, value in prediction.choice.members]
        body["choice"] = {**ends_json(ends), "members": members}
    return {**body, **ends_json(prediction.interval)}


def predict_at(fit: Fit, x: Point, level: float = LEVEL, force: bool = False, seed: int = 0) -> Prediction:
    """Value, three layers and findings at one point; force: show the value in spite of error-level findings.

    Raises:
        InputError: x or level out of range.
    """
    points, _ = points_of(fit, x)
    point = {name: float(v[0]) for name, v in points.items()}
    value = float(predict(fit, point))
    interval = prediction_interval(fit, point, level)
    choice = choice_spread(fit, point)
    rolling = rolling_origin(fit)
    reach = opened(extrapolation_interval(rolling, value, log_distance(fit, points), level), value)
    users = None
    if fit.table.users_y is not None:
        drawn = predict_draws(draw(fit, USER_DRAWS, "users", seed), point)
        low, high = draw_interval(drawn, level)
        users = opened((float(low), float(high)), value)
    found = [*diagnose(fit, parameter_intervals(fit, level), level)]
    found += about_law(fit, rivals(fit))
    found += about_point(fit, points, value, level)
    found += _about_place(fit, points, value, interval, reach, choice)
    blocked = blocks(found) and not force
    return Prediction(
        point, None if blocked else value, None if blocked else interval, None if blocked else users,
        None if blocked else choice, None if blocked else reach, level, distance(fit, point), blocked, tuple(found),
    )  # fmt: skip


def _about_place(
    fit: Fit, points: dict[str, np.ndarray], value: float, interval: Interval | None, reach: Interval | None,
    choice: Spread,
) -> list[Diagnostic]:  # fmt: skip
    found = []
    beyond = distance(fit, points)
    if beyond > 1.0:
        text = f"{beyond:.3g} times beyond the sweep; the interval holds if the law does"
        if len(points) == 1:
            largest = float(next(iter(points.values()))[0]) > float(fit.table.sizes.max())
            end = "above the largest" if largest else "below the smallest"
            text = f"{beyond:.3g} times {end} size of the sweep; the interval holds if the law does"
        found.append(Diagnostic("extrapolating", "warning" if beyond > FAR else "info", text))
    if interval is not None and interval[1] >= ceiling(fit):
        text = f"upper end cut at {ceiling(fit):g} {fit.table.unit}: the points do not exclude more"
        found.append(Diagnostic("interval-cut", "warning", text))
    if value > ceiling(fit):
        text = f"the law, which has no ceiling, gives more than {ceiling(fit):g} {fit.table.unit}"
        found.append(Diagnostic("above-ceiling", "error", text))
    if beyond > 1.0 and reach is None:
        text = "too few levels to try the law on larger runs: how it fares beyond its points is not known"
        found.append(Diagnostic("no-record", "warning", text))
    if interval is not None and (choice.low < interval[0] / 1.02 or choice.high > interval[1] * 1.02):
        text = "the choice of objective, outliers and law moves the answer further than the sampling interval"
        found.append(Diagnostic("choice-exceeds-sampling", "warning", text))
    if interval is not None and no_interval_reason(fit) is None and len(fit.table.y) <= 1000:
        moves = influence(fit, points)
        worst = int(np.argmax(np.abs(moves)))
        width = max(float(np.log(interval[1] / max(interval[0], 1e-300))), 1e-12)
        if abs(moves[worst]) > 0.5 * width and abs(moves[worst]) > 0.01:
            places = ", ".join(f"{fit.table.column(n)} = {fit.table.x[n][worst]:g}" for n in fit.law.input_names)
            text = f"without the run at {places} the answer moves by {100 * np.expm1(moves[worst]):+.0f} %"
            found.append(Diagnostic("influential-run", "warning", text))
    return found
