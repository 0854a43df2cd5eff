"""The tables of a report on a law, as rows of text: answers, laws, parameters, runs and findings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.pages.axis_names import column_title, law_title, y_title
from semgjax.pages.style import percent
from semgjax.scaling.compare import Comparison
from semgjax.scaling.decide.decision import Decision, answer_words, ends_words
from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.ends import number, place_text, span
from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.profile import parameter_intervals

MOST_RUNS = 60
_SEVERITY = {"error": 0, "warning": 1, "info": 2}
_STATES = {"bracketed": "bracketed", "edge": "at the edge", "one-rate": "one rate only"}
_WORDS = {"at-bound": "converged, a parameter at its limit", "not-converged": "not converged"}


@dataclass(frozen=True)
class RunTable:
    """caption, head and rows of the runs that a report lists."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    texts: int


def reached_rows(reached: Sequence[Decision]) -> list[tuple[str, ...]]:
    """(question, answer, sampling, choice, extrapolation, share without answer) of what reaches a target."""
    return [
        (
            d.question,
            answer_words(d),
            ends_words(d, d.interval),
            ends_words(d, d.choice),
            ends_words(d, d.extrapolation),
            "-" if d.out_of_reach is None or d.blocked else f"{d.out_of_reach:.0%}",
        )
        for d in reached
    ]


def law_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """(law, its name in commands, weight, error on the next larger, on the largest, AICc, search)."""
    return [
        (
            law_title(s.name),
            s.name,
            f"{s.weight:.2f}",
            "-" if s.rolling_error is None else f"{100 * s.rolling_error:.2g} %",
            "-" if s.largest_error is None else f"{100 * s.largest_error:.2g} %",
            number(s.aicc),
            _WORDS.get(s.fit.status, s.fit.status),
        )
        for s in comparison.scores
    ]


def in_full(verdict: str, comparison: Comparison) -> str:
    """The verdict with laws in words in place of their names; longer names first, as one may hold another."""
    names = [s.name for s in comparison.scores] + [name for name, _ in comparison.refused]
    words = verdict
    for place, name in enumerate(sorted(names, key=len, reverse=True)):
        words = _replaced(words, name, f"\x00{place}\x00")
    for place, name in enumerate(sorted(names, key=len, reverse=True)):
        words = words.replace(f"\x00{place}\x00", f"\u201c{law_title(name)}\u201d")
    return words


def _replaced(text: str, name: str, mark: str) -> str:
    """`name` as a word of its own replaced."""
    parts = text.split(name)
    found = parts[0]
    for part in parts[1:]:
        alone = (not found or not (found[-1].isalnum() or found[-1] == "_")) and not (
            part[:1].isalnum() or part[:1] == "_"
        )
        found += (mark if alone else name) + part
    return found


def parameter_rows(fit: Fit, level: float) -> list[tuple[str, ...]]:
    """(name, meaning, value, interval, unit) of the law's parameters."""
    intervals = parameter_intervals(fit, level) or {}
    unit_y = fit.table.unit or "unit of the table"
    return [
        (p.name, p.meaning, number(fit.parameters[p.name], 5), span(intervals.get(p.name)), _unit(p.unit, unit_y))
        for p in fit.law.parameters
    ]


def _unit(unit: str, of_y: str) -> str:
    return {"y": of_y, "1": "none"}.get(unit, unit)


def rung_rows(fit: Fit) -> list[tuple[str, ...]]:
    """(place, rates tried, their errors, the best rate, verdict) of each rung where rates are known."""
    return [
        (
            place_text(fit.table.column, rung.at),
            ", ".join(number(rate) for rate in rung.rates),
            ", ".join("diverged" if error is None else number(error) for error in rung.errors),
            number(rung.rates[rung.chosen]),
            _STATES[rung.state],
        )
        for rung in fit.table.rungs or ()
    ]


def run_table(fit: Fit, blocked: bool, weights: np.ndarray | None = None) -> RunTable:
    """The runs; the most deviating ones where there are many. weights [n]: of each in the fit, 1 for a regular one."""
    table, n = fit.table, len(fit.table.y)
    unit = f" ({table.unit})" if table.unit else ""
    names = list(fit.law.input_names)
    head = [*(column_title(fit, name) for name in names), f"{y_title(fit)}{unit}"]
    rows = [[*(number(float(table.x[name][i])) for name in names), number(float(table.y[i]))] for i in range(n)]
    order = np.arange(n)
    caption = f"All {n} runs"
    if not blocked:
        fitted, off = predict(fit, table.x), percent(fit.residuals)
        head += ["fitted curve", "deviation"]
        order = np.argsort(-np.abs(off), kind="stable")
        caption += ", those farthest from the curve first"
        for i, row in enumerate(rows):
            row += [number(float(fitted[i])), f"{off[i]:+.2g} %"]
        if weights is not None:
            head.append("weight in the fit")
            for i, row in enumerate(rows):
                row.append(f"{weights[i]:.2f}")
    if n > MOST_RUNS:
        where = "the first" if blocked else "those farthest from the curve"
        caption = f"{MOST_RUNS} of the {n} runs: {where}"
    if table.runs:
        head = ["run", *head]
        rows = [[table.runs[i], *row] for i, row in enumerate(rows)]
    return RunTable(caption, tuple(head), [tuple(rows[i]) for i in order[:MOST_RUNS]], 1 if table.runs else 0)


def finding_rows(findings: Sequence[Diagnostic]) -> list[tuple[str, str, str]]:
    """(code, severity, text), errors first."""
    unique = dict.fromkeys(findings)
    return [(d.code, d.severity, d.message) for d in sorted(unique, key=lambda d: _SEVERITY[d.severity])]
