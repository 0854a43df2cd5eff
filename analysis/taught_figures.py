"""Figures of the study of distillation: error against labelled people, losses beside the default, sizes of students."""

from collections.abc import Sequence

import numpy as np

from analysis.taught_plan import LOSSES, Design
from analysis.taught_verdicts import Errors, Row, difference, errors_of, mean_of, taught_of
from semgjax.pages.style import (
    BLUE,
    CYCLE,
    DASHES,
    DOUBLE,
    GREY,
    MARKS,
    ORANGE,
    Picture,
    legend_below,
    name_axes,
    new_figure,
)

_ERROR = "Character error rate, unseen people (%)"


def labels_figure(rows: Sequence[Row], design: Design) -> Picture:
    """Error against labelled people: alone, alone with a student's operations, students, and their teacher."""
    counts = (*sorted(design.labelled), design.crowd)
    size = {"role": "alone", "width": design.student}
    lines = {
        "alone, equal steps": [errors_of(rows, labelled=count, **size) for count in counts],
        "alone, equal operations": [errors_of(rows, labelled=count, compute=1, **size) for count in counts],
        f"student, the rest of {design.crowd} people without labels": [
            taught_of(rows, design, count) for count in counts
        ],
        "student whose teacher had the same few labels": [
            {} if count == design.crowd else taught_of(rows, design, count, known=count) for count in counts
        ],
    }
    figure, (axes,) = new_figure(DOUBLE, 82.0)
    for place, (name, groups) in enumerate(lines.items()):
        points = [(count, *mean_of(group)) for count, group in zip(counts, groups, strict=True) if group]
        if points:
            at, mean, low, high = np.array(points).T
            axes.errorbar(
                at, mean, np.maximum([mean - low, high - mean], 0.0), color=CYCLE[place], marker=MARKS[place],
                ls=DASHES[place], ms=5, lw=1.3, capsize=2, label=name,
            )  # fmt: skip
    if teacher := errors_of(rows, role="teacher", labelled=design.crowd, width=design.teacher):
        mean, _, _ = mean_of(teacher)
        axes.axhline(mean, color=GREY, ls=DASHES[1], lw=1.3, label=f"teacher, {design.crowd} labelled people")
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_ylim(0.0, None)
    name_axes(axes, "Training people with labels (count)", _ERROR)
    legend_below(figure)
    figure.caption = "Simulated people who differ. Means over seeds and eight test people; bars: 95 % over both."
    return figure


def losses_figure(rows: Sequence[Row], design: Design) -> Picture:
    """Difference of each loss from the default one, with its interval."""
    plain = taught_of(rows, design, design.few)
    others = {loss: taught_of(rows, design, design.few, loss=loss) for loss in LOSSES if loss != "default"}
    made = {loss: difference(other, plain) for loss, other in others.items() if set(other) & set(plain)}
    ordered = sorted(made, key=lambda loss: -made[loss][0])
    figure, (axes,) = new_figure(DOUBLE, 20.0 + 6.0 * len(ordered))
    for place, loss in enumerate(ordered):
        value, (low, high) = made[loss]
        axes.plot([low, high], [place, place], color=BLUE, lw=1.3)
        axes.plot([value], [place], color=BLUE, marker="o", ms=5)
    axes.axvline(0.0, color=GREY, lw=1.0)
    axes.set_yticks(range(len(ordered)), ordered)
    name_axes(axes, "Difference from the default loss (points)")
    figure.caption = f"Error minus that of the default loss; {_seeds(plain)}; bars: 95 % over seeds and test people."
    return figure


def sizes_figure(rows: Sequence[Row], design: Design) -> Picture:
    """Error against the student's parameters, a line for each teacher; the first panel with few labels."""
    budgets = sorted({int(row["labelled"]) for row in rows if row["role"] == "student" and _is_of_law(row, design)})
    figure, panels = new_figure(DOUBLE, 76.0, 1, max(len(budgets), 1), sharey=True)
    params = {int(row["width"]): int(row["params"]) for row in rows}
    for axes, labelled in zip(panels, budgets, strict=False):
        for place, teacher in enumerate(design.law_teachers):
            groups = {w: taught_of(rows, design, labelled, width=w, teacher=teacher) for w in design.law_students}
            points = [(params[width], mean_of(group)[0]) for width, group in groups.items() if group]
            if points:
                style = {"color": CYCLE[place], "marker": MARKS[place], "ls": DASHES[place], "ms": 5, "lw": 1.3}
                axes.plot(*zip(*points, strict=True), label=f"teacher of {params[teacher]:,} parameters", **style)
        alone = {w: errors_of(rows, role="alone", labelled=labelled, width=w) for w in design.law_students}
        points = [(params[width], mean_of(group)[0]) for width, group in alone.items() if group]
        if points:
            axes.plot(*zip(*points, strict=True), color=ORANGE, marker="x", ls="none", ms=6, label="alone")
        axes.set_xscale("log")
        name_axes(axes, f"Student's parameters, {labelled} labelled people", "Error, unseen people (%)")
    legend_below(figure)
    figure.caption = "Students of several sizes and teachers. Teachers had the labels of every training person."
    return figure


def _is_of_law(row: Row, design: Design) -> bool:
    return int(row["width"]) in design.law_students and int(row["teacher"]) in design.law_teachers


def _seeds(errors: Errors) -> str:
    return f"{len(errors)} seed" + ("s" if len(errors) != 1 else "")
