"""Runs, outlying runs and interval ends as they are drawn in every figure of a law."""

from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semgjax.pages.style import BLUE, GREY, ORANGE
from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.ends import has_lower_end, has_upper_end
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import LEVEL, parameter_intervals

Array = np.ndarray

LOW_WEIGHT = 0.5
"""A run that the fit weighs at less than this share of a regular one is ringed."""
_ARROWS = 7


@lru_cache(maxsize=32)
def blocking(fit: Fit, level: float = LEVEL) -> tuple[str, ...]:
    """Codes of the error-level findings of a fit, for which no number of it is shown."""
    found = diagnose(fit, parameter_intervals(fit, level), level)
    return tuple(dict.fromkeys(d.code for d in found if d.severity == "error"))


def outlying_weights(fit: Fit) -> Array | None:
    """How much each run counts in the fit [n]; None where all count fully."""
    return fit.run_weights if (fit.run_weights < 1.0).any() else None


def draw_runs(axes: Axes, x: Array, y: Array, label: str, weights: Array | None = None, colour: str = ORANGE) -> None:
    """Measured runs; weights [n]: of each in the fit, 1 for a regular one: those below LOW_WEIGHT are ringed."""
    axes.plot(x, y, "o", color=colour, ms=5.5, mec="white", mew=0.8, label=label, zorder=5)
    if weights is not None:
        ring_outlying(axes, x, y, weights)


def ring_outlying(axes: Axes, x: Array, y: Array, weights: Array) -> None:
    """Rings around runs of low weight, larger the less a run weighs."""
    low = np.flatnonzero(weights < LOW_WEIGHT)
    if not len(low):
        return
    label = f"outlying, weight below {LOW_WEIGHT:g} ({len(low)})"
    sizes = 60.0 + 110.0 * (1.0 - weights[low] / LOW_WEIGHT)
    axes.scatter(x[low], y[low], s=sizes, facecolors="none", edgecolors="black", linewidths=1.1, label=label, zorder=6)


def draw_ends(
    axes: Axes, x: Array, low: Array, high: Array, color: str = BLUE, alpha: float = 0.2, label: str = "",
    zorder: float = 1.0,
) -> bool:  # fmt: skip
    """A band between interval ends, over limits that are set; whether some place has no upper or no lower end.

    Ends that nothing bounds are drawn as arrows at the edge of the axes, and the band runs out of the picture there.
    """
    bottom, top = axes.get_ylim()
    ends = list(zip(low.tolist(), high.tolist(), strict=True))
    open_high = np.array([not has_upper_end(pair) for pair in ends], bool)
    open_low = np.array([not has_lower_end(pair) for pair in ends], bool)
    beyond = 10.0 * top
    high = np.where(open_high, beyond, np.minimum(np.nan_to_num(high, nan=beyond, posinf=beyond), beyond))
    least = bottom / 10.0 if axes.get_yscale() == "log" else min(bottom, 0.0)
    low = np.where(open_low, least, np.maximum(np.nan_to_num(low, nan=least, neginf=least), least))
    axes.fill_between(x, low, high, color=color, alpha=alpha, lw=0, label=label, zorder=zorder)
    for there, edge, mark in ((open_high, 0.985, "^"), (open_low, 0.015, "v")):
        places = np.flatnonzero(there)
        if len(places):
            places = places[:: max(len(places) // _ARROWS, 1)]
            axes.plot(
                x[places], np.full(len(places), edge), mark, color=color, ms=5, clip_on=False, ls="",
                transform=axes.get_xaxis_transform(), zorder=4,
            )  # fmt: skip
    return bool(open_high.any() or open_low.any())


def unbounded_entry() -> tuple[Line2D, str]:
    """The legend's entry for the arrows of `draw_ends`."""
    return Line2D([], [], marker="^", color=GREY, ls="", ms=5), "arrow: the interval has no end there"
