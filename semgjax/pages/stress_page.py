"""Draws errors under stress, and writes the page of them: one self-contained HTML file with figure and tables."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from semgjax.evaluate.spread import DRAWS, LEVEL, Interval
from semgjax.evaluate.stress.curve import Curve, Point
from semgjax.files import write_atomic
from semgjax.pages.html import both_widths, render_template
from semgjax.pages.style import (
    BLUE,
    DOUBLE,
    GREY,
    ORANGE,
    SINGLE,
    Picture,
    legend_below,
    name_axes,
    new_figure,
    title_above,
)

CAPTION = (
    f"Bars: {LEVEL:.0%} intervals of the mean over users (bootstrap, {DRAWS} draws). Dashed: the clean signal. Users "
    "differ, so a bar may reach the dashed line although every user's error grew: the paired differences tell."
)


def stress_figure(start: Point, curves: Sequence[Curve], words: str, width: float = DOUBLE) -> Picture:
    """One panel a kind of stress: the error over its levels, which stand at equal distances, the clean one among them.

    start: the clean error. words: name of the error rate. width: of the figure in print, mm.
    """
    drawn = [curve for curve in curves if curve.points]
    columns = 1 if width <= SINGLE else min(3, max(1, len(drawn)))
    rows = max(1, -(-len(drawn) // columns))
    figure, axes = new_figure(width, 52.0, rows, columns, sharey=True)
    for one, curve in zip(axes, drawn, strict=False):
        _draw(one, start, curve, f"{words} (%)")
    # The panels share their axis, which would stop growing at the first panel that set an end of it.
    shown = [start, *(point for curve in drawn for point in curve.points)]
    axes[0].set_ylim(0.0, 1.05 * max(max((point.error, *(point.interval or ()))) for point in shown) or 1.0)
    for one in axes[len(drawn) :]:
        one.remove()
    figure.caption = f"Mean over users, n = {len(start.users)}. {CAPTION}"
    legend_below(figure)
    return figure


def _draw(axes: Axes, start: Point, curve: Curve, y: str) -> None:
    points = [*curve.points[: curve.clean_place], start, *curve.points[curve.clean_place :]]
    axes.axhline(start.error, color=GREY, lw=1.0, ls="--", label="clean", zorder=1)
    axes.plot([point.error for point in points], "o-", color=BLUE, ms=3.5, zorder=3)
    for place, point in enumerate(points):
        if point.interval is not None:
            colour = GREY if point is start else ORANGE
            label = "interval of the clean error" if point is start else "interval under stress"
            axes.plot([place, place], point.interval, color=colour, lw=2.2, alpha=0.6, label=label, zorder=2)
    # A turn has levels on both sides of none.
    axes.set_xticks(
        range(len(points)), [("0" if curve.clean_place else "clean") if p is start else p.words for p in points]
    )
    title_above(axes, curve.kind)
    name_axes(axes, curve.axis, y)


def write_page(start: Point, curves: Sequence[Curve], words: str, source: str, out: Path) -> None:
    """Write the page to the file `out` atomically; the same numbers give the same bytes.

    source: decoder and part of the split, in words.
    """
    write_atomic(out, render(start, curves, words, source))


def render(start: Point, curves: Sequence[Curve], words: str, source: str) -> str:
    """The page as HTML."""
    figure = both_widths(
        lambda width: stress_figure(start, curves, words, width), f"{words} against the level of each kind of stress"
    )
    return render_template(
        "stress_page.html",
        title="Errors under stress",
        source=source,
        words=words,
        clean=f"{start.error:.1f} {interval_text(start.interval)}",
        users=len(start.users),
        figure_=figure,
        tables=[(curve, rows_of(curve)) for curve in curves],
    )


def rows_of(curve: Curve) -> list[tuple[str, ...]]:
    """(level, error, its interval, difference to clean, its interval, users who are worse) of each point, as text."""
    return [
        (
            point.words,
            f"{point.error:.1f}",
            interval_text(point.interval),
            f"{point.difference.mean:+.1f}",
            interval_text(point.difference.interval, "+"),
            f"{point.difference.worse} of {point.difference.users}",
        )
        for point in curve.points
    ]


def interval_text(interval: Interval | None, sign: str = "") -> str:
    """An interval; "-" for none."""
    return "-" if interval is None else f"[{interval[0]:{sign}.1f}, {interval[1]:{sign}.1f}]"
