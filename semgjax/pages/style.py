"""What all figures share: widths in print, type size, colours, axes and legends, at the size they are printed at."""

import io
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from semgjax.errors import InputError
from semgjax.pages.figure_bytes import drawable, fonts, names_as_text

Array = np.ndarray

SINGLE, DOUBLE = 89.0, 183.0
"""Widths of one and of two columns of a journal, mm. A figure is made at the width at which it is printed."""
POINTS = 8.0
"""Type size, pt: no text of a figure is smaller in print."""
_NARROWEST, _WIDEST = 60.0, 600.0
_MM = 1.0 / 25.4  # inches
_LETTER = 0.58 * POINTS / 72.0 * 25.4  # mm, of a letter on average

# Okabe and Ito's palette: distinct for every kind of colour vision; marks and dashes distinguish them in grey.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#595959"
PURPLE, SKY, YELLOW = "#AA3377", "#56B4E9", "#E69F00"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, "#111111")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)), (0, (9, 2)), (0, (3, 3)))
MARKS = ("o", "s", "D", "^", "v", "P", "X")
NUMBERS = "cividis"  # the colour map of numbers: its lightness rises with the number, for every kind of vision

SETTINGS: dict[Any, Any] = {
    "font.size": POINTS,
    "axes.titlesize": POINTS,
    "axes.labelsize": POINTS,
    "xtick.labelsize": POINTS,
    "ytick.labelsize": POINTS,
    "legend.fontsize": POINTS,
    "figure.titlesize": POINTS + 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "hatch.linewidth": 0.6,
    "legend.handlelength": 2.4,
    "text.usetex": False,
}


class Picture(Figure):
    """A figure that a notebook shows by itself, without pyplot.

    Attributes:
        caption: what a printed figure must say below it: data, numbers of runs, and what its intervals are.
        panel: width and height of one panel with its labels, mm.
    """

    caption: str = ""
    panel: tuple[float, float] = (0.0, 0.0)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        names_as_text(self)
        self.savefig(content, format="png")
        return content.getvalue()


def drawn_at(width: float) -> float:
    """The width of a figure, mm.

    Raises:
        InputError: a width that no page has.
    """
    if not _NARROWEST <= width <= _WIDEST:
        text = f"give {SINGLE:g} for one column, {DOUBLE:g} for two"
        raise InputError(f"width {width:g} mm: must be {_NARROWEST:g} to {_WIDEST:g} mm; {text}", "bad-value")
    return width


def settings() -> Any:
    """The context in which a figure is made: its type size and fonts."""
    return matplotlib.rc_context({**SETTINGS, "font.family": fonts()})


def new_figure(
    width: float = DOUBLE, height: float = 70.0, rows: int = 1, columns: int = 1, grid: bool = True, **shared: Any
) -> tuple[Picture, list[Axes]]:
    """A figure with its axes in reading order. width: of all, mm; height: of one row of axes, mm."""
    with settings():
        figure = Picture(figsize=(drawn_at(width) * _MM, rows * height * _MM), dpi=200, layout="constrained")
        figure.panel = (width / columns, height)
        axes = [one for row in figure.subplots(rows, columns, squeeze=False, **shared) for one in row]
    for one in axes:
        one.grid(grid)
        one.tick_params(labelsize=POINTS)
    return figure, axes


def wrapped(text: str, space: float) -> str:
    """`text` in lines of at most `space` mm, by the width of an average letter."""
    # A column's name has no spaces: it breaks behind its underscores.
    parts = drawable(text).replace("_", "_\x1f ")
    lines = textwrap.wrap(parts, max(int(space / _LETTER), 12))
    return "\n".join(line.replace("_\x1f ", "_").replace("\x1f", "") for line in lines) or text


def unbroken(text: str) -> str:
    """`text` that is not wrapped: an interval stays on one line."""
    return text.replace(" ", "\u00a0")


def name_axes(axes: Axes, x: str = "", y: str = "") -> None:
    """Names of the axes, wrapped to the panel."""
    width, height = _panel(axes)
    if x:
        axes.set_xlabel(wrapped(x, width - 18.0), fontsize=POINTS)
    if y:
        axes.set_ylabel(wrapped(y, height - 16.0), fontsize=POINTS)


def title_above(axes: Axes, text: str) -> None:
    """A title to the left above the axes, wrapped to the panel, clear of the note on what lies beyond the sweep."""
    if text:
        width, _ = _panel(axes)
        noted = any(note.get_gid() == "beyond" for note in axes.texts)
        axes.set_title(wrapped(text, width - 14.0), loc="left", fontsize=POINTS + 1.0, pad=14.0 if noted else 5.0)


def _panel(axes: Axes) -> tuple[float, float]:
    figure = axes.get_figure()
    width, height = figure.get_size_inches() / _MM if figure is not None else (DOUBLE, 70.0)
    return figure.panel if isinstance(figure, Picture) and figure.panel[0] else (float(width), float(height))


def legend_below(figure: Figure, axes: Sequence[Axes] | None = None, extra: Sequence[tuple[Artist, str]] = ()) -> None:
    """One legend of all axes below the figure, which grows by it, so that it covers nothing.

    Entries are wrapped to the figure's width, in as many columns as fit; equal labels are shown once.
    """
    entries: dict[str, Artist] = {}
    for one in axes or figure.axes:
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    entries.update({label: handle for handle, label in extra})
    if not entries:
        return
    width = float(figure.get_size_inches()[0]) / _MM
    em = POINTS / 72.0 / _MM
    around = 3.4 * em  # the handle and the space beside it
    names = [drawable(label) for label in entries]
    columns = next(c for c in (4, 3, 2, 1) if c == 1 or _fits(names, c, width - 3.0, around, 1.6 * em))
    space = (width - 3.0) / columns - around - 1.6 * em
    labels = names if columns > 1 else [wrapped(name, space) for name in names]
    lines = [label.count("\n") + 1 for label in labels]
    rows = -(-len(labels) // columns)
    tallest = max(sum(lines[i : i + rows]) for i in range(0, len(lines), rows))
    with settings():
        figure.legend(
            list(entries.values()), labels, loc="outside lower left", ncols=columns, frameon=False, fontsize=POINTS,
            columnspacing=1.6, handletextpad=0.6, borderpad=0.3, labelspacing=0.35,
        )  # fmt: skip
    figure.set_size_inches(figure.get_size_inches() + np.array([0.0, (tallest * 1.42 + 0.8) * POINTS / 72.0]))


def _fits(names: list[str], columns: int, width: float, around: float, gap: float) -> bool:
    rows = -(-len(names) // columns)
    parts = [names[i : i + rows] for i in range(0, len(names), rows)]
    needed = sum(max(len(name) for name in part) * _LETTER + around for part in parts)
    return len(parts) == columns and needed + gap * (columns - 1) <= width


def shade_beyond(axes: Axes, most: float, end: float) -> None:
    """Grey from the sweep's largest value to the end of the axis."""
    if end <= most * 1.01:
        return
    axes.axvspan(most, end, color="0.93", lw=0, zorder=0)
    axes.annotate(
        "grey: beyond the sweep", (1, 1), (0, 3), xycoords="axes fraction", textcoords="offset points",
        ha="right", color=GREY, fontsize=POINTS, gid="beyond", annotation_clip=False,
    )  # fmt: skip


def percent(values: Array) -> Array:
    """Log ratios in per cent."""
    return 100.0 * np.expm1(values)
