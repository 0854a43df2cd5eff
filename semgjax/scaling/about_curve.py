"""Findings on whether the law holds along the sweep: a bend, the largest runs, how the runs were trained."""

import numpy as np

from semgjax.scaling.covariates import dependences, shorter_training
from semgjax.scaling.drift import drift_of
from semgjax.scaling.ends import number, place_text, span
from semgjax.scaling.finding import Diagnostic, Severity
from semgjax.scaling.fit import Fit
from semgjax.scaling.largest import Largest, largest_level
from semgjax.scaling.solver import SMALL

# p below which a departure is named, and below which it withholds the number: of a true law 2.5 and 1 % each.
NAMED, WITHHELD = 0.025, 0.01
ABOVE = 0.05  # one-sided p of the largest runs above the others' curve, where they were trained for less


def about_curve(fit: Fit) -> list[Diagnostic]:
    """Findings on the law along the sweep."""
    if not fit.converged:
        return []
    largest = largest_level(fit)
    return _about_bend(fit) + _about_largest(fit, largest) + _about_training(fit, largest)


def _about_bend(fit: Fit) -> list[Diagnostic]:
    drift = drift_of(fit)
    p = None if drift is None else drift.p
    if p is None or p >= NAMED:
        return []
    text = (
        f"the points bend away from {fit.law.name} along the sweep (p = {p:.2g}): its slope changes where the law "
        "has none; compare other laws, or leave out the sizes on the other side of the change"
    )
    return [Diagnostic("slope-change", _severity(fit, p), text)]


def _severity(fit: Fit, p: float) -> Severity:
    """In a large table the tests see departures too small to matter; the interval to quote allows for them."""
    return "error" if p < WITHHELD and len(fit.table.y) <= SMALL else "warning"


def _about_largest(fit: Fit, largest: Largest | None) -> list[Diagnostic]:
    if largest is None or largest.p >= NAMED:
        return []
    causes = (
        "under-trained, a learning rate not tuned for that size, or the end of the law"
        if largest.log_error > 0
        else "a lucky run, smaller runs under-trained, or the end of the law"
    )
    unit = f" {fit.table.unit}" if fit.table.unit else ""
    text = (
        f"the largest {_runs(fit, largest)} at {_place(fit, largest)}: {number(largest.measured)}{unit} where the "
        f"others predict {number(largest.predicted)} {span((largest.low, largest.high))} (p = {largest.p:.2g}): "
        f"{causes}"
    )
    return [Diagnostic("largest-run-off", _severity(fit, largest.p), text)]


def _about_training(fit: Fit, largest: Largest | None) -> list[Diagnostic]:
    found = []
    for one in dependences(fit):
        if one.p < NAMED:
            text = (
                f"the residuals move with column {one.column} (exponent {one.exponent:.2g}, p = {one.p:.2g}): the runs "
                f"differ in more than the law's inputs; fit a law with {one.column}, or runs with the same {one.column}"
            )
            found.append(Diagnostic("residual-trend", "warning", text))
    shorter = shorter_training(fit)
    if shorter and largest is not None and largest.log_error > 0 and largest.p < 2.0 * ABOVE:
        text = (
            f"the largest {_runs(fit, largest)} had {shorter[0].ratio:.2g} times the {shorter[0].column} of the "
            f"others and {_lies(largest)} {100 * np.expm1(largest.log_error):.2g} % above their curve; train "
            "longer, or leave out"
        )
        found.append(Diagnostic("undertrained", "error" if largest.p < NAMED else "warning", text))
    return found


def _runs(fit: Fit, largest: Largest) -> str:
    name = f" {fit.table.runs[largest.rows[0]]}" if fit.table.runs and len(largest.rows) == 1 else ""
    return f"run{name}" if len(largest.rows) == 1 else f"{len(largest.rows)} runs"


def _lies(largest: Largest) -> str:
    return "lies" if len(largest.rows) == 1 else "lie"


def _place(fit: Fit, largest: Largest) -> str:
    return place_text(fit.table.column, {n: v[largest.rows[0]] for n, v in fit.table.x.items()})
