"""Pictures of two inputs: contours of the error, iso-cost valleys, the frontier over budgets."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from semgjax.pages.law_plot import short_number
from semgjax.pages.style import (
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    ORANGE,
    YELLOW,
    input_label,
    log_amounts,
    new_figure,
    y_label,
)
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.decision import Decision
from semgjax.scaling.decide.frontier import Frontier, best_mix, questions
from semgjax.scaling.fit import Fit, predict

Array = np.ndarray


def contour_figure(
    fit: Fit, pair: tuple[str, str], at: Mapping[str, float] | None = None, reach: float = 8.0
) -> Figure:
    """Lines of equal error over two inputs, to `reach` times beyond the sweep; the frame is the sweep's range."""
    at = dict(at or {})
    figure, (axes,) = new_figure(6.6, 5.0)
    first, second = (fit.table.x[name] for name in pair)
    grids = [np.geomspace(v.min() / 1.5, v.max() * reach, 61) for v in (first, second)]
    mesh = np.meshgrid(*grids, indexing="ij")
    y = predict(fit, {**at, pair[0]: mesh[0], pair[1]: mesh[1]})
    levels = np.geomspace(y.min() * 1.02, y.max() * 0.98, 11)
    levels = np.unique([float(f"{v:.2g}") for v in levels])
    axes.contourf(*mesh, y, levels=np.geomspace(y.min(), y.max(), 40), cmap="YlGnBu_r", alpha=0.55)
    lines = axes.contour(*mesh, y, levels=levels, colors="0.25", linewidths=0.9)
    axes.clabel(lines, fmt=lambda v: f"{v:.3g}", fontsize=8.5)
    corner = (first.min(), second.min())
    frame = Rectangle(corner, np.ptp(first), np.ptp(second), fill=False, ec=GREY, ls="--", lw=1.2, label="the sweep")
    axes.add_patch(frame)
    axes.plot(first, second, "o", color=ORANGE, ms=5.5, mec="white", label=f"{len(first)} runs")
    axes.set_xlim(grids[0][0], grids[0][-1])
    axes.set_ylim(grids[1][0], grids[1][-1])
    log_amounts(axes)
    log_amounts(axes, "y")
    axes.grid(False)
    axes.set_xlabel(input_label(fit, pair[0]))
    axes.set_ylabel(input_label(fit, pair[1]))
    held = ", ".join(f"{fit.table.column(k)} {short_number(v)}" for k, v in at.items())
    axes.set_title(f"{y_label(fit)}{' at ' + held if held else ''}", loc="left", fontsize=10.5)
    axes.legend(frameon=True, fontsize=8.5, loc="upper right")
    return figure


def valley_figure(
    fit: Fit, cost: Cost, budgets: Sequence[float], pair: tuple[str, str], at: Mapping[str, float] | None = None
) -> Figure:
    """Error against the first input at fixed cost: one valley for each budget, its lowest place marked."""
    at = dict(at or {})
    figure, (axes,) = new_figure(6.8, 4.6)
    sizes = fit.table.x[pair[0]]
    spent = cost.at({**at, **fit.table.x})
    tops = []
    for budget, colour in zip(budgets, CYCLE, strict=False):
        place, least = (v[0] for v in best_mix(fit, fit.theta[None], cost, budget, pair, at))
        centre = place if np.isfinite(place) else float(np.sqrt(sizes.min() * sizes.max()))
        grid = np.geomspace(centre / 30.0, centre * 30.0, 121)
        others = cost.solve(pair[1], budget, {**at, pair[0]: grid})
        kept = np.isfinite(others)
        y = predict(fit, {**at, pair[0]: grid[kept], pair[1]: others[kept]})
        axes.plot(grid[kept], y, color=colour, lw=1.8, label=f"{budget:.3g} {cost.unit}")
        tops.append(float(y.min()))
        asked = questions(fit, cost, budget, pair, at)[0]
        if np.isfinite(place) and asked.unanswerable(fit, float(place)) is None:
            axes.plot([place], [least], "*", color=colour, ms=13, mec="white", zorder=4)
        near = np.abs(np.log(spent / budget)) < 0.35
        axes.plot(sizes[near], fit.table.y[near], "o", color=colour, ms=5, mec="white", zorder=3)
    axes.set_ylim(0.94 * min(tops), 2.2 * max(tops))
    axes.set_yscale("log")
    log_amounts(axes)
    log_amounts(axes, "y")
    axes.set_xlabel(input_label(fit, pair[0]))
    axes.set_ylabel(y_label(fit))
    axes.set_title(f"cost {cost.text}; stars: best; dots: runs within 1.4 times", loc="left", fontsize=9.5, color=GREY)
    axes.legend(frameon=False, fontsize=8.5)
    return figure


def frontier_figure(fit: Fit, rows: Sequence[Frontier], cost: Cost, pair: tuple[str, str]) -> Figure:
    """The best mix and its error against the budget, each with its three layers."""
    figure, axes = new_figure(11.0, 3.7, 1, 3)
    budgets = np.array([row.budget for row in rows])
    spent = cost.at(fit.table.x) if set(cost.inputs) <= set(fit.table.x) else None
    parts = [
        ([row.first for row in rows], input_label(fit, pair[0])),
        ([row.second for row in rows], input_label(fit, pair[1])),
        ([row.error for row in rows], y_label(fit)),
    ]
    for one, (decisions, label) in zip(axes, parts, strict=True):
        _draw_layers(one, budgets, decisions)
        if spent is not None and budgets[-1] > spent.max():
            one.axvspan(spent.max(), budgets[-1] * 1.2, color="0.94", lw=0, zorder=0)
        one.set_xlim(budgets[0] / 1.2, budgets[-1] * 1.2)
        one.set_yscale("log")
        log_amounts(one)
        log_amounts(one, "y")
        one.set_xlabel(f"budget ({cost.unit})")
        one.set_ylabel(label)
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _draw_layers(axes, budgets: Array, decisions: Sequence[Decision]) -> None:
    values = np.array([np.nan if d.value is None or not np.isfinite(d.value) else d.value for d in decisions])
    layers = (
        ("choice", [d.choice for d in decisions], YELLOW, 0.22),
        ("sampling", [d.interval for d in decisions], BLUE, 0.22),
    )
    for label, ends, colour, alpha in layers:
        kept = np.array([e is not None for e in ends])
        if kept.any():
            low, high = np.array([e for e in ends if e is not None]).T
            top = np.nanmax(values) * 1e4 if np.isfinite(values).any() else 1e30
            axes.fill_between(budgets[kept], low, np.minimum(high, top), color=colour, alpha=alpha, lw=0, label=label)
    ends = [d.extrapolation for d in decisions]
    kept = np.array([e is not None and np.isfinite(e[1]) for e in ends])
    if kept.any():
        low, high = np.array([e for e in ends if e is not None and np.isfinite(e[1])]).T
        for line, name in ((low, "shorter sweeps"), (high, "")):
            axes.plot(budgets[kept], line, ":", color=GREY, lw=1.3, label=name or None)
    axes.plot(budgets, values, "-", marker="o", color=GREEN, lw=1.8, ms=5, label="best")
    good = values[np.isfinite(values)]
    if len(good):
        axes.set_ylim(good.min() / 4.0, good.max() * 4.0)
