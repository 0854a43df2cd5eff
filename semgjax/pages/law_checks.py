"""Pictures to judge a fit by: residuals, profiles, influence of single runs, rolling origin."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from semgjax.errors import InputError
from semgjax.pages.axis_names import column_title, input_label, log_amounts, short_number, y_label, y_title
from semgjax.pages.captions import place_words, runs_words
from semgjax.pages.marks import ring_outlying
from semgjax.pages.style import (
    BLUE,
    CYCLE,
    DASHES,
    DOUBLE,
    GREY,
    NUMBERS,
    ORANGE,
    POINTS,
    Picture,
    legend_below,
    name_axes,
    new_figure,
    percent,
    unbroken,
    wrapped,
)
from semgjax.scaling.ends import has_lower_end, has_upper_end, span
from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.profile import LEVEL, no_interval_reason, prediction_interval, profile_f
from semgjax.scaling.quantiles import f_quantile, normal_quantile, t_quantile
from semgjax.scaling.refit import influence
from semgjax.scaling.rolling import rolling_origin

Array = np.ndarray
Place = tuple[tuple[str, float], ...]

MOST_BARS = 24
_PANEL = 58.0  # mm: a panel that is narrower cannot be read


def residual_figure(fit: Fit, width: float = DOUBLE, weights: Array | None = None) -> Picture:
    """Residuals in per cent against each input and the fitted value, and against normal quantiles.

    weights [n]: of each run in the fit, 1 for a regular one; outlying runs are ringed.
    """
    names = [n for n in fit.law.input_names if np.ptp(fit.table.x[n]) > 0]
    count = len(names) + 2
    columns = min(count, max(int(width / _PANEL), 1))
    rows = -(-count // columns)
    figure, places = new_figure(width, 58.0, rows, columns)
    axes, left = places[:count], places[count:]
    for one in left:
        one.remove()
    residuals = percent(fit.residuals)
    fitted = predict(fit, fit.table.x)
    n = len(residuals)
    quantiles = np.empty(n)
    quantiles[np.argsort(residuals, kind="stable")] = normal_quantile((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    for one, x in zip(axes, [*(fit.table.x[name] for name in names), fitted, quantiles], strict=True):
        one.axhline(0.0, color="0.4", lw=0.8)
        one.plot(x, residuals, "o", color=BLUE, ms=4, mec="white", mew=0.6)
        if weights is not None:
            ring_outlying(one, x, residuals, weights)
    if fit.scatter is not None:
        around = np.sort(quantiles)
        label = "normal noise of the fit's standard deviation"
        axes[-1].plot(around, percent(around * fit.scatter), color=GREY, lw=1, label=label)
        for side in (-2.0, 2.0):
            for one in axes[:-1]:
                label = "two standard deviations" if side > 0 else ""
                one.axhline(float(percent(np.array(side * fit.scatter))), color=GREY, lw=0.9, ls=":", label=label)
    for one, name in zip(axes, names, strict=False):
        _log_about(one, fit.table.x[name])
        name_axes(one, input_label(fit, name), _DEVIATION)
    labels = {
        count - 2: f"fitted {y_label(fit)[0].lower()}{y_label(fit)[1:]}",
        count - 1: "Normal quantile (standard deviations)",
    }
    for number, label in labels.items():
        name_axes(axes[number], label, _DEVIATION)
    legend_below(figure)
    figure.caption = (
        f"{runs_words(fit)} By how much each run lies above or below the curve, against every input, the fitted value, "
        "and the order expected of normal noise. Dotted: two standard deviations."
    )
    return figure


_DEVIATION = "Deviation of a run from the curve (%)"


def _log_about(axes, values: Array) -> None:
    low, high = float(values[values > 0].min()), float(values.max())
    axes.set_xlim(low / (high / low) ** 0.06, high * (high / low) ** 0.06)
    log_amounts(axes)


@lru_cache(maxsize=32)
def _profile(fit: Fit, place: Place, level: float) -> tuple[float, tuple[float, float], Array, Array]:
    """Value, interval, and the profile's F statistic at values [k] of the curve about it."""
    point = dict(place)
    value = float(predict(fit, point))
    ends = prediction_interval(fit, point, level) or (value, value)
    low = max(ends[0], 0.02 * value) if has_lower_end(ends) else 0.02 * value
    high = min(ends[1], 50.0 * value) if has_upper_end(ends) else 50.0 * value
    below = np.geomspace(low * (low / value) ** 0.35, value, 13)
    values = np.concatenate([below, np.geomspace(value, high * (high / value) ** 0.35, 13)[1:]])
    return value, ends, values, profile_f(fit, point, values)


def profile_figure(fit: Fit, points: list[Mapping[str, float]], level: float = LEVEL, width: float = DOUBLE) -> Picture:
    """How strongly the points reject each value of the curve at some places; the interval is what lies below the line.

    Raises:
        InputError: the fit has no interval.
    """
    if no_interval_reason(fit) is not None:
        raise InputError(f"{fit.table.source}: no profile: {no_interval_reason(fit)}", "too-few-levels")
    figure, (axes,) = new_figure(width, 66.0)
    cut = float(f_quantile(level, 1, fit.degrees_of_freedom))
    for number, point in enumerate(points):
        value, ends, values, stat = _profile(fit, tuple((k, float(v)) for k, v in point.items()), level)
        label = f"at {place_words(fit, point, short=True)}: {value:.4g} {unbroken(span(ends))}"
        axes.plot(values, np.sqrt(stat), color=CYCLE[number % 7], ls=DASHES[number % 6], lw=1.6, label=label)
    axes.axhline(np.sqrt(cut), color=GREY, ls=":", lw=1.2, label=f"rejected above this line, at {level:.0%}")
    axes.set_ylim(0.0, 2.0 * np.sqrt(cut))
    name_axes(
        axes,
        f"{y_title(fit)} of the curve ({fit.table.unit or 'unit of the table'})",
        "Root of the profile's F (standard deviations)",
    )
    legend_below(figure)
    figure.caption = (
        f"{runs_words(fit)} Profile likelihood: how strongly the runs reject a value of the curve at a place, all "
        f"parameters fitted anew for each value. The {level:.0%} interval is what lies below the dotted line."
    )
    return figure


