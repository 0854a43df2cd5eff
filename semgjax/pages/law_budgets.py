"""Pictures of two inputs: contours of the error, iso-cost valleys, the frontier over budgets."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullLocator

from semgjax.pages.axis_names import Amounts, Powers, in_words, input_label, log_amounts, y_label, y_title
from semgjax.pages.captions import place_words, runs_words
from semgjax.pages.marks import blocking, draw_ends, draw_runs, unbounded_entry
from semgjax.pages.style import (
    BLUE,
    DOUBLE,
    GREEN,
    GREY,
    NUMBERS,
    POINTS,
    YELLOW,
    Picture,
    legend_below,
    name_axes,
    new_figure,
    wrapped,
)
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.decision import Decision
from semgjax.scaling.decide.frontier import Frontier, best_mix, questions
from semgjax.scaling.ends import has_lower_end, has_upper_end
from semgjax.scaling.fit import Fit, predict

Array = np.ndarray

_PANEL = 58.0  # mm


def contour_figure(
    fit: Fit, pair: tuple[str, str], at: Mapping[str, float] | None = None, reach: float = 8.0, width: float = DOUBLE
) -> Picture:
    """The error over two inputs, to `reach` times beyond the sweep; the frame is the sweep's range."""
    at = dict(at or {})
    figure, (axes,) = new_figure(width, min(0.62 * width, 100.0), grid=False)
    first, second = (fit.table.x[name] for name in pair)
    grids = [np.geomspace(v[v > 0].min() / 1.5, v.max() * reach, 61) for v in (first, second)]
    mesh = np.meshgrid(*grids, indexing="ij")
    y = predict(fit, {**at, pair[0]: mesh[0], pair[1]: mesh[1]})
    levels = np.unique([float(f"{v:.2g}") for v in np.geomspace(y.min() * 1.02, y.max() * 0.98, 9)])
    norm = LogNorm(y.min(), y.max())
    filled = axes.contourf(*mesh, y, levels=np.geomspace(y.min(), y.max(), 40), cmap=NUMBERS, norm=norm)
    lines = axes.contour(*mesh, y, levels=levels, colors="white", linewidths=0.8)
    bar = figure.colorbar(filled, ax=axes, pad=0.02, aspect=25)
    bar.add_lines(lines)
    _number_bar(bar, levels, y_label(fit))
    corner = (first.min(), second.min())
    frame = Rectangle(
        corner, np.ptp(first), np.ptp(second), fill=False, ec="black", ls="--", lw=1.2, label="range of the sweep"
    )
    axes.add_patch(frame)
    draw_runs(axes, first, second, f"runs ({len(first)})")
    axes.set_xlim(grids[0][0], grids[0][-1])
    axes.set_ylim(grids[1][0], grids[1][-1])
    log_amounts(axes)
    log_amounts(axes, "y")
    held = place_words(fit, at, short=True)
    name_axes(axes, input_label(fit, pair[0]), input_label(fit, pair[1]))
    legend_below(figure, [axes])
    figure.caption = (
        f"{runs_words(fit)} Colour and lines of equal value: {y_title(fit)} of the fitted curve over "
        f"{in_words(fit, pair[0])} and {in_words(fit, pair[1])}{f', at {held}' if held else ''}. Outside of the "
        "frame the law is extrapolated."
    )
    return figure


def _number_bar(bar: Colorbar, ticks: Array, label: str) -> None:
    bar.set_label(wrapped(label, 60.0), fontsize=POINTS)
    bar.ax.yaxis.set_major_locator(FixedLocator(list(ticks)))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(Powers() if max(ticks) >= 1e12 else Amounts())
    bar.ax.tick_params(labelsize=POINTS)


