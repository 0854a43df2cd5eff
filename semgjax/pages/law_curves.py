"""Curves: error against one input with its three bands, the excess over the floor in log-log, laws side by side."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semgjax.errors import InputError
from semgjax.pages.axis_names import in_words, input_label, law_title, log_amounts, y_label
from semgjax.pages.captions import curve_words, interval_words, place_words, runs_words
from semgjax.pages.marks import blocking, draw_ends, draw_runs, outlying_weights, unbounded_entry
from semgjax.pages.style import (
    BLUE,
    CYCLE,
    DASHES,
    DOUBLE,
    GREEN,
    GREY,
    ORANGE,
    YELLOW,
    Picture,
    legend_below,
    name_axes,
    new_figure,
    shade_beyond,
    title_above,
)
from semgjax.scaling.compare import Comparison, LawScore
from semgjax.scaling.decide.evidence import Evidence
from semgjax.scaling.drift import drift_band
from semgjax.scaling.fit import Fit, floor, predict
from semgjax.scaling.profile import LEVEL, no_interval_reason, prediction_band

Array = np.ndarray
Ends = tuple[Array, Array]
Held = tuple[tuple[str, float], ...]

_PLACES = 61


def curve_figure(
    evidence: Evidence, name: str | None = None, at: Mapping[str, float] | None = None, until: float | None = None,
    title: str = "", width: float = DOUBLE, force: bool = False,
) -> Picture:  # fmt: skip
    """Error against one input, the others held `at` values (default: the middle of the sweep).

    Three bands: sampling (blue), choice of objective, outliers and law (yellow), a slope that drifts
    beyond the sweep (hatched). Rows whose other inputs differ from `at` are drawn pale. Of a fit that an
    error-level finding blocks the runs alone are drawn, unless `force`. width: of the figure in print, mm.
    """
    figure, (axes,) = new_figure(width, 76.0)
    extra = draw_curve(axes, evidence, name, at, until, force)
    title_above(axes, title)
    legend_below(figure, extra=extra)
    figure.caption = curve_caption(evidence, name, force)
    return figure


def curve_caption(evidence: Evidence, name: str | None = None, force: bool = False) -> str:
    """What the figure of a curve must say below it."""
    fit, level = evidence.fit, evidence.level
    codes = () if force else blocking(fit, level)
    words = f"{runs_words(fit)} {curve_words(fit, level, codes)}"
    if codes:
        return words
    words += f" Yellow: range over n = {len(evidence.others)} fits with other objectives, laws, or without a point."
    if no_interval_reason(fit) is None:
        words += f" Hatched: {level:.0%} range beyond the sweep if the slope drifts as in published sweeps."
    return words


def draw_curve(
    axes: Axes, evidence: Evidence, name: str | None = None, at: Mapping[str, float] | None = None,
    until: float | None = None, force: bool = False,
) -> list[tuple[Line2D, str]]:  # fmt: skip
    """`curve_figure` on given axes, without its legend; further entries of the legend."""
    fit = evidence.fit
    name = name or fit.law.input_names[0]
    at = {**middle(fit, name), **(at or {})}
    values = fit.table.x[name]
    least, most = float(values[values > 0].min()), float(values.max())
    last = max(until or 10.0 * most, 1.3 * most)
    grid = np.geomspace(least / 1.3, last, _PLACES)
    x: dict[str, Array | float] = {**at, name: grid}
    shade_beyond(axes, most, last)
    axes.set_xlim(grid[0], last)
    curve, inside = predict(fit, x), grid <= most
    here = _same(fit, name, at)
    highest = float(fit.table.y[here].max()) if here.any() else 0.0
    codes = () if force else blocking(fit, evidence.level)
    axes.set_ylim(0.0, 1.15 * max(highest, 0.0 if codes and here.any() else float(curve[inside].max())))
    extra: list[tuple[Line2D, str]] = []
    if codes:
        extra.append((Line2D([], [], ls=""), f"no curve: {', '.join(codes)}"))
    else:
        held = tuple(sorted((key, float(value)) for key, value in at.items() if key != name))
        extra += _draw_bands(axes, evidence, (name, held, grid[0], last), x, curve)
        axes.plot(grid, curve, "--", color=BLUE, lw=1.3, zorder=4)
        axes.plot(grid[inside], curve[inside], color=BLUE, lw=1.9, label=f"fit: {law_title(fit.law.name)}", zorder=4)
    _draw_points(axes, fit, name, at, here)
    log_amounts(axes)
    held_words = place_words(fit, {k: v for k, v in at.items() if k != name}, short=True)
    name_axes(axes, input_label(fit, name) + (f", at {held_words}" if held_words else ""), y_label(fit))
    return extra


def middle(fit: Fit, name: str = "") -> dict[str, float]:
    """The commonest value of every input (but `name`): the centre of a star, or of a grid."""
    found = {}
    for other in fit.law.inputs:
        if other.name != name and other.default is None:
            values, counts = np.unique(fit.table.x[other.name], return_counts=True)
            ranked = np.flatnonzero(counts == counts.max())
            found[other.name] = float(values[ranked[len(ranked) // 2]])
    return found


def _same(fit: Fit, name: str, at: Mapping[str, float]) -> Array:
    """The runs [n] whose other inputs have these values."""
    same = np.ones(len(fit.table.y), bool)
    for other, value in at.items():
        if other != name:
            same &= np.abs(np.log(np.maximum(fit.table.x[other], 1e-30) / max(value, 1e-30))) < 0.01
    return same


def _draw_points(axes: Axes, fit: Fit, name: str, at: Mapping[str, float], here: Array) -> None:
    """The runs at these values of the other inputs, and the others pale."""
    x, y = fit.table.x[name], fit.table.y
    if (~here).any():
        others = " and ".join(in_words(fit, k) for k in at if k != name)
        label = f"measured with other {others} ({(~here).sum()} runs)"
        axes.plot(x[~here], y[~here], "o", ms=3.5, mfc="none", mec=GREY, mew=0.7, alpha=0.7, label=label, zorder=3)
    if here.any():
        weights = outlying_weights(fit)
        draw_runs(axes, x[here], y[here], f"measured ({here.sum()} runs)", None if weights is None else weights[here])


Line = tuple[str, Held, float, float]
"""Places of a curve: the input, the others' values, and the first and last place."""


