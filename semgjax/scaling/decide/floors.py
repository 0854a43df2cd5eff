"""How an answer moves with a floor that is fixed from outside, as where many models share one irreducible loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.inverse import check_input, reach, search_range
from semgjax.scaling.diagnose import Diagnostic, blocks, diagnose
from semgjax.scaling.ends import listed, number, place_text, span
from semgjax.scaling.fit import Fit, fit_law, predict
from semgjax.scaling.kappa import kappa
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import LEVEL, check_level, no_interval_reason, parameter_intervals
from semgjax.scaling.quantiles import f_tail

Array = np.ndarray
Interval = tuple[float, float]

STARTS = 16
PLACES = 9
_STEP = 0.02  # relative, of the floor, for the slope


@dataclass(frozen=True)
class FixedFloor:
    """One floor: the answer with it (inf: out of reach), and p of the floor against the best one (None: unknown)."""

    floor: float
    answer: float
    p: float | None


@dataclass(frozen=True)
class FloorSensitivity:
    """How an answer moves with the floor.

    floor: the fixed one, else the fitted one; answer: with it. slope: d log answer / d log floor there, so per cent of
    the answer for one per cent of the floor; None at a floor of 0 or without an answer. rows: in rising order of
    the floor. allowed: range of the answers over the rows that the points do not reject at `level`; None where they
    cannot say.
    """

    question: str
    unit: str
    name: str
    floor: float
    fixed: bool
    answer: float | None
    slope: float | None
    rows: tuple[FixedFloor, ...]
    allowed: Interval | None
    level: float
    diagnostics: tuple[Diagnostic, ...]
    blocked: bool


def floor_sensitivity(
    fit: Fit,
    at: Mapping[str, float],
    target: float | None = None,
    of: str | None = None,
    floors: Sequence[float] = (),
    level: float = LEVEL,
    force: bool = False,
) -> FloorSensitivity:
    """The error at a point (or, with `target`, the value of the input `of` that reaches it) for several fixed floors.

    floors: in the unit of y (default: from 0 to just below the smallest y, and that of the fit). The points reject a
    floor where 2 (S(floor) - S(best)) / kappa exceeds F(1, n - p), as in the profile of the floor.

    Raises:
        InputError: a law without a floor, a floor out of range, or an input without a value.
    """
    check_level(level)
    names = [p.name for p in fit.law.parameters if p.kind == "floor"]
    if not names:
        raise InputError(f"law {fit.law.name} ({fit.law.formula}) has no floor; choose one that has", "wrong-law")
    name, smallest = names[0], float(fit.table.y.min())
    for value in floors:
        if not (np.isfinite(value) and 0.0 <= value < smallest):
            raise InputError(
                f"floor {value:g}: must lie from 0 to below the smallest {fit.table.y_name}, {smallest:g}", "bad-value"
            )
    ask, question, unit = _question(fit, at, target, of)
    found = diagnose(fit, None if no_interval_reason(fit) else parameter_intervals(fit, level), level)
    blocked = blocks(found) and not force
    own = fit.parameters[name]
    if blocked:
        return FloorSensitivity(
            question, unit, name, own, name in fit.fixed, None, None, (), None, level, found, blocked
        )
    default = np.linspace(0.0, 0.98 * smallest, PLACES).tolist()
    weighed = _with_fixed_weights(fit)
    free = _free(weighed, name)
    tried = [(value, _with_floor(weighed, name, value)) for value in sorted({*(floors or default), own})]
    rows = tuple(FixedFloor(value, ask(other), _p(free, other)) for value, other in tried)
    answer = ask(fit)
    slope = None
    if own > 0.0 and isfinite(answer):
        steps = (-_STEP, min(_STEP, smallest / own - 1.0))
        low, high = (ask(_with_floor(weighed, name, own * (1.0 + step))) for step in steps)
        width = np.log1p(steps[1]) - np.log1p(steps[0])
        slope = float(np.log(high / low) / width) if isfinite(low) and isfinite(high) and low > 0 else None
    kept = [row.answer for row in rows if row.p is not None and row.p >= 1.0 - level]
    allowed = (min(kept), max(kept)) if kept else None
    return FloorSensitivity(
        question, unit, name, own, name in fit.fixed, answer, slope, rows, allowed, level, found, blocked
    )


def _question(
    fit: Fit, at: Mapping[str, float], target: float | None, of: str | None
) -> tuple[Callable[[Fit], float], str, str]:
    """(the answer of a fit, the question in words, its unit)."""
    if target is None:
        place = place_text(fit.table.column, at)
        predict(fit, at)
        return lambda f: float(predict(f, at).reshape(-1)[0]), f"{fit.table.y_name} at {place}", fit.table.unit
    name = of or fit.law.input_names[0]
    check_input(fit, name, at)
    ends = search_range(fit, name)
    text = f"{fit.table.column(name)} for {fit.table.y_name} {target:g}"
    return lambda f: float(reach(f, f.theta[None], name, target, at, ends)[0]), text, ""


def _with_fixed_weights(fit: Fit) -> Fit:
    """The fit by least squares with the weights that its runs ended with: of another floor, others might be off."""
    if fit.objective.kind != "mm_log":
        return fit
    counted = fit.run_weights > 0
    table = fit.table.rows(np.flatnonzero(counted))
    sd = np.ones(len(table.y)) if table.sd is None else table.sd
    table = replace(table, sd=sd / np.sqrt(fit.run_weights[counted]))
    return fit_law(table, fit.law, Objective("log_ls", reduction=fit.objective.reduction), fit.fixed, STARTS)


def _with_floor(fit: Fit, name: str, value: float) -> Fit:
    """The fit with this floor, and the loss that the fit itself ended with."""
    objective = fit.objective
    if objective.kind in ("huber_log", "huber_linear", "student_t"):
        objective = replace(objective, delta=fit.delta)
    return fit_law(fit.table, fit.law, objective, {**fit.fixed, name: value}, STARTS)


def _free(fit: Fit, name: str) -> Fit | None:
    """The fit with a floor of its own; None where the points cannot judge one."""
    if name not in fit.fixed:
        return fit if fit.degrees_of_freedom > 0 else None
    objective = fit.objective
    if objective.kind in ("huber_log", "huber_linear", "student_t"):
        objective = replace(objective, delta=fit.delta)
    try:
        found = fit_law(fit.table, fit.law, objective, {k: v for k, v in fit.fixed.items() if k != name}, STARTS)
    except InputError:  # too few levels for one more parameter
        return None
    return found if found.degrees_of_freedom > 0 else None


def _p(free: Fit | None, other: Fit) -> float | None:
    """p of a fixed floor against the best one."""
    if free is None:
        return None
    unit = free.unit_y**2 if free.objective.scale == "linear" else 1.0
    count = len(free.table.y) if free.objective.reduction == "mean" else 1
    excess = max(other.objective_value - free.objective_value, 0.0) * count / unit
    return float(f_tail(2.0 * excess / kappa(free), 1, free.degrees_of_freedom))


def lines(found: FloorSensitivity) -> list[str]:
    """The answers as lines of text."""
    unit = f" {found.unit}" if found.unit else ""
    how = "fixed" if found.fixed else "fitted"
    if found.blocked:
        shown = [f"{found.question}: no answer; an error below blocks it (force shows the number)"]
    else:
        answer = "out of reach" if not isfinite(found.answer or 0.0) else f"{number(found.answer)}{unit}"
        shown = [f"{found.question}: {answer} with the {how} floor {found.name} = {number(found.floor)}"]
        if found.slope is not None:
            shown.append(f"  one per cent more floor moves it by {found.slope:+.2g} %")
    for row in found.rows:
        p = "-" if row.p is None else f"{row.p:.2g}"
        rejected = "  rejected by the points" if row.p is not None and row.p < 1.0 - found.level else ""
        answer = "out of reach" if not isfinite(row.answer) else f"{number(row.answer)}{unit}"
        shown.append(f"  {found.name} = {number(row.floor):<10}{answer:<16}p = {p}{rejected}")
    if not found.blocked:
        text = span(found.allowed) if found.allowed else "not known: no degree of freedom to judge a floor by"
        shown.append(f"  over the floors that the points do not reject: {text}")
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in found.diagnostics]


def as_json(found: FloorSensitivity) -> dict[str, Any]:
    """The answers as a JSON object; an answer out of reach, or an end that does not exist, is null."""
    return {
        "question": found.question,
        "unit": found.unit,
        "parameter": found.name,
        "floor": found.floor,
        "fixed": found.fixed,
        "answer": _finite(found.answer),
        "slope": found.slope,
        "rows": [{"floor": r.floor, "answer": _finite(r.answer), "p": r.p} for r in found.rows],
        "allowed": listed(found.allowed),
        "level": found.level,
        "blocked": found.blocked,
        "diagnostics": [{"code": d.code, "severity": d.severity, "message": d.message} for d in found.diagnostics],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
