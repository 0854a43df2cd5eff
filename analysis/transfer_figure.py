"""Figure of the study of transfer: loss over the learning rate at each width, without and with completep."""

from collections.abc import Sequence

import numpy as np

from analysis.pieces import Row
from analysis.transfer_plan import Design
from analysis.transfer_verdicts import tried_of
from semgjax.pages.style import CYCLE, DASHES, DOUBLE, MARKS, Picture, legend_below, name_axes, new_figure, title_above


def rates_figure(rows: Sequence[Row], design: Design) -> Picture:
    """A panel for each parametrization: means over seeds, bars from the smallest to the largest seed."""
    figure, panels = new_figure(DOUBLE, 74.0, 1, len(design.parametrizations), sharey=True)
    for axes, one in zip(panels, design.parametrizations, strict=True):
        for place, width in enumerate(design.widths):
            if not (tried := tried_of(rows, design, one, width)):
                continue
            rates = list(tried[0])
            losses = np.array([list(seed.values()) for seed in tried])
            mean = losses.mean(axis=0)
            bars = np.array([mean - losses.min(axis=0), losses.max(axis=0) - mean])
            axes.errorbar(
                rates, mean, bars, color=CYCLE[place], marker=MARKS[place], ls=DASHES[place], ms=5, lw=1.3,
                capsize=2, label=f"width {width}",
            )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        title_above(axes, one)
        name_axes(axes, "Learning rate, of the base's", "Training loss of the last fifth")
    legend_below(figure)
    figure.caption = f"Simulated people who differ, {design.steps} steps; bars: smallest to largest of the seeds."
    return figure
