"""Figure of a transfer check: sizes of activations over widths and depths, and the loss over rates at each width."""

from collections.abc import Mapping, Sequence

import numpy as np

from semgjax.pages.style import CYCLE, DASHES, DOUBLE, MARKS, Picture, legend_below, name_axes, new_figure
from semgjax.transfer.optimum import Optimum
from semgjax.transfer.sizes import ROWS, Sizes


def transfer_figure(
    widths: Sequence[Sizes],
    depths: Sequence[Sizes],
    optima: Mapping[int, Optimum],
    tried: Mapping[int, Sequence[Mapping[float, float]]],
) -> Picture:
    """Panels: rows after the last step over width and over depth and, where rates were tried, losses over rates."""
    figure, panels = new_figure(DOUBLE, 70.0, 1, 3 if tried else 2)
    for axes, members, name in zip(panels, (widths, depths), ("Width", "Layers"), strict=False):
        at = [one.width if name == "Width" else one.depth for one in members]
        for place, row in enumerate(ROWS):
            sizes = [one.size[place, -1] for one in members]
            axes.plot(at, sizes, color=CYCLE[place], marker=MARKS[place], ls=DASHES[place], ms=5, lw=1.3, label=row)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(at, [str(one) for one in at])
        name_axes(axes, name, "Root mean square of activations")
    legend_below(figure, panels[:2])
    steps = widths[0].size.shape[1] - 1
    figure.caption = (
        f"After {steps} steps at one learning rate; means over seeds. Level lines: activations keep their size."
    )
    if tried:
        for place, (width, seeds) in enumerate(tried.items()):
            rates = sorted(seeds[0])
            mean = np.array([[one[rate] for rate in rates] for one in seeds]).mean(axis=0)
            color = CYCLE[place % len(CYCLE)]
            panels[2].plot(rates, mean, color=color, marker=MARKS[place % len(MARKS)], ms=4, lw=1.3)
            panels[2].axvline(optima[width].rate, color=color, lw=0.8, ls=":")
            panels[2].annotate(str(width), (rates[-1], mean[-1]), fontsize=7, color=color)
        panels[2].set_xscale("log")
        name_axes(panels[2], "Learning rate", "Training loss")
        figure.caption += " Right: the loss at each width (numbers); dotted: its best rate."
    return figure
