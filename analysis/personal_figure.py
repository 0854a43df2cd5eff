"""Figure of the study of personalisation: error against a person's minutes, by method and by base."""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.personal_plan import METHODS, Design
from analysis.personal_verdicts import BASES, curve_of
from analysis.taught_verdicts import mean_of
from semgjax.pages.style import CYCLE, DASHES, DOUBLE, MARKS, POINTS, Picture, name_axes, new_figure

_WORDS = {
    "full": "all parameters", "head": "last layer", "norms": "norms and biases", "lora": "LoRA", "front": "front end",
    "student": "student, few labels", "alone": "alone, every label", "few": "alone, few labels", "teacher": "teacher",
}  # fmt: skip


def minutes_figure(rows: Sequence[Mapping[str, str]], design: Design) -> Picture:
    """Methods on the student in the first panel, bases with all parameters trained in the second."""
    figure, panels = new_figure(DOUBLE, 84.0, 1, 2, sharey=True)
    lines = ([("student", method, method) for method in METHODS], [(base, "full", base) for base in BASES])
    for axes, chosen, title in zip(panels, lines, ("Student, by method", "All parameters, by base"), strict=True):
        for place, (base, method, name) in enumerate(chosen):
            points = [(minutes, *mean_of(errors)) for minutes, errors in curve_of(rows, design, base, method).items()]
            if points:
                at, mean, low, high = np.array(points).T
                axes.errorbar(
                    at, mean, np.maximum([mean - low, high - mean], 0.0), color=CYCLE[place], marker=MARKS[place],
                    ls=DASHES[place], ms=4, lw=1.2, capsize=2, label=_WORDS[name],
                )  # fmt: skip
        axes.set_title(title, fontsize=POINTS)
        axes.set_ylim(0.0, None)
        name_axes(axes, "Minutes of the person (0: before)", "Character error rate, unseen people (%)")
        axes.legend(frameon=False, loc="lower left", fontsize=POINTS)
    figure.caption = "Simulated people who differ. Means over seeds and eight test people; bars: 95 % over both."
    return figure
