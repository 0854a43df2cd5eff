"""What all pictures share: size, colours, axes of amounts, the shade beyond the sweep, bytes for a page."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from semgjax.pages.law_plot import BLUE, GREEN, GREY, LABELS, ORANGE, Picture, short_number
from semgjax.scaling.fit import Fit

Array = np.ndarray

PURPLE, SKY, YELLOW = "#AA3377", "#56B4E9", "#E69F00"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, "#111111")
MARKS = ("o", "s", "D", "^", "v", "P", "X")
INPUT_LABELS = {
    "N": "Model parameters",
    "D": "Training data",
    "U": "Training users",
    "H": "Hours per user",
    "T": "Teacher's parameters",
    "M": "Calibration minutes",
}


def new_figure(width: float = 7.2, height: float = 4.5, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with its axes in reading order."""
    figure = Picture(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = [one for row in figure.subplots(rows, columns, squeeze=False) for one in row]
    for one in axes:
        one.grid(color="0.9", lw=0.7)
        one.set_axisbelow(True)
        for side in ("top", "right"):
            one.spines[side].set_visible(False)
    return figure, axes


def input_label(fit: Fit, name: str) -> str:
    """Name of an input's axis."""
    column = fit.table.column(name)
    known = {**LABELS, "hours/users": INPUT_LABELS["H"]}
    return known.get(column, INPUT_LABELS.get(name, column) if column == name else column)


def y_label(fit: Fit) -> str:
    """Name of the y axis with its unit."""
    label = LABELS.get(fit.table.y_name, fit.table.y_name)
    return f"{label} ({fit.table.unit})" if fit.table.unit else label


def log_amounts(axes: Axes, which: str = "x") -> None:
    """A logarithmic axis labelled 20k, 50k, 100k ..."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    wide = np.log10(high / low) > 2.5
    axis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    axis.set_minor_formatter(NullFormatter())
    if not wide:
        axis.set_minor_locator(NullLocator())


def shade_beyond(axes: Axes, most: float, end: float) -> None:
    """Grey from the sweep's largest value to the end of the axis."""
    if end <= most * 1.01:
        return
    axes.axvspan(most, end, color="0.94", lw=0, zorder=0)
    axes.annotate(
        "beyond the sweep", (1, 1), (0, 4), xycoords="axes fraction", textcoords="offset points",
        ha="right", color=GREY, fontsize=9,
    )  # fmt: skip


def percent(values: Array) -> Array:
    """Log ratios in per cent."""
    return 100.0 * np.expm1(values)
