"""Figures of the study of real people: error against training people, against size, and against calibration."""

from collections.abc import Mapping

import numpy as np

from analysis.people_tables import Curve
from analysis.people_words import mean_interval
from semgjax.pages.law_curves import curve_caption, draw_curve
from semgjax.pages.marks import blocking
from semgjax.pages.style import (
    BLUE,
    CYCLE,
    DASHES,
    DOUBLE,
    MARKS,
    Picture,
    legend_below,
    name_axes,
    new_figure,
)
from semgjax.scaling.decide.evidence import Evidence
from semgjax.scaling.fit import Fit, predict

Array = np.ndarray

_ERROR = "Event error rate, unseen people (%)"


def people_figure(evidence: Evidence, curves: Mapping[str, Curve]) -> Picture:
    """Error against training people: the runs and the law of the first curve, and the means of the others."""
    figure, (axes,) = new_figure(DOUBLE, 82.0)
    most = float(evidence.fit.table.x["U"].max())
    extra = draw_curve(axes, evidence, "U", until=2.0 * most)
    highest = axes.get_ylim()[1]
    for place, (name, curve) in enumerate(list(curves.items())[1:], start=1):
        means = curve.errors.mean(axis=(1, 2))
        highest = max(highest, 1.08 * float(means.max()))
        style = {"color": CYCLE[place + 1], "ls": DASHES[place], "marker": MARKS[place], "ms": 4.0, "lw": 1.3}
        axes.plot(curve.values, means, label=f"{name}, mean", zorder=3, **style)
    axes.set_ylim(0.0, highest)
    name_axes(axes, "People trained on (count)", _ERROR)
    legend_below(figure, extra=extra)
    figure.caption = f"{curve_caption(evidence, 'U')} Other lines: means over seeds and test persons."
    return figure


def sizes_figure(evidence: Evidence) -> Picture:
    """Error against model size with the law and its bands."""
    figure, (axes,) = new_figure(DOUBLE, 76.0)
    extra = draw_curve(axes, evidence, "N", until=2.0 * float(evidence.fit.table.x["N"].max()))
    name_axes(axes, y=_ERROR)
    legend_below(figure, extra=extra)
    figure.caption = curve_caption(evidence, "N")
    return figure


def calibration_figure(curves: Mapping[str, tuple[list[float], Array]], fit: Fit, level: float) -> Picture:
    """Error of a person's other session against events of each class, by what the model starts from.

    fit: the law of calibration of the first curve.
    """
    figure, (axes,) = new_figure(DOUBLE, 76.0)
    for place, (start, (counts, errors)) in enumerate(curves.items()):
        means, low, high = np.array([mean_interval(each, level) for each in errors]).T
        axes.errorbar(
            counts, means, np.maximum([means - low, high - means], 0.0), color=CYCLE[place + 1], marker=MARKS[place],
            ls="none" if place == 0 else DASHES[place], ms=5, capsize=2, lw=1.3, zorder=4,
            label=f"start: {start} ({errors.shape[2]} people, {errors.shape[1]} seeds), {level:.0%} over both",
        )  # fmt: skip
    most = max(counts[-1] for counts, _ in curves.values())
    if not blocking(fit, level):
        grid = np.linspace(0.0, most, 61)
        axes.plot(grid, predict(fit, {"M": grid}), color=BLUE, lw=1.5, label="law of calibration", zorder=3)
    axes.set_ylim(0.0, None)
    axes.set_xlim(-0.2, most + 0.2)
    axes.set_xticks(sorted({count for counts, _ in curves.values() for count in counts}))
    name_axes(axes, "Events of each class from one session (count)", "Event error rate, the other session (%)")
    legend_below(figure)
    figure.caption = "Error of test persons' other session against calibration with events of one session."
    return figure
