"""A prediction with its three layers: sampling, choice and extrapolation, and what to know about it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from semgjax.notebook import facts
from semgjax.scaling.better import about_law, rivals
from semgjax.scaling.bootstrap import draw, draw_interval, predict_draws
from semgjax.scaling.choices import Spread, choice_fits, spread_of
from semgjax.scaling.diagnose import Diagnostic, blocks, diagnose
from semgjax.scaling.drift import MODEL, drift_band
from semgjax.scaling.ends import ends_json, listed, number, opened, place_text, span
from semgjax.scaling.fit import Fit, Point, distance, points_of, predict
from semgjax.scaling.largest import largest_level
from semgjax.scaling.mixed import UsersPrediction, predict_users
from semgjax.scaling.point_checks import about_point
from semgjax.scaling.profile import (
    LEVEL,
    Interval,
    ceiling,
    no_interval_reason,
    parameter_intervals,
    prediction_interval,
)
from semgjax.scaling.quote import Weighted, allowing_for_largest, quote_interval, weighted
from semgjax.scaling.refit import influence

FAR = 3.0  # times beyond the sweep
TOO_FAR = 100.0  # times beyond the sweep, from where no number is given
USER_DRAWS = 500


@dataclass(frozen=True, repr=False)
class Prediction:
    """The law's value at one point with everything that bears on trusting it.

    value: None where an error-level finding blocks it. quote: the one interval to quote (`semgjax.scaling.quote`), of
    the layers beneath: interval: sampling, by profile likelihood. users: what other test users would do to it
    (bootstrap over test users), where the table has them. test_users: mean, median and intervals in which users and
    sampling are joined. choice: the range over objectives, outliers and the laws
    that the points do not reject. extrapolation: sampling, and a slope that drifts as in published sweeps
    (`semgjax.scaling.drift`), beyond the sweep. beyond: times beyond the sweep. weights: of the laws in `quote`.
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
    quote: Interval | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    test_users: UsersPrediction | None = None

    def __repr__(self) -> str:
        """One line."""
        place = ", ".join(f"{name}={value:g}" for name, value in self.x.items())
        if self.value is None:
            return f"Prediction({place}: no number; {_counted(self.diagnostics)})"
        return f"Prediction({place}: {number(self.value)}, quote {span(self.quote)}; {_counted(self.diagnostics)})"

    def _repr_html_(self) -> str:
        choice = None if self.choice is None else (self.choice.low, self.choice.high)
        layers = {
            "value": number(self.value),
            f"quote ({self.level:.0%})": span(self.quote),
            "sampling": span(self.interval),
            "test users": span(self.users),
            **({} if self.test_users is None else {name: text for name, text, _ in self.test_users.layers}),
            "choice": span(choice),
            "extrapolation": span(self.extrapolation),
            "laws in quote": weights_text(self.weights),
        }
        findings = [(f"{found.severity} {found.code}", found.message) for found in self.diagnostics]
        return facts(repr(self), [*layers.items(), *findings])


