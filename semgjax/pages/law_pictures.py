"""The figures of a report on a law, each at two widths, with captions that say what they rest on."""

from collections.abc import Callable, Mapping

import numpy as np

from semgjax.pages import law_budgets as budgets
from semgjax.pages import law_checks as checks
from semgjax.pages import law_curves as curves
from semgjax.pages.axis_names import column_title
from semgjax.pages.html import Image, both_widths
from semgjax.pages.marks import outlying_weights
from semgjax.pages.style import Picture
from semgjax.scaling.compare import Comparison
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.evidence import Evidence
from semgjax.scaling.decide.frontier import frontier, pair_of
from semgjax.scaling.fit import Fit, floor
from semgjax.scaling.profile import no_interval_reason
from semgjax.scaling.rolling import rolling_origin

Drawn = tuple[Callable[[float], Picture], str]
"""Draws a figure at a width in mm; and what it shows, for readers who do not see it."""


def pictures(
    fit: Fit, evidence: Evidence, at: Mapping[str, float] | None, level: float, cost: Cost | None, blocked: bool,
    force: bool, comparison: Comparison,
) -> list[Image]:  # fmt: skip
    """Every figure that the table allows; the runs alone where the fit is blocked.

    at: the place asked for; None where no number may be shown there.
    """
    varied = [n for n in fit.law.input_names if np.ptp(fit.table.x[n]) > 0]
    made: list[Drawn] = [
        (
            lambda width, name=name: curves.curve_figure(evidence, name, width=width, force=not blocked),  # type: ignore[misc]
            f"curve over {column_title(fit, name)}",
        )
        for name in varied
    ]
    if not blocked:
        made += _of_fit(fit, evidence, at, level, varied, comparison)
        if cost is not None:
            made += _of_budgets(fit, evidence, cost, force)
    return [both_widths(draw, alt) for draw, alt in made]


def _of_fit(
    fit: Fit, evidence: Evidence, at: Mapping[str, float] | None, level: float, varied: list[str],
    comparison: Comparison,
) -> list[Drawn]:  # fmt: skip
    made: list[Drawn] = []
    if len(curves.drawn_laws(comparison)) > 1:
        made.append((lambda width: curves.laws_figure(comparison, varied[0], width), "laws side by side"))
    if len(fit.law.inputs) == 1 and (floor(fit) or 0.0) > 0:
        made.append((lambda width: curves.excess_figure(fit, level, width), "excess over the floor"))
    made.append((lambda width: checks.residual_figure(fit, width, outlying_weights(fit)), "residuals"))
    if no_interval_reason(fit) is None:
        inside = {**curves.middle(fit, varied[0]), varied[0]: float(fit.table.x[varied[0]].max())}
        places: list[Mapping[str, float]] = [inside]
        if at is not None and dict(at) != inside:
            places.append(at)
        made.append((lambda width: checks.profile_figure(fit, places, level, width), "profiles"))
        made.append((lambda width: checks.influence_figure(fit, places[-1], width), "influence of single runs"))
    if rolling_origin(fit).rate is not None:
        made.append((lambda width: checks.rolling_figure(fit, level, width), "rolling origin"))
    if len(varied) > 1:
        pair = (varied[0], varied[1])
        held = {k: v for k, v in curves.middle(fit).items() if k not in pair}
        made.append((lambda width: budgets.contour_figure(fit, pair, held, width=width), "error over two inputs"))
    return made


def _of_budgets(fit: Fit, evidence: Evidence, cost: Cost, force: bool) -> list[Drawn]:
    pair = pair_of(fit)
    held = {k: v for k, v in curves.middle(fit).items() if k not in pair}
    spent = cost.at({**held, **fit.table.x})
    amounts = list(np.geomspace(spent.min(), spent.max() * 10.0, 5))
    rows = frontier(fit, cost, amounts, pair, held, evidence.level, force, evidence)
    return [
        (lambda width: budgets.valley_figure(fit, cost, amounts, pair, held, width), "valleys of equal cost"),
        (lambda width: budgets.frontier_figure(fit, rows, cost, pair, width), "frontier"),
    ]
