"""One answer with its three layers of uncertainty: sampling, choice and extrapolation; as text and as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semgjax.notebook import facts
from semgjax.scaling.decide.evidence import Evidence, Question
from semgjax.scaling.diagnose import Diagnostic, blocks
from semgjax.scaling.ends import Interval, Limits, amount, amount_json, amount_span
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import near_ties

Array = np.ndarray

# Beyond this probability an answer must say that there may be none.
UNLIKELY = 0.025
TIED = 0.02  # relative: minima whose answers differ by less are the same answer
NOT_IDENTIFIED = "not-identified"


@dataclass(frozen=True, repr=False)
class Decision:
    """The answer to a question.

    value: None where it is blocked; inf where the curve gives none. interval: at `level`, from `method`; None where the
    fit has none. choice: range over other objectives, fits without outliers, and other laws, with its members.
    extrapolation: range over what shorter sweeps would have answered (inverse questions: see there). out_of_reach:
    share of pooled draws, of this law and the others, that give no answer. limits: of an answer that is an amount.
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
    limits: Limits | None = None

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
    extrapolation: Interval | None = None,
    more: tuple[Diagnostic, ...] = (),
) -> Decision:
    """Answer a question with its layers.

    extrapolation: by a better method than shorter sweeps, where there is one. more: findings of the question itself. A
    finding of severity error blocks the answer unless `force`; one is that the points do not determine it.
    """
    level, fit = evidence.level, evidence.fit
    value = question.of(fit)
    found = (*evidence.findings, *more)
    interval, method = None, ""
    reason = question.unanswerable(fit, value)
    if evidence.draws is not None and question.profile is not None:
        interval, reason = profile_of(question, fit, value, level, force)
        method = "profile likelihood"
    elif evidence.draws is not None:
        interval, method = spread_of(question.evaluate(fit, evidence.draws.thetas), level), "bootstrap"
    if reason is not None:
        found = (*(d for d in found if d.code != NOT_IDENTIFIED), Diagnostic(NOT_IDENTIFIED, "error", reason))
    members = tuple((label, question.of(other)) for label, other in _able(question, evidence.others))
    pooled = [np.mean(~np.isfinite(question.evaluate(d.fit, d.thetas))) for d in evidence.members]
    missing = float(np.mean(pooled)) if pooled else None
    found = (*found, *_about_reach(question, value, missing, members), *_about_ties(question, fit, value, level))
    if blocks(found) and not force:
        return Decision(
            question.text, question.unit, None, None, "", None, (), None, None, level, found, True, question.limits
        )
    if extrapolation is None:
        extrapolation = range_of(value, [question.of(other) for _, other in _able(question, evidence.shorter)])
    choice = range_of(value, [v for _, v in members])
    if interval is not None and choice is not None and _exceeds(choice, interval):
        text = "the choice of objective, outliers and law moves the answer further than the sampling interval"
        found += (Diagnostic("choice-exceeds-sampling", "warning", text),)
    return Decision(
        question.text, question.unit, value, interval, method, choice, members, extrapolation, missing, level, found,
        limits=question.limits,
    )  # fmt: skip


def _able(question: Question, fits: Sequence[tuple[str, Fit]]) -> list[tuple[str, Fit]]:
    """The fits whose own points determine the answer."""
    return [(label, fit) for label, fit in fits if question.unanswerable(fit, question.of(fit)) is None]


def profile_of(
    question: Question, fit: Fit, value: float, level: float, force: bool = False
) -> tuple[Interval | None, str | None]:
    """(interval by profile likelihood, why the points do not determine the answer; None where they do).

    force: trace the profile of an answer that is not estimable too.

    Raises:
        InputError: the fit has no degrees of freedom.
    """
    reason = question.unanswerable(fit, value)
    if question.profile is None or (reason is not None and not force):
        return None, reason
    interval = question.profile(fit, value, level)
    if reason is None and question.limits is not None:
        low, high = interval
        if low <= 0.0 and high == math.inf:
            reason = f"the points do not determine this answer: no value of it is rejected at {level:.0%}"
    return interval, reason


def _about_ties(question: Question, fit: Fit, value: float, level: float) -> list[Diagnostic]:
    """Other minima of the search, as good as the fit by the points, that answer otherwise."""
    others = near_ties(fit, level)
    if not len(others):
        return []
    answers = [v for v in question.evaluate(fit, others) if not _alike(float(v), value)]
    if not answers:
        return []
    shown = ", ".join(amount(float(v), question.limits, 3) for v in answers)
    text = f"other minima fit the points about as well and answer {shown}: the interval holds them too"
    return [Diagnostic("near-tie", "warning", text)]


def _alike(one: float, other: float) -> bool:
    return one == other or abs(one - other) <= TIED * abs(other)


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
    else:
        head = f"{decision.question}: {answer_words(decision)}{unit}"
    shown = [head]
    if not decision.blocked:
        shown.append(f"  sampling       {_sampling(decision)}")
        label = f"{len(decision.members)} other objectives, laws, and fits without outliers"
        shown.append(f"  choice         {amount_span(decision.choice, decision.limits)}  {label}")
        shown.append(f"  extrapolation  {amount_span(decision.extrapolation, decision.limits)}  {EXTRAPOLATION}")
    if decision.out_of_reach is not None and not decision.blocked:
        shown.append(f"  out of reach   with probability {decision.out_of_reach:.1%} (draws of all laws)")
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in decision.diagnostics if findings]


EXTRAPOLATION = "what the sweep's shorter parts predict of its longer ones"


def _sampling(decision: Decision) -> str:
    if decision.interval is None:
        return "-  no interval: see below"
    shown = amount_span(decision.interval, decision.limits)
    return f"{shown}  {decision.level:.3g} interval by {decision.method}, if the law holds"


def as_json(decision: Decision) -> dict[str, Any]:
    """The answer as a JSON object; an end or a value that does not exist is null, "unbounded" names
    the ends that nothing bounds, of the value: on which side it lies out of the range of sensible amounts."""
    limits = decision.limits
    return {
        "question": decision.question,
        "unit": decision.unit,
        **_value_json(decision.value, limits),
        "blocked": decision.blocked,
        "level": decision.level,
        "sampling": {**amount_json(decision.interval, limits), "method": decision.method},
        "choice": {
            **amount_json(decision.choice, limits),
            "members": [{"label": label, **_value_json(value, limits)} for label, value in decision.members],
        },
        "extrapolation": amount_json(decision.extrapolation, limits),
        "out_of_reach": decision.out_of_reach,
        "diagnostics": [{"code": d.code, "severity": d.severity, "message": d.message} for d in decision.diagnostics],
    }


def _value_json(value: float | None, limits: Limits | None) -> dict[str, Any]:
    """The value, or null with the side on which it lies out of range."""
    least, high = (-math.inf, math.inf) if limits is None else (max(limits.least, limits.low), limits.high)
    if value is None or math.isnan(value):
        return {"value": None, "unbounded": []}
    if value >= high * (1.0 - 1e-9):
        return {"value": None, "unbounded": ["high"]}
    below = limits is not None and (value < limits.least or value <= limits.low * (1.0 + 1e-9))
    return {"value": None, "unbounded": ["low"]} if below or value < least else {"value": value, "unbounded": []}


def answer_words(decision: Decision, digits: int = 4) -> str:
    """The value for people; words where it is withheld or out of range."""
    if decision.blocked:
        return "blocked"
    return amount(decision.value, decision.limits, digits)


def ends_words(decision: Decision, ends: Interval | None) -> str:
    """One of the answer's intervals for people."""
    return amount_span(ends, decision.limits)
