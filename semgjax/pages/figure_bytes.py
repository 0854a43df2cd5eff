"""Figures as SVG and PNG bytes: names drawn as plain text, equal figures give equal bytes."""

import io

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter, LogFormatter, ScalarFormatter

from semgjax.printable import printable


def names_as_text(figure: Figure) -> None:
    """Have every text of a figure drawn literally: a $ in a column's name starts no formula, control characters show.

    The tick labels of numeric axes are not changed: matplotlib writes powers of ten as formulas.
    """
    numbers = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for formatter, labels in (
            (axis.get_major_formatter(), axis.get_majorticklabels()),
            (axis.get_minor_formatter(), axis.get_minorticklabels()),
        )
        if isinstance(formatter, LogFormatter | ScalarFormatter)
        for label in labels
    }
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            # Tick labels are made again when the figure is drawn, so their formatter has to give printable text.
            if isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter):
                axis.set_major_formatter(_printable_labels(axis.get_major_formatter()))
    for text in figure.findobj(Text):
        if text not in numbers:
            text.set_parse_math(False)
            text.set_text(printable(text.get_text(), keep="\n"))


def _printable_labels(formatter: Formatter) -> FuncFormatter:
    return FuncFormatter(lambda value, place: printable(formatter(value, place), keep="\n"))


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG with its text as outlines; equal figures give equal bytes."""
    content = io.BytesIO()
    names_as_text(figure)
    with matplotlib.rc_context({"svg.hashsalt": "semgjax", "svg.fonttype": "path"}):
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG; equal figures give equal bytes."""
    content = io.BytesIO()
    names_as_text(figure)
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
