"""What a printed figure is checked for: type size, texts that cover each other or leave the page, units, ticks."""

import re
from collections.abc import Iterator
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from semgjax.pages.figure_bytes import svg_bytes

_TOUCH = 1.0  # pixels by which two boxes may meet: a box is a little larger than its letters


def shown_texts(figure: Figure) -> list[tuple[str, Text, Bbox]]:
    """(text, artist, box in pixels) of everything that a drawn figure says."""
    svg_bytes(figure)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    drawn = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and _is_drawn(figure, text):
            drawn.append((text.get_text(), text, text.get_window_extent(renderer)))
    return drawn


def _is_drawn(figure: Figure, text: Text) -> bool:
    """Not the label of a tick outside of the limits, which is never drawn."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            for tick in ticks:
                if text in (tick.label1, tick.label2):
                    low, high = sorted(axis.get_view_interval())
                    return axes.get_visible() and low - 1e-9 <= tick.get_loc() <= high * (1 + 1e-9) + 1e-9
    return True


Shown = list[tuple[str, Text, Bbox]]


def overlapping(shown: Shown) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes cover each other."""
    return [(a[0], b[0]) for a, b in combinations(shown, 2) if _covers(a[2], b[2])]


def _covers(a: Bbox, b: Bbox) -> bool:
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    high = min(a.y1, b.y1) - max(a.y0, b.y0)
    return wide > _TOUCH and high > _TOUCH


def cut_off(figure: Figure, shown: Shown) -> list[str]:
    """Texts that leave the page."""
    page = figure.bbox
    found = []
    for words, _, box in shown:
        if box.x0 < page.x0 - 1 or box.y0 < page.y0 - 1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1:
            found.append(words)
    return found


def covered_axes(figure: Figure) -> list[str]:
    """Legends of the figure that lie on an axes."""
    renderer = figure.canvas.get_renderer()
    boxes = [axes.get_window_extent(renderer) for axes in figure.axes]
    return [
        legend.get_texts()[0].get_text()
        for legend in figure.legends
        if any(_covers(legend.get_window_extent(renderer), box) for box in boxes)
    ]


def without_unit(figure: Figure) -> list[str]:
    """Labels of axes that state no unit in brackets."""
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
    return [label for label in labels if not re.search(r"\([^()]*\w[^()]*\)|\(%", " ".join(label.split()))]


def unnamed_axes(figure: Figure) -> int:
    """Axes with tick labels along an axis that has no name."""
    count = 0
    for axes in figure.axes:
        if axes.name == "polar":
            continue
        for axis in (axes.xaxis, axes.yaxis):
            has_numbers = any(t.get_visible() and t.get_text().strip() for t in axis.get_majorticklabels())
            count += has_numbers and not axis.get_label_text()
    return count


def tick_texts(axes: Axes, which: str) -> Iterator[str]:
    """The labels of the major ticks within the limits."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    for tick in axis.get_major_ticks():
        if low * (1 - 1e-9) <= tick.get_loc() <= high * (1 + 1e-9):
            yield tick.label1.get_text()