def valley_figure(
    fit: Fit, cost: Cost, budgets: Sequence[float], pair: tuple[str, str], at: Mapping[str, float] | None = None,
    width: float = DOUBLE,
) -> Picture:  # fmt: skip
    """Error against the first input at fixed cost: one valley for each budget, its lowest place marked."""
    at = dict(at or {})
    budgets = sorted(budgets)
    figure, (axes,) = new_figure(width, 76.0)
    sizes = fit.table.x[pair[0]]
    spent = cost.at({**at, **fit.table.x})
    colours = matplotlib.colormaps[NUMBERS](np.linspace(0.0, 0.85, len(budgets)))
    tops, drawn = [], []
    for number, (budget, colour) in enumerate(zip(budgets, colours, strict=True)):
        place, least = (v[0] for v in best_mix(fit, fit.theta[None], cost, budget, pair, at))
        centre = place if np.isfinite(place) else float(np.sqrt(sizes.min() * sizes.max()))
        grid = np.geomspace(centre / 30.0, centre * 30.0, 121)
        others = cost.solve(pair[1], budget, {**at, pair[0]: grid})
        kept = np.isfinite(others)
        y = predict(fit, {**at, pair[0]: grid[kept], pair[1]: others[kept]})
        label = "" if number else "fitted curve at one cost"
        axes.plot(grid[kept], y, color=colour, lw=1.6, label=label)
        tops.append(float(y.min()))
        drawn.append(grid[kept])
        asked = questions(fit, cost, budget, pair, at)[0]
        if np.isfinite(place) and asked.unanswerable(fit, float(place)) is None:
            axes.plot([place], [least], "*", color=colour, ms=11, mec="black", mew=0.6, zorder=4)
        near = np.abs(np.log(spent / budget)) < 0.35
        axes.plot(sizes[near], fit.table.y[near], "o", color=colour, ms=4.5, mec="black", mew=0.5, zorder=3)
    axes.plot([], [], "*", color="0.5", ms=11, mec="black", mew=0.6, label="best mix at that cost")
    axes.plot([], [], "o", color="0.5", ms=4.5, mec="black", mew=0.5, label="runs within 1.4 times of that cost")
    axes.set_xlim(min(v.min() for v in drawn), max(v.max() for v in drawn))
    axes.set_yscale("log")
    axes.set_ylim(0.94 * min(tops), 2.2 * max(tops))
    log_amounts(axes)
    log_amounts(axes, "y")
    name_axes(axes, input_label(fit, pair[0]), y_label(fit))
    _budget_bar(figure, axes, budgets, colours, cost)
    legend_below(figure, [axes])
    figure.caption = (
        f"{runs_words(fit)} {y_title(fit)} of the fitted curve at fixed cost {cost.text} ({cost.unit}), which the "
        f"colour gives (n = {len(budgets)} budgets); the rest of each goes into {in_words(fit, pair[1])}. "
        "Stars: least error."
    )
    return figure


def _budget_bar(figure: Picture, axes: Axes, budgets: Sequence[float], colours: Array, cost: Cost) -> None:
    places = np.arange(len(budgets) + 1) - 0.5
    shades = matplotlib.cm.ScalarMappable(BoundaryNorm(places, len(budgets)), ListedColormap(colours))
    bar = figure.colorbar(shades, ax=axes, pad=0.02, aspect=25)
    bar.set_label(wrapped(f"Cost of a run ({cost.unit})", 60.0), fontsize=POINTS)
    text = Powers() if cost.unit == "FLOP" or max(budgets) >= 1e12 else Amounts()
    bar.set_ticks(list(range(len(budgets))))
    bar.ax.minorticks_off()
    bar.ax.yaxis.set_major_formatter(_Listed(budgets, text))
    bar.ax.tick_params(labelsize=POINTS)


class _Listed(Powers):
    """The label of the i-th of some numbers."""

    def __init__(self, numbers: Sequence[float], text: Powers | Amounts) -> None:
        super().__init__()
        self.numbers, self.text = numbers, text

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.text(self.numbers[round(x)]) if 0 <= round(x) < len(self.numbers) else ""