def _draw_bands(
    axes: Axes, evidence: Evidence, line: Line, x: Mapping[str, Array | float], curve: Array
) -> list[tuple[Line2D, str]]:
    fit, level, grid = evidence.fit, evidence.level, _grid(line)
    record = _record(fit, line, level)
    if record is not None:
        there, low, high = record
        label = f"extrapolation: {level:.0%}, slope drifting as in published sweeps"
        top = 10.0 * axes.get_ylim()[1]
        axes.fill_between(
            grid[there], low, np.minimum(high, top), facecolor="none", edgecolor=GREY, hatch="///", lw=0.7, label=label
        )
    if evidence.others:
        every = np.stack([curve, *(predict(other, x) for _, other in evidence.others)])
        label = f"choice: {len(evidence.others)} other objectives, laws, points"
        axes.fill_between(
            grid, every.min(axis=0), every.max(axis=0), facecolor=YELLOW, alpha=0.25, edgecolor=YELLOW, lw=1.0,
            label=label, zorder=1.5,
        )  # fmt: skip
    band = _band(fit, line, level)
    label = f"sampling: {level:.0%} interval of the curve"
    if band is not None and draw_ends(axes, grid, *band, color=BLUE, label=label, zorder=2):
        return [unbounded_entry()]
    return []


def _grid(line: Line) -> Array:
    return np.geomspace(line[2], line[3], _PLACES)


# A page holds each figure at two widths: what takes long is computed once for both.
@lru_cache(maxsize=16)
def _band(fit: Fit, line: Line, level: float) -> Ends | None:
    return prediction_band(fit, {**dict(line[1]), line[0]: _grid(line)}, level)


@lru_cache(maxsize=16)
def _record(fit: Fit, line: Line, level: float) -> tuple[Array, Array, Array] | None:
    """(places [m] where there is one, low, high) of the extrapolation interval along a curve."""
    name, held, *_ = line
    grid = _grid(line)
    band = drift_band(fit, {**dict(held), name: grid}, level)
    there = grid >= fit.table.x[name].max()
    if band is None or not there.any():
        return None
    return there, band[0][there], band[1][there]


