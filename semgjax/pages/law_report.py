"""One self-contained HTML page on a table of results: verdict, laws, answers with their layers, pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from semgjax.pages import law_budgets as budgets
from semgjax.pages import law_checks as checks
from semgjax.pages import law_curves as curves
from semgjax.pages.figure_bytes import svg_bytes
from semgjax.pages.html import Image, image, render_template
from semgjax.scaling.answer import Prediction, predict_at
from semgjax.scaling.compare import Comparison, compare_laws, test_users_or_hours
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.decision import Decision
from semgjax.scaling.decide.evidence import Evidence, gather
from semgjax.scaling.decide.frontier import frontier, pair_of
from semgjax.scaling.decide.inverse import invert
from semgjax.scaling.diagnose import blocks
from semgjax.scaling.ends import number, span
from semgjax.scaling.fit import Fit, floor
from semgjax.scaling.law import Law
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals
from semgjax.scaling.rolling import rolling_origin
from semgjax.scaling.table import Table

Array = np.ndarray

SEEDS_UNKNOWN = "no two runs share their inputs, so that seeds and law cannot be separated"


@dataclass(frozen=True)
class Ask:
    """What the page is to answer: the error at a point, what reaches a target, the frontier of a cost."""

    at: Mapping[str, float] | None = None
    target: float | None = None
    cost: Cost | None = None
    title: str = ""
    level: float = LEVEL
    force: bool = False


def report_page(points: Table, laws: Sequence[Law], ask: Ask, fit: Fit | None = None) -> str:
    """The page; same table and questions, same bytes.

    fit: whose numbers are shown, its law among those compared (default: the law that ranks first).

    Raises:
        InputError: no law can be fitted, or a question that the law has no input for.
    """
    comparison = compare_laws(points, laws, None if fit is None else fit.objective)
    fit = fit or comparison.scores[0].fit
    at = dict(ask.at or asked_point(fit))
    evidence = gather(fit, ask.level)
    prediction = predict_at(fit, at, ask.level, ask.force)
    reached = _reached(fit, evidence, ask)
    return render_template(
        "law_report.html",
        title=ask.title or f"Scaling of {points.y_name} in {points.source}",
        lead=data_words(points),
        prediction=prediction,
        **_verdict(prediction, fit),
        verdict=comparison.verdict,
        reached=_reached_rows(reached),
        users_or_hours=test_users_or_hours(fit.table)[0] if set(fit.table.x) == {"U", "H"} else "",
        laws=_law_rows(comparison),
        refused=comparison.refused,
        seeds_note=_seeds_note(points),
        law=fit.law,
        level=f"{ask.level:.0%}",
        parameters=None if blocks(evidence.findings) and not ask.force else _parameter_rows(fit, ask.level),
        pictures=_pictures(fit, evidence, at, ask),
    )


def asked_point(fit: Fit) -> dict[str, float]:
    """Ten times the largest value of the first input, the others in the middle of the sweep."""
    name = fit.law.input_names[0]
    return {name: 10.0 * float(fit.table.x[name].max()), **curves.middle(fit, name)}


def data_words(points: Table) -> str:
    """Where the points come from, how many there are, and how often each was repeated."""
    groups = np.bincount(points.groups)
    seeds = f"{groups.min()} to {groups.max()} runs" if groups.min() < groups.max() else f"{groups.max()} run(s)"
    filters = ", ".join(f"{k} = {v}" for k, v in points.where.items())
    ranges = "; ".join(
        f"{points.column(n)} from {number(float(v.min()))} to {number(float(v.max()))}" for n, v in points.x.items()
    )
    return (
        f"{len(points.y)} runs of {points.source}{' with ' + filters if filters else ''}: "
        f"{len(groups)} configurations of {seeds} each; {ranges}."
    )


def _reached(fit: Fit, evidence: Evidence, ask: Ask) -> tuple[Decision, ...]:
    if ask.target is None:
        return ()
    return tuple(
        invert(fit, name, ask.target, curves.middle(fit, name), ask.level, force=ask.force, evidence=evidence)
        for name in curves.middle(fit)
    )


def _verdict(prediction: Prediction, fit: Fit) -> dict[str, Any]:
    """The answer in words with its layers, or the reasons why there is none."""
    unit = f" {fit.table.unit}" if fit.table.unit else ""
    place = ", ".join(f"{fit.table.column(k)} = {number(v)}" for k, v in prediction.x.items())
    if prediction.blocked:
        return {"reasons": "; ".join(d.message for d in prediction.diagnostics if d.severity == "error")}
    answer = (
        f"At {place}, {prediction.beyond:.3g} times beyond the sweep, the law {fit.law.name} predicts "
        f"{fit.table.y_name} {number(prediction.value)}{unit}."
    )
    layers = [
        ("sampling", span(prediction.interval), f"{prediction.level:.0%} interval by profile likelihood"),
        *([("test users", span(prediction.users), "other test users")] if prediction.users else []),
        *(prediction.test_users.layers if prediction.test_users else []),
        (
            "choice",
            span((prediction.choice.low, prediction.choice.high) if prediction.choice else None),
            f"{len(prediction.choice.members) if prediction.choice else 0} objectives, laws, outliers",
        ),
        ("extrapolation", span(prediction.extrapolation), "from the law's errors on larger runs within the sweep"),
    ]
    return {"answer": answer, "layers": layers}


def _reached_rows(reached: Sequence[Decision]) -> list[tuple[str, ...]]:
    return [
        (
            d.question,
            "blocked" if d.blocked else "out of reach" if d.value == np.inf else number(d.value),
            span(d.interval),
            span(d.choice),
            span(d.extrapolation),
            "-" if d.out_of_reach is None or d.blocked else f"{d.out_of_reach:.0%}",
        )
        for d in reached
    ]


def _law_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    return [
        (
            s.name,
            f"{s.weight:.2f}",
            "-" if s.rolling_error is None else f"{100 * s.rolling_error:.2g} %",
            "-" if s.largest_error is None else f"{100 * s.largest_error:.2g} %",
            number(s.aicc),
            s.fit.status,
        )
        for s in comparison.scores
    ]


def _seeds_note(points: Table) -> str:
    replicated = len(points.y) > int(points.groups.max()) + 1
    return "Seeds are replicates: runs with equal inputs." if replicated else f"{SEEDS_UNKNOWN.capitalize()}."


def _parameter_rows(fit: Fit, level: float) -> list[tuple[str, ...]]:
    intervals = parameter_intervals(fit, level) or {}
    return [
        (p.name, number(fit.parameters[p.name], 5), span(intervals.get(p.name)), p.unit, p.meaning)
        for p in fit.law.parameters
    ]


def _pictures(fit: Fit, evidence: Evidence, at: Mapping[str, float], ask: Ask) -> list[Image]:
    column = fit.table.column
    varied = [n for n in fit.law.input_names if np.ptp(fit.table.x[n]) > 0]
    made: list[tuple[Callable[[], Figure], str, str]] = [
        (
            lambda name=name: curves.curve_figure(evidence, name),  # type: ignore[misc]
            f"curve over {column(name)}",
            f"{fit.table.y_name} against {column(name)} with the three layers of uncertainty.",
        )
        for name in varied
    ]
    if len(fit.law.inputs) == 1 and (floor(fit) or 0.0) > 0:
        text = "What the error exceeds the fitted floor by, in log-log: straight where the law is a floor plus a power."
        made.append((lambda: curves.excess_figure(fit), "excess over the floor", text))
    made.append(
        (lambda: checks.residual_figure(fit), "residuals", "Residuals; dotted lines are two standard deviations.")
    )
    if no_interval_reason(fit) is None:
        inside = {**curves.middle(fit, varied[0]), varied[0]: float(fit.table.x[varied[0]].max())}
        text = "Profiles: how strongly the runs reject other values of the curve at these places."
        made.append((lambda: checks.profile_figure(fit, [inside, at], ask.level), "profiles", text))
        text = "What each run does to the prediction."
        made.append((lambda: checks.influence_figure(fit, at), "influence of single runs", text))
    if rolling_origin(fit).rate is not None:
        text = "Rolling origin: each next larger level predicted from the smaller ones."
        made.append((lambda: checks.rolling_figure(fit, ask.level), "rolling origin", text))
    if len(varied) > 1:
        pair = (varied[0], varied[1])
        held = {k: v for k, v in curves.middle(fit).items() if k not in pair}
        text = f"Lines of equal {fit.table.y_name} over {column(pair[0])} and {column(pair[1])}."
        made.append((lambda: budgets.contour_figure(fit, pair, held), "contours", text))
    if ask.cost is not None:
        made += _budget_pictures(fit, evidence, ask.cost, ask.force)
    return [image(svg_bytes(draw()), alt, caption) for draw, alt, caption in made]


def _budget_pictures(
    fit: Fit, evidence: Evidence, cost: Cost, force: bool
) -> list[tuple[Callable[[], Figure], str, str]]:
    pair = pair_of(fit)
    held = {k: v for k, v in curves.middle(fit).items() if k not in pair}
    spent = cost.at({**held, **fit.table.x})
    amounts = list(np.geomspace(spent.min(), spent.max() * 10.0, 5))
    rows = frontier(fit, cost, amounts, pair, held, evidence.level, force, evidence)
    return [
        (
            lambda: budgets.valley_figure(fit, cost, amounts, pair, held),
            "valleys of equal cost",
            f"Error at fixed cost, {cost.text} {cost.unit}.",
        ),
        (
            lambda: budgets.frontier_figure(fit, rows, cost, pair),
            "frontier",
            "The best mix for each budget, and its error; the last budgets lie beyond the sweep.",
        ),
    ]
