"""The runs of each FLOP budget: the parabola of their loss in log N, and the line through the vertices."""

from dataclasses import dataclass

import numpy as np

from semgjax.scaling.table import Table, count_levels

Array = np.ndarray

# Runs whose compute differs by less belong to one budget: published budgets scatter by a few per cent.
SAME_BUDGET = 1.15
LEAST_SIZES = 3


@dataclass(frozen=True)
class Valley:
    """The runs of one budget: compute (geometric mean, FLOP), the vertex of their parabola and the loss there.

    reason: why there is no vertex, else "".
    """

    compute: float
    runs: int
    optimum: float | None
    loss: float | None
    reason: str


def budget_groups(compute: Array) -> list[Array]:
    """Rows of each budget, in rising order of it."""
    order = np.argsort(compute, kind="stable")
    logs = np.log(compute[order])
    breaks = np.flatnonzero(np.diff(logs) > np.log(SAME_BUDGET)) + 1
    return np.split(order, breaks)


def valley_of(table: Table, compute: Array, index: Array) -> Valley:
    n, y = table.x["N"][index], table.y[index]
    middle = float(np.exp(np.log(compute[index]).mean()))
    sizes = count_levels(n)
    if sizes < LEAST_SIZES:
        return Valley(middle, len(n), None, None, f"{sizes} sizes; a parabola needs {LEAST_SIZES}")
    place, least = vertices(np.log(n), y[None])
    if not np.isfinite(place[0]):
        curve = np.polyfit(np.log(n) - np.log(n).mean(), y, 2)[0]
        reason = "the loss does not rise on both sides" if curve <= 0 else "the least loss lies outside its sizes"
        return Valley(middle, len(n), None, None, reason)
    return Valley(middle, len(n), float(np.exp(place[0])), float(least[0]), "")


def vertices(logs: Array, y: Array) -> tuple[Array, Array]:
    """(log N of the vertex, y there) [s] of the parabola through each of y [s, n]; NaN where it lies outside."""
    centre = logs.mean()
    design = np.stack([np.ones_like(logs), logs - centre, (logs - centre) ** 2], axis=1)
    a, b, curve = (y @ np.linalg.pinv(design).T).T
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.where(curve > 0, -b / (2.0 * curve), np.nan)
        inside = (place >= logs.min() - centre) & (place <= logs.max() - centre)
        return np.where(inside, place + centre, np.nan), np.where(inside, a - b**2 / (4.0 * curve), np.nan)


def lines_through(logs_c: Array, places: Array) -> tuple[Array, Array, Array]:
    """(slope, value at the mean of log C, that mean) [s] of the line through vertices [s, v]; those that are NaN are
    left out, and with fewer than two there is none."""
    known = np.isfinite(places)
    count = known.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_c = np.where(known, logs_c, 0.0).sum(axis=1) / count
        mean_n = np.where(known, places, 0.0).sum(axis=1) / count
        moved = np.where(known, logs_c - mean_c[:, None], 0.0)
        slope = (moved * np.where(known, places - mean_n[:, None], 0.0)).sum(axis=1) / (moved**2).sum(axis=1)
    return np.where(count > 1, slope, np.nan), mean_n, mean_c


def vertex_rows(n: Array, c: Array, y: Array, used: list[Array]) -> tuple[Array, Array]:
    """(mean log C of each budget [v], log N of its vertex [s, v]) for y [s, n]."""
    logs_c = np.array([np.log(c[index]).mean() for index in used])
    return logs_c, np.stack([vertices(np.log(n[index]), y[:, index])[0] for index in used], axis=1)
