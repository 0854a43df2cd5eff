"""Draws the size curve of a fit: points, law, interval, and what lies beyond the sweep, clearly apart."""

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.pages.axis_names import input_label, law_title, log_amounts, short_number
from semgjax.pages.axis_names import y_label as axis_label
from semgjax.pages.captions import curve_words, runs_words
from semgjax.pages.figure_bytes import names_as_text
from semgjax.pages.marks import blocking, draw_ends, draw_runs, outlying_weights, unbounded_entry
from semgjax.pages.style import (
    BLUE,
    DOUBLE,
    GREEN,
    GREY,
    ORANGE,
    Picture,
    legend_below,
    name_axes,
    new_figure,
    shade_beyond,
    title_above,
    unbroken,
)
from semgjax.scaling.ends import has_lower_end, span
from semgjax.scaling.fit import Fit, parameter_values, predict
from semgjax.scaling.profile import LEVEL, parameter_intervals, prediction_band

Array = np.ndarray

FORMATS = (".png", ".svg", ".pdf")


def plot_size_curve(
    fit: Fit,
    users_points: tuple[Array, Array] | None = None,
    unit: str | None = None,
    title: str = "",
    size_label: str = "",
    y_label: str = "",
    until: float | None = None,
    level: float = LEVEL,
    width: float = DOUBLE,
    force: bool = False,
) -> Picture:
    """The curve over a logarithmic size axis; the points alone where an error-level finding blocks the fit.

    users_points: (sizes [m], y [m]) of single held-out users, drawn small. unit: of y (default: the table's).
    size_label, y_label: axis names (default: from the columns, with units). until: largest size drawn
    (default: 4 times the largest of the sweep). width: of the figure in print, mm. force: draw the curve of a fit that
    is blocked.
    """
    codes = () if force else blocking(fit, level)
    figure, (axes,) = new_figure(width, 74.0)
    extra = draw_size_curve(axes, fit, users_points, unit, size_label, y_label, until, level, codes)
    title_above(axes, title)
    legend_below(figure, extra=extra)
    users = f" Small circles: {len(users_points[0])} results of single held-out users." if users_points else ""
    figure.caption = f"{runs_words(fit)}{users} {curve_words(fit, level, codes)}"
    return figure


def draw_size_curve(
    axes: Axes, fit: Fit, users_points: tuple[Array, Array] | None = None, unit: str | None = None,
    size_label: str = "", y_label: str = "", until: float | None = None, level: float = LEVEL,
    codes: tuple[str, ...] = (), colour: str = ORANGE,
) -> list[tuple[Line2D, str]]:  # fmt: skip
    """`plot_size_curve` on given axes, without its legend; further entries of the legend. codes: findings that forbid
    the curve; colour: of the runs."""
    sizes = fit.table.sizes
    until = until or 4.0 * sizes.max()
    grid = np.geomspace(sizes.min() / 1.3, max(until, sizes.max() * 1.3), 161)
    if grid[-1] > sizes.max() * 1.31:
        shade_beyond(axes, float(sizes.max()), float(grid[-1]))
    # A wide band far out must not squeeze the points into a strip: it runs out of the picture instead.
    shown = np.concatenate([fit.table.y, *(users_points or ())[1:]])
    axes.set_xlim(grid[0], grid[-1])
    axes.set_ylim(0.0, 1.12 * shown.max())
    no_curve = [(Line2D([], [], ls=""), f"no curve: {', '.join(codes)}")]
    extra = no_curve if codes else _draw_law(axes, fit, grid, level)
    if users_points is not None:
        label = f"single held-out users ({len(users_points[0])} points)"
        axes.plot(*users_points, "o", ms=3, mfc="none", mec=GREY, mew=0.7, alpha=0.8, label=label, zorder=2)
    averaged = ", mean over users" if fit.table.where.get("averaging") == "macro" else ""
    draw_runs(axes, sizes, fit.table.y, f"measured{averaged} ({len(sizes)} runs)", outlying_weights(fit), colour)
    log_amounts(axes)
    name_axes(axes, size_label or input_label(fit, fit.law.input_names[0]), y_label or axis_label(fit, unit))
    return extra


def save_figure(figure: Picture, path: Path) -> None:
    """Write a figure atomically; the ending of the name gives the format.

    Raises:
        InputError: an ending that is none of .png, .svg, .pdf.
    """
    check_figure_name(path)
    content = io.BytesIO()
    names_as_text(figure)
    figure.savefig(content, format=path.suffix[1:])
    write_atomic(path, content.getvalue())


def check_figure_name(path: Path) -> None:
    """Raises InputError for a name that does not end in a known format."""
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: a figure's name ends in {', '.join(FORMATS)}", "bad-value")


def _draw_law(axes: Axes, fit: Fit, grid: Array, level: float) -> list[tuple[Line2D, str]]:
    """Curve, band and floor; legend entries of what has no end or is missing."""
    sizes, extra = fit.table.sizes, list[tuple[Line2D, str]]()
    band = prediction_band(fit, grid, level)
    if band is None:
        extra.append((Line2D([], [], ls=""), "no interval: too few sizes"))
    elif draw_ends(axes, grid, *band, color=BLUE, alpha=0.18, label=f"{level:.0%} interval of the curve", zorder=1):
        extra.append(unbounded_entry())
    _draw_floor(axes, fit, level)
    inside = (grid >= sizes.min()) & (grid <= sizes.max())
    axes.plot(grid, predict(fit, grid), "--", color=BLUE, lw=1.3, zorder=3)
    axes.plot(grid[inside], predict(fit, grid[inside]), color=BLUE, lw=1.9, label=_formula(fit), zorder=3)
    return extra


def _draw_floor(axes: Axes, fit: Fit, level: float) -> None:
    """The floor as a line, when the law has one above 0; faint when the points do not show that it exists."""
    floor = parameter_values(fit).get("E", 0.0)
    if floor <= 0:
        return
    ends = (parameter_intervals(fit, level) or {}).get("E")
    shown = ends is not None and has_lower_end(ends) and ends[0] > 1e-3 * floor
    label = f"floor {floor:.3g}{f' {unbroken(span(ends))}' if ends else ''}" + ("" if shown else ", not identified")
    axes.axhline(floor, color=GREEN, lw=1.2, ls=":", alpha=1.0 if shown else 0.6, label=label, zorder=2)


def _formula(fit: Fit) -> str:
    """The fitted law in numbers, sizes over the sweep's middle: there the excess over the floor is A."""
    if fit.law.name not in ("power", "floor_power"):
        return f"fit: {law_title(fit.law.name)}"
    scaled = dict(zip(fit.law.parameter_names, fit.theta, strict=True))
    amplitude = fit.unit_y * np.exp(scaled["A"])
    floor = f"{parameter_values(fit)['E']:.3g} + " if scaled.get("E") else ""
    reference = short_number(fit.reference["N"])
    return f"fit: {floor}{amplitude:.3g} · (size / {reference})^{-scaled['alpha']:.3g}"
