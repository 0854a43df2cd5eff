"""One self-contained HTML page on a table of results: verdict, laws, answers with their layers, pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semgjax.pages import law_pictures as pictures
from semgjax.pages import law_tables as tables
from semgjax.pages.axis_names import law_title, y_in_words, y_title
from semgjax.pages.captions import place_words, spliced_words
from semgjax.pages.html import render_template
from semgjax.pages.law_curves import middle
from semgjax.pages.marks import outlying_weights
from semgjax.pages.next_step import next_step
from semgjax.scaling.answer import Prediction, predict_at
from semgjax.scaling.compare import compare_laws, test_users_or_hours
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.decision import Decision
from semgjax.scaling.decide.evidence import Evidence, gather
from semgjax.scaling.decide.inverse import invert
from semgjax.scaling.diagnose import blocks
from semgjax.scaling.ends import number, span
from semgjax.scaling.fit import Fit
from semgjax.scaling.law import Law
from semgjax.scaling.profile import LEVEL
from semgjax.scaling.table import Table

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

    fit: whose numbers are shown, its law among those compared (default: the law that ranks first). Where a finding of
    severity error blocks the fit and `ask.force` is not set, the page shows the runs and the findings, and no number
    of any law; where one blocks the place asked for alone, it shows the law without a number there.

    Raises:
        InputError: no law can be fitted, or a question that the law has no input for.
    """
    comparison = compare_laws(points, laws, None if fit is None else fit.objective)
    fit = fit or comparison.scores[0].fit
    at = dict(ask.at or asked_point(fit))
    evidence = gather(fit, ask.level)
    prediction = predict_at(fit, at, ask.level, ask.force)
    blocked = blocks(evidence.findings) and not ask.force
    return render_template(
        "law_report.html",
        title=ask.title or f"Scaling of {y_in_words(fit)} in {points.source}",
        lead=data_words(points, fit),
        blocked=prediction.blocked,
        **_verdict(prediction, fit, ask),
        verdict="" if blocked else tables.in_full(comparison.verdict, comparison),
        reached=tables.reached_rows(() if blocked else _reached(fit, evidence, ask)),
        users_or_hours=test_users_or_hours(fit.table)[0] if set(fit.table.x) == {"U", "H"} and not blocked else "",
        laws=() if blocked else tables.law_rows(comparison),
        refused=[(law_title(name), name, reason) for name, reason in comparison.refused],
        seeds_note=_seeds_note(points),
        law=fit.law,
        law_title=law_title(fit.law.name),
        level=f"{ask.level:.0%}",
        parameters=() if blocked else tables.parameter_rows(fit, ask.level),
        rungs=tables.rung_rows(fit),
        runs=tables.run_table(fit, blocked, outlying_weights(fit)),
        pictures=pictures.pictures(
            fit, evidence, None if prediction.blocked else at, ask.level, ask.cost, blocked, ask.force, comparison
        ),
        findings=tables.finding_rows(prediction.diagnostics),
    )


def asked_point(fit: Fit) -> dict[str, float]:
    """Ten times the largest value of the first input, the others in the middle of the sweep."""
    name = fit.law.input_names[0]
    return {name: 10.0 * float(fit.table.x[name].max()), **middle(fit, name)}


def data_words(points: Table, fit: Fit) -> str:
    """Where the points come from, how many there are, and how often each was repeated."""
    groups = np.bincount(points.groups)
    seeds = f"{groups.min()} to {groups.max()} runs" if groups.min() < groups.max() else f"{groups.max()} runs"
    seeds = "1 run" if groups.max() == 1 else seeds
    filters = ", ".join(f"{k} = {v}" for k, v in points.where.items())
    ranges = "; ".join(
        f"{points.column(n)} from {number(float(v.min()))} to {number(float(v.max()))}" for n, v in points.x.items()
    )
    users = f" {len(points.users)} test users." if points.users else ""
    return (
        f"{y_title(fit)} of n = {len(points.y)} runs of {points.source}{' with ' + filters if filters else ''}: "
        f"{len(groups)} configurations of {seeds} each; {ranges}.{users}{spliced_words(points)}"
    )


def _reached(fit: Fit, evidence: Evidence, ask: Ask) -> tuple[Decision, ...]:
    if ask.target is None:
        return ()
    return tuple(
        invert(fit, name, ask.target, middle(fit, name), ask.level, force=ask.force, evidence=evidence)
        for name in middle(fit)
    )


def _verdict(prediction: Prediction, fit: Fit, ask: Ask) -> dict[str, Any]:
    """The question, the answer with the interval to quote and its layers, and what to do next."""
    unit = f" {fit.table.unit}" if fit.table.unit else ""
    beyond = f", {prediction.beyond:.3g} times beyond the sweep" if prediction.beyond > 1.0 else ""
    question = f"{y_title(fit)} at {place_words(fit, prediction.x)}{beyond}"
    at = {k: float(v) for k, v in prediction.x.items()}
    steps = next_step(fit, prediction.diagnostics, at, ask.cost, ask.level)
    if prediction.blocked:
        return {"question": question, "answer": "", "quoted": "", "meaning": "", "layers": (), "steps": steps}
    choice = prediction.choice
    layers = [
        ("quote", span(prediction.quote), f"the {prediction.level:.0%} interval to quote: the layers below, weighted"),
        ("sampling", span(prediction.interval), f"{prediction.level:.0%} profile-likelihood interval of the curve"),
        *([("test users", span(prediction.users), "other test users")] if prediction.users else []),
        *(prediction.test_users.layers if prediction.test_users else []),
        (
            "choice",
            span((choice.low, choice.high) if choice else None),
            f"{len(choice.members) if choice else 0} objectives, laws, and fits without a point",
        ),
        ("extrapolation", span(prediction.extrapolation), "sampling, and a slope that drifts as in published sweeps"),
    ]
    meaning = (
        f"{prediction.level:.0%} interval to quote, for the mean of many runs there: sampling, a slope that drifts as "
        "in published sweeps, and the laws that the runs do not reject, by their weights."
    )
    if fit.scatter:
        meaning += f" A single new run scatters about the curve by {100 * fit.scatter:.2g} % more (standard deviation)."
    return {
        "question": question,
        "answer": f"{number(prediction.value)}{unit}",
        "quoted": f"{span(prediction.quote)}{unit if prediction.quote else ''}",
        "meaning": meaning,
        "layers": layers,
        "steps": steps,
    }


def _seeds_note(points: Table) -> str:
    replicated = len(points.y) > int(points.groups.max()) + 1
    return "Seeds are replicates: runs with equal inputs." if replicated else f"{SEEDS_UNKNOWN.capitalize()}."
