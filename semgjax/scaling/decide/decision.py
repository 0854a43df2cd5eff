"""One answer with its three layers of uncertainty: sampling, choice and extrapolation; as text and as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semgjax.notebook import facts
from semgjax.scaling.decide.evidence import Evidence, Question
from semgjax.scaling.diagnose import Diagnostic, blocks
from semgjax.scaling.ends import ends_json, number, span

Array = np.ndarray
Interval = tuple[float, float]

# Beyond this probability an answer must say that there may be none.
UNLIKELY = 0.025


@dataclass(frozen=True, repr=False)
class Decision:
    """The answer to a question.

    value: None where it is blocked; inf where the curve gives none. interval: at `level`, from `method`; None where the
    fit has none. choice: range over other objectives, fits without outliers, and other laws, with its members.
    extrapolation: range over what shorter sweeps would have answered (inverse questions: see there). out_of_reach:
    share of pooled draws, of this law and the others, that give no answer.
    """

    question: str
    unit: str
    value: float | None
    interval: Interval | None
    method: str
    choice: Interval | None
    members: tuple[tuple[str, float], ...]
    extrapolation: Interval | None
    out_of_reach: float | None
    level: float
    diagnostics: tuple[Diagnostic, ...]
    blocked: bool = False

    def __repr__(self) -> str:
        """One line."""
        return f"Decision({'; '.join(' '.join(line.split()) for line in lines(self, findings=False)[:2])})"

    def _repr_html_(self) -> str:
        head, *rest = lines(self)
        rows = [row.strip().partition(" ") for row in rest]
        return facts(head, [(name, text.strip()) for name, _, text in rows])


def decide(
    question: Question,
    evidence: Evidence,
    force: bool = False,
    interval: Interval | None = None,
    extrapolation: Interval | None = None,
    more: tuple[Diagnostic, ...] = (),
) -> Decision:
    """Answer a question with its layers.

    interval: by a better method than draws (profile likelihood), where there is one. extrapolation: the same.
    more: findings of the question itself. A finding of severity error blocks the answer unless `force`.
    """
    level = evidence.level
    value = question.of(evidence.fit)
    members = tuple((label, question.of(other)) for label, other in evidence.others)
    pooled = [np.mean(~np.isfinite(question.evaluate(d.fit, d.thetas))) for d in evidence.members]
    missing = float(np.mean(pooled)) if pooled else None
    found = (*evidence.findings, *more, *_about_reach(question, value, missing, members))
    if blocks(found) and not force:
        return Decision(question.text, question.unit, None, None, "", None, (), None, None, level, found, True)
    method = "profile likelihood"
    if interval is None and evidence.draws is not None:
        interval = spread_of(question.evaluate(evidence.fit, evidence.draws.thetas), level)
        method = "bootstrap"
    if extrapolation is None:
        extrapolation = range_of(value, [question.of(other) for _, other in evidence.shorter])
    choice = range_of(value, [v for _, v in members])
    if interval is not None and choice is not None and _exceeds(choice, interval):
        text = "the choice of objective, outliers and law moves the answer further than the sampling interval"
        found += (Diagnostic("choice-exceeds-sampling", "warning", text),)
    return Decision(
        question.text, question.unit, value, interval, method, choice, members, extrapolation, missing, level, found
    )


def range_of(value: float, others: Sequence[float]) -> Interval | None:
    """From the lowest to the highest of a value and others; None without others."""
    return (min(value, *others), max(value, *others)) if others else None


def _exceeds(choice: Interval, interval: Interval) -> bool:
    return choice[0] < interval[0] / 1.02 or choice[1] > interval[1] * 1.02


def spread_of(values: Array, level: float) -> Interval:
    """(low, high) of draws [k] at `level`; draws without an answer (inf) stand at the top."""
    tail = (1.0 - level) / 2.0
    ranked = np.sort(values)
    low = ranked[int(math.floor(tail * (len(ranked) - 1)))]
    high = ranked[int(math.ceil((1.0 - tail) * (len(ranked) - 1)))]
    return float(low), float(high)


def _about_reach(
    question: Question, value: float, missing: float | None, members: tuple[tuple[str, float], ...]
) -> list[Diagnostic]:
    without = sum(not math.isfinite(v) for _, v in members)
    if not math.isfinite(value):
        return [Diagnostic("out-of-reach", "warning", f"the fitted curve gives no answer: {question.text}")]
    if (missing or 0.0) > UNLIKELY or without:
        text = f"{missing or 0.0:.0%} of the resampled curves and {without} of {len(members)} other fits give no answer"
        return [Diagnostic("may-be-out-of-reach", "warning", text)]
    return []


def lines(decision: Decision, findings: bool = True) -> list[str]:
    """The answer and its layers as lines of text; findings: with what to know about it."""
    unit = f" {decision.unit}" if decision.unit else ""
    if decision.blocked:
        head = f"{decision.question}: no answer; an error below blocks it (force shows the number)"
    elif decision.value is not None and not math.isfinite(decision.value):
        head = f"{decision.question}: out of reach of the fitted curve"
    else:
        head = f"{decision.question}: {number(decision.value)}{unit}"
    shown = [head]
    if not decision.blocked:
        shown.append(f"  sampling       {_sampling(decision)}")
        label = f"{len(decision.members)} other objectives, laws, and fits without outliers"
        shown.append(f"  choice         {span(decision.choice)}  {label}")
        shown.append(f"  extrapolation  {span(decision.extrapolation)}  {EXTRAPOLATION}")
    if decision.out_of_reach is not None and not decision.blocked:
        shown.append(f"  out of reach   with probability {decision.out_of_reach:.1%} (draws of all laws)")
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in decision.diagnostics if findings]


EXTRAPOLATION = "what the sweep's shorter parts predict of its longer ones"


def _sampling(decision: Decision) -> str:
    if decision.interval is None:
        return "-  no interval: see below"
    return f"{span(decision.interval)}  {decision.level:.3g} interval by {decision.method}, if the law holds"


def as_json(decision: Decision) -> dict[str, Any]:
    """The answer as a JSON object; an end or a value that does not exist is null, "unbounded" names
    the ends that nothing bounds."""
    return {
        "question": decision.question,
        "unit": decision.unit,
        "value": _finite(decision.value),
        "blocked": decision.blocked,
        "level": decision.level,
        "sampling": {**ends_json(decision.interval), "method": decision.method},
        "choice": {
            **ends_json(decision.choice),
            "members": [{"label": label, "value": _finite(value)} for label, value in decision.members],
        },
        "extrapolation": ends_json(decision.extrapolation),
        "out_of_reach": decision.out_of_reach,
        "diagnostics": [{"code": d.code, "severity": d.severity, "message": d.message} for d in decision.diagnostics],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