def weights_text(weights: Mapping[str, float]) -> str:
    """Laws with their weights, the heaviest first."""
    ranked = sorted(weights.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {weight:.2f}" for name, weight in ranked)


def _counted(findings: tuple[Diagnostic, ...]) -> str:
    return f"{len(findings)} findings" if len(findings) != 1 else f"1 finding, {findings[0].code}"


def as_json(prediction: Prediction) -> dict[str, Any]:
    """A prediction as a JSON object; an end that does not exist is null, "unbounded" names what nothing bounds."""
    body = asdict(prediction)
    del body["interval"]
    body["quote"] = None if prediction.quote is None else ends_json(prediction.quote)
    for name in ("users", "extrapolation"):
        body[name] = listed(getattr(prediction, name))
    if prediction.test_users is not None:
        joined = {name: listed(getattr(prediction.test_users, name)) for name in ("mean_interval", "new_user")}
        body["test_users"] = {**asdict(prediction.test_users), **joined}
    if prediction.choice is not None:
        ends = (prediction.choice.low, prediction.choice.high)
        members = [(label, value if isfinite(value) else None) for label, value in prediction.choice.members]
        body["choice"] = {**ends_json(ends), "members": members}
    return {**body, **ends_json(prediction.interval)}


def predict_at(
    fit: Fit, x: Point, level: float = LEVEL, force: bool = False, seed: int = 0, model: float = MODEL
) -> Prediction:
    """Value, three layers and findings at one point; force: show the value in spite of error-level findings.

    model: what laws miss beyond their sweeps (`semgjax.scaling.drift.MODEL`; a ledger of forecasts gives the owner's).

    Raises:
        InputError: x or level out of range.
    """
    points, _ = points_of(fit, x)
    point = {name: float(v[0]) for name, v in points.items()}
    value = float(predict(fit, point))
    interval = prediction_interval(fit, point, level)
    members = choice_fits(fit)
    choice = spread_of(members, lambda member: float(predict(member, point).reshape(-1)[0]))
    laws = quoted_laws(fit, members)
    beyond = max(distance(fit, point), ratio_distance(fit, points))
    band = drift_band(fit, point, level, model) if laws and beyond > 1.0 else None
    reach = None if band is None else opened((float(band[0][0]), float(band[1][0])), value)
    users = None
    if fit.table.users_y is not None:
        drawn = predict_draws(draw(fit, USER_DRAWS, "users", seed), point)
        low, high = draw_interval(drawn, level)
        users = opened((float(low), float(high)), value)
    found = [*diagnose(fit, parameter_intervals(fit, level), level)]
    found += about_law(fit, rivals(fit))
    found += about_point(fit, points, value, level)
    found += _about_place(fit, points, value, interval, choice)
    quote = quote_interval(laws, point, level, users, interval, model)
    blocked = blocks(found) and not force
    if blocked:
        return Prediction(point, None, None, None, None, None, level, beyond, True, tuple(found))
    weights = {law.label: law.weight for law in laws}
    return Prediction(
        point, value, interval, users, choice, reach, level, beyond, False, tuple(found), quote, weights,
        predict_users(fit, point, interval, level, seed),
    )  # fmt: skip


def quoted_laws(fit: Fit, members: Sequence[tuple[str, Fit]]) -> tuple[Weighted, ...]:
    """The laws whose mixture is quoted, with their weights; members: `choice_fits` of the fit."""
    laws = weighted([member for _, member in members if member is fit or member.law.name != fit.law.name])
    return allowing_for_largest(laws, largest_level(fit))


def ratio_distance(fit: Fit, x: Mapping[str, np.ndarray]) -> float:
    """How many times D / N of a point lies beyond those of the sweep; 1 inside, and for laws without both.

    Within the ranges of N and D a point can still have tokens per parameter that no run had.
    """
    if not {"N", "D"} <= set(fit.law.input_names):
        return 1.0
    seen = fit.table.x["D"] / fit.table.x["N"]
    asked = float((x["D"] / x["N"]).reshape(-1)[0])
    return max(asked / float(seen.max()), float(seen.min()) / asked, 1.0)


def _about_place(
    fit: Fit, points: dict[str, np.ndarray], value: float, interval: Interval | None, choice: Spread
) -> list[Diagnostic]:
    found = _about_distance(fit, points)
    if interval is not None and interval[1] >= ceiling(fit):
        text = f"upper end cut at {ceiling(fit):g} {fit.table.unit}: the points do not exclude more"
        found.append(Diagnostic("interval-cut", "warning", text))
    if value > ceiling(fit):
        text = f"the law, which has no ceiling, gives more than {ceiling(fit):g} {fit.table.unit}"
        found.append(Diagnostic("above-ceiling", "error", text))
    if interval is not None and (choice.low < interval[0] / 1.02 or choice.high > interval[1] * 1.02):
        text = "the choice of objective, outliers and law moves the answer further than the sampling interval"
        found.append(Diagnostic("choice-exceeds-sampling", "warning", text))
    if interval is not None and no_interval_reason(fit) is None and len(fit.table.y) <= 1000:
        moves = influence(fit, points)
        worst = int(np.argmax(np.abs(moves)))
        width = max(float(np.log(interval[1] / max(interval[0], 1e-300))), 1e-12)
        if abs(moves[worst]) > 0.5 * width and abs(moves[worst]) > 0.01:
            places = place_text(fit.table.column, {n: v[worst] for n, v in fit.table.x.items()})
            text = f"without the run at {places} the answer moves by {100 * np.expm1(moves[worst]):+.0f} %"
            found.append(Diagnostic("influential-run", "warning", text))
    return found


def _about_distance(fit: Fit, points: dict[str, np.ndarray]) -> list[Diagnostic]:
    box, ratio = distance(fit, points), ratio_distance(fit, points)
    beyond = max(box, ratio)
    if beyond <= 1.0:
        return []
    if ratio > box:
        column = fit.table.column
        text = f"{column('D')} / {column('N')} lies {ratio:.3g} times beyond that of any run"
    elif len(points) == 1:
        largest = float(next(iter(points.values()))[0]) > float(fit.table.sizes.max())
        text = f"{beyond:.3g} times {'above the largest' if largest else 'below the smallest'} size of the sweep"
    else:
        text = f"{beyond:.3g} times beyond the sweep"
    if beyond > TOO_FAR:
        return [Diagnostic("extrapolating", "error", f"{text}, more than {TOO_FAR:g}: measure a run nearer to it")]
    found = [
        Diagnostic(
            "extrapolating", "warning" if beyond > FAR else "info", f"{text}; the interval holds if the law does"
        )
    ]
    if no_interval_reason(fit) is not None:
        text = "too few levels to try the law on larger runs: how it fares beyond its points is not known"
        found.append(Diagnostic("no-record", "warning", text))
    return found
