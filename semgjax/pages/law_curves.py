"""Curves: error against one input with its three bands, and the excess over the floor in log-log."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semgjax.errors import InputError
from semgjax.pages.law_plot import short_number
from semgjax.pages.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    YELLOW,
    input_label,
    log_amounts,
    new_figure,
    shade_beyond,
    y_label,
)
from semgjax.scaling.decide.evidence import Evidence
from semgjax.scaling.drift import drift_band
from semgjax.scaling.fit import Fit, floor, predict
from semgjax.scaling.profile import prediction_band

Array = np.ndarray

_PLACES = 61


def curve_figure(
    evidence: Evidence, name: str | None = None, at: Mapping[str, float] | None = None, until: float | None = None,
    title: str = "",
) -> Figure:  # fmt: skip
    """Error against one input, the others held `at` values (default: the middle of the sweep).

    Three bands: sampling (blue), choice of objective, outliers and law (yellow lines), a drifting slope
    beyond the sweep (grey lines). Rows whose other inputs differ from `at` are drawn pale.
    """
    figure, (axes,) = new_figure(7.2, 4.8)
    draw_curve(axes, evidence, name, at, until)
    if title:
        axes.set_title(title, loc="left", fontsize=11, pad=16)
    return figure


def draw_curve(
    axes: Axes, evidence: Evidence, name: str | None = None, at: Mapping[str, float] | None = None,
    until: float | None = None,
) -> None:  # fmt: skip
    """`curve_figure` on given axes."""
    fit = evidence.fit
    name = name or fit.law.input_names[0]
    at = {**middle(fit, name), **(at or {})}
    values = fit.table.x[name]
    least, most = float(values[values > 0].min()), float(values.max())
    grid = np.geomspace(least / 1.3, max(until or 10.0 * most, 1.3 * most), _PLACES)
    x: dict[str, Array | float] = {**at, name: grid}
    shade_beyond(axes, most, grid[-1])
    curve = predict(fit, x)
    _draw_record(axes, fit, name, grid, x, evidence.level)
    _draw_choice(axes, evidence, grid, x, curve)
    band = prediction_band(fit, x, evidence.level)
    if band is not None:
        label = f"sampling: {evidence.level:.0%} interval of the curve"
        axes.fill_between(grid, *band, color=BLUE, alpha=0.2, lw=0, label=label, zorder=2)
    inside = grid <= most
    axes.plot(grid, curve, "--", color=BLUE, lw=1.5, zorder=4)
    axes.plot(grid[inside], curve[inside], color=BLUE, lw=2.2, label=f"fit: {fit.law.name}", zorder=4)
    shown = _draw_points(axes, fit, name, at)
    axes.set_xlim(grid[0], grid[-1])
    axes.set_ylim(0.0, 1.15 * max(shown, float(curve[inside].max())))
    log_amounts(axes)
    axes.set_xlabel(input_label(fit, name) + _held(fit, name, at))
    axes.set_ylabel(y_label(fit))
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], frameon=False, fontsize=8.5)


def middle(fit: Fit, name: str = "") -> dict[str, float]:
    """The commonest value of every input (but `name`): the centre of a star, or of a grid."""
    found = {}
    for other in fit.law.inputs:
        if other.name != name and other.default is None:
            values, counts = np.unique(fit.table.x[other.name], return_counts=True)
            ranked = np.flatnonzero(counts == counts.max())
            found[other.name] = float(values[ranked[len(ranked) // 2]])
    return found


def _held(fit: Fit, name: str, at: Mapping[str, float]) -> str:
    rest = [f"{fit.table.column(k)} {short_number(v)}" for k, v in at.items() if k != name]
    return f" (at {', '.join(rest)})" if rest else ""


def _draw_points(axes: Axes, fit: Fit, name: str, at: Mapping[str, float]) -> float:
    """The runs at these values of the other inputs, and the others pale; the highest of the first."""
    same = np.ones(len(fit.table.y), bool)
    for other, value in at.items():
        if other != name:
            same &= np.abs(np.log(np.maximum(fit.table.x[other], 1e-30) / max(value, 1e-30))) < 0.01
    x, y = fit.table.x[name], fit.table.y
    if (~same).any():
        label = f"measured with other {' and '.join(fit.table.column(k) for k in at if k != name)} ({(~same).sum()})"
        axes.plot(x[~same], y[~same], "o", ms=4, mfc="none", mec=GREY, mew=0.8, alpha=0.6, label=label, zorder=3)
    if same.any():
        label = f"measured ({same.sum()} runs)"
        axes.plot(x[same], y[same], "o", color=ORANGE, ms=6, mec="white", mew=0.9, label=label, zorder=5)
    return float(y[same].max()) if same.any() else 0.0


def _draw_choice(axes: Axes, evidence: Evidence, grid: Array, x: Mapping[str, Array | float], curve: Array) -> None:
    if not evidence.others:
        return
    every = np.stack([curve, *(predict(other, x) for _, other in evidence.others)])
    label = f"choice: {len(evidence.others)} other objectives, laws, points"
    axes.fill_between(
        grid, every.min(axis=0), every.max(axis=0), facecolor=YELLOW, alpha=0.22, edgecolor=YELLOW, lw=1.0,
        label=label, zorder=1.5,
    )  # fmt: skip


def _draw_record(axes: Axes, fit: Fit, name: str, grid: Array, x: Mapping[str, Array | float], level: float) -> None:
    band = drift_band(fit, x, level)
    there = grid >= fit.table.x[name].max()
    if band is None or not there.any():
        return
    low, high = (end[there] for end in band)
    label = f"extrapolation: {level:.0%}, slope drifting as in published sweeps"
    axes.fill_between(grid[there], low, high, facecolor="none", edgecolor=GREY, hatch="....", lw=0.8, label=label)


def excess_figure(fit: Fit) -> Figure:
    """What the error exceeds the floor by, log-log: a straight line where the law is a floor plus a power.

    Raises:
        InputError: the law has several inputs, or no floor above 0.
    """
    least = floor(fit)
    if len(fit.law.inputs) != 1 or not least:
        raise InputError(
            f"law {fit.law.name}: an excess over the floor needs one input and a floor above 0", "wrong-law"
        )
    figure, (axes,) = new_figure(6.4, 4.4)
    (name,) = fit.law.input_names
    x, excess = fit.table.x[name], fit.table.y - least
    grid = np.geomspace(x.min() / 1.3, 10.0 * x.max(), _PLACES)
    shade_beyond(axes, float(x.max()), grid[-1])
    axes.plot(grid, predict(fit, {name: grid}) - least, color=BLUE, lw=2, label=f"fit less its floor, {least:.4g}")
    above = excess > 0
    axes.plot(x[above], excess[above], "o", color=ORANGE, ms=6, mec="white", label="measured less the floor")
    if (~above).any():
        bottom = np.full((~above).sum(), excess[above].min() if above.any() else 1.0)
        axes.plot(x[~above], bottom, "v", color=GREEN, ms=7, label="measured at or below the floor")
    band = prediction_band(fit, {name: grid})
    if band is not None:
        low, high = (np.maximum(end - least, 1e-3 * excess[above].min()) for end in band)
        axes.fill_between(grid, low, high, color=BLUE, alpha=0.18, lw=0, label="95% interval of the curve")
    axes.set_xlim(grid[0], grid[-1])
    axes.set_yscale("log")
    axes.set_ylim(0.3 * (predict(fit, {name: grid}) - least).min(), 2.0 * excess.max())
    log_amounts(axes)
    log_amounts(axes, "y")
    axes.set_xlabel(input_label(fit, name))
    axes.set_ylabel(f"{y_label(fit)} above the floor")
    axes.legend(frameon=False, fontsize=8.5, loc="lower left")
    return figure
