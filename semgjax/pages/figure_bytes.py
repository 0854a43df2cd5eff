"""Figures as SVG and PNG bytes: names drawn as plain text, equal figures give equal bytes."""

import io
from functools import cache

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter, LogFormatter, ScalarFormatter

from semgjax.printable import printable

# Beside matplotlib's own font, for scripts that it lacks; what none of them has is written as \uXXXX.
_OTHERS = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "WenQuanYi Zen Hei", "Arial Unicode MS", "Unifont")


@cache
def fonts() -> list[str]:
    """The fonts of all figures, those that this machine has."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _OTHERS if name in known)]


@cache
def _glyphs() -> frozenset[int]:
    """The characters that the fonts can draw."""
    places = (font_manager.findfont(font_manager.FontProperties(family=[name])) for name in fonts())
    return frozenset(code for place in places for code in font_manager.get_font(place).get_charmap())


def drawable(text: str) -> str:
    """`text` with control characters, and characters that no font has, written as \\x1b, \\u6570 and the like."""
    shown = printable(text, keep="\n")
    if shown.isascii():
        return shown
    known = _glyphs()
    return "".join(c if c == "\n" or ord(c) in known else c.encode("unicode_escape").decode("ascii") for c in shown)


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
        text.set_fontfamily(fonts())
        if text not in numbers:
            text.set_parse_math(False)
            text.set_text(drawable(text.get_text()))


def _printable_labels(formatter: Formatter) -> FuncFormatter:
    return FuncFormatter(lambda value, place: drawable(formatter(value, place)))


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
