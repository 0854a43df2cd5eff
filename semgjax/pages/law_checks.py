"""Pictures to judge a fit by: residuals, profiles, influence of single runs, rolling origin."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from semgjax.errors import InputError
from semgjax.pages.law_plot import short_number
from semgjax.pages.style import (
    BLUE,
    CYCLE,
    GREY,
    ORANGE,
    input_label,
    log_amounts,
    new_figure,
    percent,
    y_label,
)
from semgjax.scaling.ends import span
from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.profile import LEVEL, no_interval_reason, prediction_interval, profile_f
from semgjax.scaling.quantiles import f_quantile, normal_quantile, t_quantile
from semgjax.scaling.refit import influence
from semgjax.scaling.rolling import rolling_origin

Array = np.ndarray

MOST_BARS = 24


def residual_figure(fit: Fit) -> Figure:
    """Residuals in per cent against each input and the fitted value, and against normal quantiles."""
    names = [n for n in fit.law.input_names if np.ptp(fit.table.x[n]) > 0]
    count = len(names) + 2
    columns = min(count, 3)  # more beside each other would be too small to read on a page
    rows = -(-count // columns)
    figure, places = new_figure(3.4 * columns, 3.2 * rows, rows, columns)
    axes, left = places[:count], places[count:]
    for one in left:
        one.remove()
    residuals = percent(fit.residuals)
    for one, name in zip(axes, names, strict=False):
        one.plot(fit.table.x[name], residuals, "o", color=BLUE, ms=5, mec="white")
        log_amounts(one)
        one.set_xlabel(input_label(fit, name))
    axes[-2].plot(predict(fit, fit.table.x), residuals, "o", color=BLUE, ms=5, mec="white")
    axes[-2].set_xlabel(f"fitted {y_label(fit)}")
    n = len(residuals)
    quantiles = normal_quantile((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    axes[-1].plot(quantiles, np.sort(residuals), "o", color=BLUE, ms=5, mec="white")
    if fit.scatter is not None:
        axes[-1].plot(quantiles, percent(quantiles * fit.scatter), color=GREY, lw=1, label="normal noise")
        axes[-1].legend(frameon=False, fontsize=8.5)
        for one in axes[:-1]:
            for side in (-2.0, 2.0):
                one.axhline(float(percent(np.array(side * fit.scatter))), color=GREY, lw=0.9, ls=":")
    axes[-1].set_xlabel("normal quantile")
    for one in axes:
        one.axhline(0.0, color="0.4", lw=0.9)
    for one in axes[::columns]:
        one.set_ylabel("measured over fitted (%)")
    return figure


def profile_figure(fit: Fit, points: list[Mapping[str, float]], level: float = LEVEL) -> Figure:
    """How strongly the points reject each value of the curve at some places; the interval is what lies below the line.

    Raises:
        InputError: the fit has no interval.
    """
    if no_interval_reason(fit) is not None:
        raise InputError(f"{fit.table.source}: no profile: {no_interval_reason(fit)}", "too-few-levels")
    figure, (axes,) = new_figure(6.4, 4.2)
    cut = float(f_quantile(level, 1, fit.degrees_of_freedom))
    for point, colour in zip(points, CYCLE, strict=False):
        value = float(predict(fit, point))
        low, high = prediction_interval(fit, point, level) or (value, value)
        shown = span((low, high))
        low, high = max(low, 0.02 * value), min(high, 50.0 * value)
        values = np.concatenate(
            [
                np.geomspace(low * (low / value) ** 0.35, value, 13),
                np.geomspace(value, high * (high / value) ** 0.35, 13)[1:],
            ]
        )
        stat = profile_f(fit, point, values, level)
        place = ", ".join(f"{fit.table.column(k)} {short_number(v)}" for k, v in point.items())
        axes.plot(values, np.sqrt(stat), color=colour, lw=1.8, label=f"at {place}: {value:.4g} {shown}")
    axes.axhline(np.sqrt(cut), color=GREY, ls="--", lw=1)
    axes.annotate(f"rejected at {level:.0%}", (0.01, np.sqrt(cut)), (0, 3), textcoords="offset points",
                  xycoords=("axes fraction", "data"), fontsize=8.5, color=GREY)  # fmt: skip
    axes.set_ylim(0.0, 2.0 * np.sqrt(cut))
    axes.set_xlabel(f"{y_label(fit)} of the curve")
    axes.set_ylabel("root of the profile's F statistic")
    axes.legend(frameon=False, fontsize=8.5, loc="upper center")
    return figure


def influence_figure(fit: Fit, at: Mapping[str, float]) -> Figure:
    """By how much the prediction at a point moves when each run is left out; the largest ones."""
    moves = percent(influence(fit, {k: np.array([v]) for k, v in at.items()}))
    order = np.argsort(-np.abs(moves), kind="stable")[:MOST_BARS][::-1]
    figure, (axes,) = new_figure(6.4, 0.6 + 0.24 * len(order) + 0.6)
    axes.barh(np.arange(len(order)), moves[order], color=[ORANGE if m > 0 else BLUE for m in moves[order]], height=0.7)
    names = [n for n in fit.law.input_names if np.ptp(fit.table.x[n]) > 0]
    labels = [
        ", ".join(f"{fit.table.column(n)} {short_number(fit.table.x[n][i])}" for n in names) + f": {fit.table.y[i]:.4g}"
        for i in order
    ]
    axes.set_yticks(np.arange(len(order)), labels, fontsize=7.5)
    axes.axvline(0.0, color="0.4", lw=0.9)
    place = ", ".join(f"{fit.table.column(k)} {short_number(v)}" for k, v in at.items())
    # Of the figure, not of the axes, which are narrow beside long names.
    figure.supxlabel(f"change of the prediction (%) without the run\nat {place}", fontsize=9.5)
    if len(moves) > MOST_BARS:
        axes.set_title(f"the {MOST_BARS} largest of {len(moves)}", loc="left", fontsize=9, color=GREY)
    return figure


def rolling_figure(fit: Fit, level: float = LEVEL) -> Figure:
    """How wrong the law was about each next larger level, against how far beyond the smaller ones that lay.

    Raises:
        InputError: too few levels to try.
    """
    rolling = rolling_origin(fit)
    if rolling.rate is None:
        raise InputError(f"{fit.table.source}: too few levels to predict the larger from the smaller", "too-few-levels")
    figure, (axes,) = new_figure(6.4, 4.2)
    far = np.exp([row.log_distance for row in rolling.rows])
    errors = percent(np.array([row.log_error for row in rolling.rows]))
    reach = np.geomspace(1.0, max(far.max() * 1.15, 2.0), 40)
    t = float(t_quantile(0.5 + level / 2.0, len(rolling.rows)))
    side = np.minimum(t * rolling.rate * np.log(reach), 3.0)
    label = f"what the law's record says at {level:.0%}"
    axes.fill_between(reach, percent(-side), percent(side), color=BLUE, alpha=0.15, lw=0, label=label)
    axes.plot(far, errors, "o", color=ORANGE, ms=7, mec="white", label="next larger level, predicted from the smaller")
    for row, x, y in zip(rolling.rows, far, errors, strict=True):
        axes.annotate(f"{row.fitted_points} runs", (x, y), (5, 4), textcoords="offset points", fontsize=7.5, color=GREY)
    axes.axhline(0.0, color="0.4", lw=0.9)
    most = 1.6 * float(np.abs(errors).max()) + 0.5
    axes.set_ylim(-min(most, 100.0), most)
    axes.set_xlim(reach[0], reach[-1])
    axes.set_xlabel("times beyond the levels fitted")
    axes.set_ylabel("measured over predicted (%)")
    axes.legend(frameon=False, fontsize=8.5)
    return figure
