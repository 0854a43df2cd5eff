"""Draws the size curve of a fit: points, law, interval, and what lies beyond the sweep, clearly apart."""

import io
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.pages.figure_bytes import names_as_text
from semgjax.scaling.fit import Fit, parameter_values, predict
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals, prediction_band

Array = np.ndarray

# Okabe and Ito's palette: apart for every kind of colour vision, and in grey by lightness.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#767676"
FORMATS = (".png", ".svg", ".pdf")
# Columns of a sweep's table in words.
LABELS = {
    "params": "Model parameters",
    "users": "Training users",
    "hours": "Training hours",
    "cer": "Character error rate",
}


class Picture(Figure):
    """A figure that a notebook shows by itself, without pyplot."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


def plot_size_curve(
    fit: Fit,
    users_points: tuple[Array, Array] | None = None,
    unit: str | None = None,
    title: str = "",
    size_label: str = "",
    y_label: str = "",
    until: float | None = None,
    level: float = LEVEL,
) -> Figure:
    """The curve over a logarithmic size axis.

    users_points: (sizes [m], y [m]) of single held-out users, drawn small. unit: of y (default: the table's).
    size_label, y_label: axis names without unit (default: from the columns). until: largest size drawn
    (default: 4 times the largest of the sweep).
    """
    sizes = fit.table.sizes
    until = until or 4.0 * sizes.max()
    grid = np.geomspace(sizes.min() / 1.3, max(until, sizes.max() * 1.3), 161)
    figure = Picture(figsize=(7.2, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()

    if grid[-1] > sizes.max() * 1.31:
        axes.axvspan(sizes.max(), grid[-1], color="0.94", lw=0, zorder=0)
        axes.annotate(
            "beyond the sweep", (1, 1), (0, 4), xycoords="axes fraction", textcoords="offset points",
            ha="right", color=GREY, fontsize=9,
        )  # fmt: skip
    band = prediction_band(fit, grid, level)
    if band is not None:
        label = f"{level:.0%} interval of the curve"
        axes.fill_between(grid, *band, color=BLUE, alpha=0.18, lw=0, label=label, zorder=1)
    _draw_floor(axes, fit, level)
    if users_points is not None:
        label = f"single held-out users ({len(users_points[0])} points)"
        axes.plot(*users_points, "o", ms=3.2, mfc="none", mec=GREY, mew=0.8, alpha=0.8, label=label, zorder=2)
    inside = (grid >= sizes.min()) & (grid <= sizes.max())
    axes.plot(grid, predict(fit, grid), "--", color=BLUE, lw=1.6, zorder=3)
    axes.plot(grid[inside], predict(fit, grid[inside]), color=BLUE, lw=2.2, label=_formula(fit), zorder=3)
    averaged = ", mean over users" if fit.table.where.get("averaging") == "macro" else ""
    label = f"measured{averaged} ({len(sizes)} runs)"
    axes.plot(sizes, fit.table.y, "o", color=ORANGE, ms=7, mec="white", mew=1.0, label=label, zorder=4)
    _finish(axes, fit, users_points, grid, unit, title, size_label, y_label)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
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


def _draw_floor(axes, fit: Fit, level: float) -> None:
    """The floor as a line, when the law has one above 0; faint when the points do not show that it exists."""
    floor = parameter_values(fit).get("E", 0.0)
    if floor <= 0:
        return
    intervals = parameter_intervals(fit, level)
    shown = intervals is not None and intervals["E"][0] > 1e-3 * floor
    spread = f" [{intervals['E'][0]:.3g}, {intervals['E'][1]:.3g}]" if intervals else ""
    label = f"floor E = {floor:.3g}{spread}" + ("" if shown else ", not identified")
    axes.axhline(floor, color=GREEN, lw=1.3, ls=":", alpha=1.0 if shown else 0.6, label=label, zorder=2)


def _formula(fit: Fit) -> str:
    """The fitted law in numbers, sizes over the sweep's middle: there the excess over the floor is A."""
    if fit.law.name not in ("power", "floor_power"):
        return f"fit: {fit.law.formula}"
    scaled = dict(zip(fit.law.parameter_names, fit.theta, strict=True))
    amplitude = fit.unit_y * np.exp(scaled["A"])
    floor = f"{parameter_values(fit)['E']:.3g} + " if scaled.get("E") else ""
    reference = short_number(fit.reference["N"])
    return f"fit: {floor}{amplitude:.3g} · (N / {reference})^{-scaled['alpha']:.3g}"


def _finish(axes, fit, users_points, grid, unit, title, size_label, y_label) -> None:
    unit = fit.table.unit if unit is None else unit
    axes.set_xscale("log")
    axes.set_xlim(grid[0], grid[-1])
    # A wide band far out must not squeeze the points into a strip: it runs out of the picture instead.
    shown = np.concatenate([fit.table.y, *(users_points or ())[1:]])
    axes.set_ylim(0.0, 1.12 * shown.max())
    axes.set_xlabel((size_label or LABELS.get(fit.table.size_name, fit.table.size_name)) + " (log scale)")
    y_label = y_label or LABELS.get(fit.table.y_name, fit.table.y_name)
    axes.set_ylabel(y_label + (f" ({unit})" if unit else ""))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", color="0.88", lw=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if title:
        axes.set_title(title, loc="left", fontsize=11, pad=18)
    handles, labels = (found[::-1] for found in axes.get_legend_handles_labels())
    if no_interval_reason(fit) is not None:
        handles.append(Line2D([], [], ls=""))
        labels.append("no interval: too few sizes")
    axes.legend(handles, labels, frameon=False, fontsize=9)


def short_number(value: float) -> str:
    """1500 -> "1.5k", 2217827 -> "2.22M": three digits, for axes."""
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= scale * 0.9995:
            return f"{value / scale:.3g}{letter}"
    return f"{value:.3g}"