@lru_cache(maxsize=16)
def _moves(fit: Fit, place: Place) -> Array:
    return percent(influence(fit, {k: np.array([v]) for k, v in place}))


def influence_figure(fit: Fit, at: Mapping[str, float], width: float = DOUBLE) -> Picture:
    """By how much the prediction at a point moves when each run is left out; the largest ones."""
    moves = _moves(fit, tuple((k, float(v)) for k, v in at.items()))
    order = np.argsort(-np.abs(moves), kind="stable")[:MOST_BARS][::-1]
    figure, (axes,) = new_figure(width, 24.0 + 4.6 * len(order), grid=False)
    axes.grid(axis="x")
    for up, hatch, colour, label in ((True, "////", ORANGE, "rises"), (False, "", BLUE, "falls")):
        rows = np.flatnonzero((moves[order] > 0) == up)
        if len(rows):
            axes.barh(
                rows, moves[order][rows], color=colour, height=0.7, hatch=hatch, edgecolor="white", lw=0.4,
                label=f"the prediction {label} without the run",
            )  # fmt: skip
    names = [n for n in fit.law.input_names if np.ptp(fit.table.x[n]) > 0]
    labels = [", ".join(short_number(fit.table.x[n][i]) for n in names) + f": {fit.table.y[i]:.4g}" for i in order]
    axes.set_yticks(np.arange(len(order)), labels, fontsize=POINTS)
    axes.set_ylim(-0.8, len(order) - 0.2)
    axes.axvline(0.0, color="0.4", lw=0.8)
    axes.margins(x=0.04)
    name_axes(axes, "Change without the run (%)", _run_names(fit, names))
    legend_below(figure)
    shown = (
        f"the {MOST_BARS} of n = {len(moves)} runs with the largest effect"
        if len(moves) > MOST_BARS
        else f"all n = {len(moves)} runs"
    )
    figure.caption = (
        f"By how much the prediction at {place_words(fit, at)} changes when one run is left out and the law is fitted "
        f"anew: {shown} of {fit.table.source}."
    )
    return figure


def _run_names(fit: Fit, names: list[str]) -> str:
    unit = fit.table.unit or "unit of the table"
    return f"Run ({', '.join(column_title(fit, n) for n in names)}: {y_title(fit)} in {unit})"


def rolling_figure(fit: Fit, level: float = LEVEL, width: float = DOUBLE) -> Picture:
    """How wrong the law was about each next larger level, against how far beyond the smaller ones that lay.

    Raises:
        InputError: too few levels to try.
    """
    rolling = rolling_origin(fit)
    if rolling.rate is None:
        raise InputError(f"{fit.table.source}: too few levels to predict the larger from the smaller", "too-few-levels")
    figure, (axes,) = new_figure(width, 66.0)
    far = np.exp([row.log_distance for row in rolling.rows])
    errors = percent(np.array([row.log_error for row in rolling.rows]))
    reach = np.geomspace(1.0, max(far.max() * 1.15, 2.0), 40)
    t = float(t_quantile(0.5 + level / 2.0, len(rolling.rows)))
    side = np.minimum(t * rolling.rate * np.log(reach), 3.0)
    label = f"{level:.0%} range by the law's record"
    axes.fill_between(reach, percent(-side), percent(side), color=BLUE, alpha=0.15, lw=0, label=label)
    counts = np.array([row.fitted_points for row in rolling.rows])
    label = f"next larger level, predicted from the smaller (n = {len(errors)})"
    points = axes.scatter(
        far, errors, c=counts, cmap=NUMBERS, vmin=counts.min() - 0.5, vmax=counts.max() + 0.5, s=34, edgecolors="black",
        linewidths=0.6, label=label, zorder=3,
    )  # fmt: skip
    bar = figure.colorbar(points, ax=axes, pad=0.02, aspect=25)
    bar.set_label(wrapped("Runs that the law was fitted to (count)", 50.0), fontsize=POINTS)
    bar.set_ticks(np.unique(np.linspace(counts.min(), counts.max(), 5).round()).tolist())
    bar.ax.tick_params(labelsize=POINTS)
    bar.ax.minorticks_off()
    axes.axhline(0.0, color="0.4", lw=0.8)
    most = 1.6 * float(np.abs(errors).max()) + 0.5
    axes.set_ylim(-min(most, 100.0), most)
    axes.set_xlim(reach[0], reach[-1])
    name_axes(axes, "Distance beyond the levels fitted (times)", "Deviation from the prediction (%)")
    legend_below(figure, [axes])
    figure.caption = (
        f"{runs_words(fit)} Each level predicted from all smaller ones (n = {len(errors)} predictions); colour: how "
        f"many runs the law was fitted to. Band: the {level:.0%} range that follows from these errors for a distance."
    )
    return figure
