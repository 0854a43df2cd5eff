"""Figures of an evaluation: errors on the keyboard, confused rows, latency, calibration, and length of the stretch."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.patches import Rectangle

from semgjax.evaluate.breakdown import BINS, Calibration, Latency, Share
from semgjax.evaluate.keyboard import PLACES, ROWS
from semgjax.evaluate.lengths import LengthPoint
from semgjax.evaluate.spread import LEVEL
from semgjax.measures import CER, Measure
from semgjax.pages.style import BLUE, DOUBLE, GREY, NUMBERS, ORANGE, Picture, name_axes, new_figure

_INDENT = {"numbers": 0.0, "top": 1.5, "home": 1.75, "bottom": 2.25}
"""of the first key of a row, in widths of a key"""
LEAST = 10
"""keys of a kind without which its colour would be chance"""


def keyboard_figure(keys: Sequence[Share], width: float = DOUBLE) -> Picture:
    """The keyboard, each key in the colour of its error rate; keys typed less than LEAST times are grey.

    A key stands for its plain and its shifted character together.
    """
    rates = _by_place(keys)
    top = max([5.0, *(rate for rate in rates.values() if rate is not None)])
    figure, (axes,) = new_figure(width, 0.36 * width, 1, 1)
    colours = matplotlib.colormaps[NUMBERS]
    for line, row in enumerate(("numbers", "top", "home", "bottom")):
        pairs = [pair for pair in " ".join(PLACES[row]).split() if pair]
        for at, pair in enumerate(pairs):
            rate = rates.get(pair)
            share = None if rate is None else rate / top
            face = "#e4e4e4" if share is None else colours(share)
            left = _INDENT[row] + at
            axes.add_patch(Rectangle((left, 3 - line), 0.94, 0.92, facecolor=face, edgecolor="none"))
            ink = "#111111" if share is None or share > 0.55 else "#ffffff"
            below = "" if rate is None or width < DOUBLE else f"\n{rate:.0f}"
            axes.text(left + 0.47, 3.46 - line, pair[0] + below, ha="center", va="center", color=ink, linespacing=0.95)
    axes.set(xlim=(-0.1, 15.1), ylim=(-0.1, 4.1), aspect="equal")
    axes.set_axis_off()
    figure.caption = (
        f"Substitutions and deletions of each key in percent of its presses, from 0 to {top:.0f}; grey: fewer than "
        f"{LEAST} presses."
    )
    return figure


def _by_place(keys: Sequence[Share]) -> dict[str, float | None]:
    of = {key.name: key for key in keys}
    found: dict[str, float | None] = {}
    for row in PLACES.values():
        for pair in " ".join(row).split():
            both = [of[glyph] for glyph in pair if glyph in of]
            typed = sum(key.reference for key in both)
            wrong = sum(key.substitutions + key.deletions for key in both)
            found[pair] = 100.0 * wrong / typed if typed >= LEAST else None
    return found


def rows_figure(confusion: Mapping[str, Mapping[str, int]], width: float = DOUBLE) -> Picture:
    """Typed rows against read rows, in percent of the typed row's keys that were read."""
    table = np.array([[confusion[typed][read] for read in ROWS] for typed in ROWS], float)
    share = 100.0 * table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    figure, (axes,) = new_figure(width, 60.0, 1, 1)
    axes.imshow(share, cmap=NUMBERS, vmin=0.0, vmax=100.0, aspect="auto")
    for (y, x), value in np.ndenumerate(share):
        if table[y].any():
            axes.text(x, y, f"{value:.0f}", ha="center", va="center", color="#111111" if value > 55 else "#ffffff")
    axes.set_xticks(range(len(ROWS)), ROWS)
    axes.set_yticks(range(len(ROWS)), ROWS)
    axes.grid(visible=False)
    name_axes(axes, "row that was read", "row that was typed")
    figure.caption = (
        "Percent of each row's keys that were read as a key of some row, the right one or another; missed keys do not "
        "count."
    )
    return figure


def times_figure(late: Latency, sure: Calibration, measure: Measure, width: float = DOUBLE) -> Picture:
    """Latency of keys (or events) that were read as they were, and calibration of the symbols that were emitted."""
    narrow = width < DOUBLE
    figure, (times, trust) = new_figure(width, 55.0, 2 if narrow else 1, 1 if narrow else 2)
    edges = np.array(late.edges)
    times.bar(edges[:-1], late.counts, np.diff(edges), align="edge", color=BLUE)
    if late.quartiles is not None:
        times.axvline(late.quartiles[1], color=ORANGE, lw=1.5)
    name_axes(times, f"{'press' if measure is CER else 'onset'} to emission (ms)", measure.things)
    middle = (np.arange(BINS) + 0.5) / BINS
    known = [place for place in range(BINS) if sure.symbols[place]]
    trust.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1.0)
    trust.bar(middle[known], [sure.right[place] or 0.0 for place in known], 0.9 / BINS, color=BLUE)
    trust.plot([sure.confidence[place] or 0.0 for place in known], [sure.right[place] or 0.0 for place in known], "o",
               color=ORANGE, ms=3.5)  # fmt: skip
    trust.set(xlim=(0, 1), ylim=(0, 1))
    name_axes(trust, "probability of the symbol", "share that was right")
    figure.caption = (
        "Times beyond an end count in the outer bar. Line: median. Dashed: as often right as the probability. Dots: "
        "mean probability of a bar."
    )
    return figure


def lengths_figure(points: Sequence[LengthPoint], words: str, width: float = DOUBLE) -> Picture:
    """Error against the length of a stretch.

    words: name of the error rate.
    """
    figure, (axes,) = new_figure(width, 50.0, 1, 1)
    some = [point for point in points if point.error is not None]
    axes.plot([point.seconds for point in some], [point.error or 0.0 for point in some], "o-", color=BLUE, ms=3.5)
    for point in some:
        if point.interval is not None:
            axes.plot([point.seconds] * 2, point.interval, color=ORANGE, lw=2.2, alpha=0.6)
    axes.set_xscale("log")
    axes.set_xticks([point.seconds for point in some], [f"{point.seconds:g}" for point in some])
    axes.minorticks_off()
    axes.set_ylim(bottom=0.0)
    name_axes(axes, "length of a stretch (s)", f"{words} (%)")
    figure.caption = f"Mean over users; bars: {LEVEL:.0%} bootstrap intervals over users."
    return figure
