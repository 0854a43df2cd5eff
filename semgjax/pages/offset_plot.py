"""The figure of a student's offsets: by how many frames its symbols lie after its teacher's."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from semgjax.losses.student_summary import StudentSummary
from semgjax.pages.style import BLUE, GREY, SINGLE, Picture, name_axes, new_figure


def offsets_figure(found: StudentSummary, width: float = SINGLE, colour: str = BLUE) -> Picture:
    """A bar for each offset in frames, as a share of the teacher's symbols, and one for symbols without a match.

    Args:
        found: from `semgjax.losses.student_summary.summary_of` of the run's lines of metrics.jsonl.
        width: of the figure in print, mm.
    """
    reach = len(found.offsets) // 2
    total = max(found.symbols, 1)
    places, none = np.arange(-reach, reach + 1), reach + 2.5
    figure, (axes,) = new_figure(width, 62.0)
    axes.bar(places, 100.0 * np.array(found.offsets) / total, width=0.8, color=colour)
    axes.bar([none], [100.0 * found.unmatched / total], width=0.8, color="white", edgecolor=GREY, hatch="////")
    axes.axvline(0.0, color="0.4", lw=0.8, ls=(0, (2, 2)), zorder=0)
    step = 4 if width < 1.5 * SINGLE else 2
    ticks = [place for place in range(-reach, reach + 1) if place % step == 0]
    axes.set_xticks([*map(float, ticks), none], [*(f"{place:+d}" if place else "0" for place in ticks), "none"])
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(visible=False, axis="x")
    name_axes(axes, "Student after the teacher (frames)", "Share of the teacher's symbols (%)")
    figure.caption = (
        f"{found.symbols:,} symbols that the teacher reads in training windows of steps {found.steps[0]:,} to "
        f"{found.steps[1]:,}, by the frames to the student's nearest symbol of the same class; negative: the student "
        f"is earlier. None: no such symbol within {reach} frames."
    )
    return figure