def excess_figure(fit: Fit, level: float = LEVEL, width: float = DOUBLE) -> Picture:
    """What the error exceeds the floor by, log-log: a straight line where the law is a floor plus a power.

    Raises:
        InputError: the law has several inputs, or no floor above 0.
    """
    least = floor(fit)
    if len(fit.law.inputs) != 1 or not least:
        raise InputError(
            f"law {fit.law.name}: an excess over the floor needs one input and a floor above 0", "wrong-law"
        )
    figure, (axes,) = new_figure(width, 72.0)
    (name,) = fit.law.input_names
    x, excess = fit.table.x[name], fit.table.y - least
    last = 10.0 * float(x.max())
    line: Line = (name, (), float(x.min()) / 1.3, last)
    grid = _grid(line)
    over = predict(fit, {name: grid}) - least
    shade_beyond(axes, float(x.max()), last)
    above = excess > 0
    axes.set_xlim(grid[0], last)
    axes.set_yscale("log")
    axes.set_ylim(0.3 * over.min(), 2.0 * max(float(excess.max()), float(over.max())))
    axes.plot(grid, over, color=BLUE, lw=1.9, label=f"fit less its floor of {least:.4g}", zorder=3)
    label = f"measured less the floor ({above.sum()} runs)"
    axes.plot(x[above], excess[above], "o", color=ORANGE, ms=5.5, mec="white", label=label, zorder=5)
    if (~above).any():
        label = f"measured at or below the floor ({(~above).sum()} runs), at the lower edge"
        bottom = np.full((~above).sum(), 0.02)
        axes.plot(x[~above], bottom, "v", color=GREEN, ms=6, label=label, transform=axes.get_xaxis_transform())
    band, extra = _band(fit, line, level), []
    if band is not None:
        low, high = (np.maximum(end - least, 1e-12 * over.min()) for end in band)
        if draw_ends(axes, grid, low, high, label=f"{level:.0%} interval of the curve"):
            extra.append(unbounded_entry())
    log_amounts(axes)
    log_amounts(axes, "y")
    name_axes(axes, input_label(fit, name), f"{y_label(fit)} above the floor")
    legend_below(figure, extra=extra)
    figure.caption = (
        f"{runs_words(fit)} What each exceeds the fitted floor of {least:.4g} by, on logarithmic axes: straight where "
        f"the law is a floor plus a power. Band: {interval_words(fit, level)}"
    )
    return figure


def drawn_laws(found: Comparison) -> list[LawScore]:
    """The laws of which no error-level finding forbids to show a number."""
    return [score for score in found.scores if not blocking(score.fit)]


def laws_figure(found: Comparison, name: str | None = None, width: float = DOUBLE) -> Picture:
    """The curves of several laws through one table over one input, the other inputs in the middle of the sweep."""
    first = found.scores[0].fit
    name = name or first.law.input_names[0]
    values = first.table.x[name]
    most = float(values.max())
    grid = np.geomspace(values[values > 0].min() / 1.3, 10.0 * most, _PLACES)
    figure, (axes,) = new_figure(width, 72.0)
    shade_beyond(axes, most, grid[-1])
    axes.set_xlim(grid[0], grid[-1])
    shown = [s for s in drawn_laws(found) if name in s.fit.law.input_names]
    for number, score in enumerate(shown):
        y = predict(score.fit, {**middle(score.fit, name), name: grid})
        label = f"{law_title(score.name)} (weight {score.weight:.2f})"
        axes.plot(grid, y, color=CYCLE[number % 7], ls=DASHES[number % 6], lw=1.5, label=label, zorder=3)
    here = _same(first, name, middle(first, name))
    here = here if here.any() else np.ones(len(here), bool)
    label = f"measured ({here.sum()} runs)"
    axes.plot(values[here], first.table.y[here], "o", color="black", ms=4.5, mec="white", label=label, zorder=5)
    axes.set_ylim(0.0, 1.15 * float(first.table.y[here].max()))
    log_amounts(axes)
    name_axes(axes, input_label(first, name), y_label(first))
    legend_below(figure)
    figure.caption = (
        f"{runs_words(first)} Lines: {len(shown)} laws through the same runs; weight: by how well each predicted "
        "larger runs of this sweep from smaller ones. Where they part, the law decides the answer, not the runs."
    )
    return figure