def frontier_figure(
    fit: Fit, rows: Sequence[Frontier], cost: Cost, pair: tuple[str, str], width: float = DOUBLE
) -> Picture:
    """The best mix and its error against the budget, each with its three layers."""
    columns = min(3, max(int(width / _PANEL), 1))
    figure, axes = new_figure(width, 62.0, -(-3 // columns), columns)
    for one in axes[3:]:
        one.remove()
    budgets = np.array([row.budget for row in rows])
    spent = cost.at(fit.table.x) if set(cost.inputs) <= set(fit.table.x) else None
    parts = [
        ([row.first for row in rows], input_label(fit, pair[0])),
        ([row.second for row in rows], input_label(fit, pair[1])),
        ([row.error for row in rows], y_label(fit)),
    ]
    open_ends = False
    for one, (decisions, label) in zip(axes, parts, strict=False):
        one.set_xlim(budgets[0] / 1.2, budgets[-1] * 1.2)
        one.set_xscale("log")
        open_ends |= _draw_layers(one, budgets, decisions)
        if spent is not None and budgets[-1] > spent.max():
            one.axvspan(max(spent.max(), budgets[0] / 1.2), budgets[-1] * 1.2, color="0.93", lw=0, zorder=0)
        log_amounts(one, powers=cost.unit == "FLOP")
        if any(d.value is not None and np.isfinite(d.value) for d in decisions):
            log_amounts(one, "y")
        else:
            one.yaxis.set_major_locator(NullLocator())
            one.yaxis.set_minor_locator(NullLocator())
        name_axes(one, f"Cost of a run ({cost.unit})", label)
    extra = [unbounded_entry()] if open_ends else []
    legend_below(figure, extra=extra)
    level = rows[0].error.level
    codes = blocking(fit, level)
    method = next((d.method for row in rows for d in (row.first, row.error) if d.method), "no interval")
    blocked = f" Not all answers are shown: {', '.join(codes)} (error)." if codes else ""
    figure.caption = (
        f"{runs_words(fit)} For each budget (cost {cost.text}) the mix of {in_words(fit, pair[0])} and "
        f"{in_words(fit, pair[1])} with the least error, and that error. Blue: {level:.0%} interval of the answer by "
        f"{method}; yellow: range over other objectives, laws and points; dotted: what shorter sweeps would have "
        f"answered. Grey: beyond the sweep's largest cost.{blocked}"
    )
    return figure


def _draw_layers(axes: Axes, budgets: Array, decisions: Sequence[Decision]) -> bool:
    """One panel; whether an interval has no end somewhere."""
    values = np.array([np.nan if d.value is None or not np.isfinite(d.value) else d.value for d in decisions])
    good = values[np.isfinite(values)]
    axes.set_yscale("log")
    low, high = (good.min() / 4.0, good.max() * 4.0) if len(good) else (1.0, 10.0)
    axes.set_ylim(low, high)
    open_ends = False
    layers = (
        ("choice", [d.choice for d in decisions], YELLOW, 0.3),
        ("sampling", [d.interval for d in decisions], BLUE, 0.25),
    )
    for label, ends, colour, alpha in layers:
        kept = np.array([e is not None for e in ends])
        if kept.any():
            bounds = np.array([e for e in ends if e is not None]).T
            open_ends |= draw_ends(axes, budgets[kept], *bounds, color=colour, alpha=alpha, label=label)
    record = [d.extrapolation for d in decisions]
    kept = np.array([e is not None and has_upper_end(e) and has_lower_end(e) for e in record])
    if kept.any():
        for line, name in zip(
            np.array([e for e, k in zip(record, kept, strict=True) if k]).T, ("shorter sweeps", ""), strict=True
        ):
            axes.plot(budgets[kept], line, ":", color=GREY, lw=1.3, label=name)
    if len(good):
        axes.plot(budgets, values, "-", marker="o", color=GREEN, lw=1.6, ms=4.5, label="best")
    lost = ~np.isfinite(values)
    if lost.any():
        place = np.full(lost.sum(), 0.985)
        axes.plot(
            budgets[lost], place, "X", color=GREEN, ms=6, clip_on=False, ls="", transform=axes.get_xaxis_transform(),
            label="blocked: no number" if any(d.blocked for d in decisions) else "no answer within reach",
        )  # fmt: skip
    return open_ends
