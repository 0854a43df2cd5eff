"""Whether the errors of a table are all in one unit: fractions under "%", a row a hundred times off."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from semgjax.scaling.table import Table

Array = np.ndarray

# Percent against fraction is a factor of 100, seconds against milliseconds 1000; a run that failed is rarely that far
# off. A row counts from this factor on, and only where it stands out from the scatter of the others.
_FACTOR = 30.0
_SCALES = 8.0
_MOST_PAIRS = 20_000
_ROUNDS = 60


def look_like_fractions(table: Table) -> bool:
    """Whether error rates said to be in percent are all below 1: fractions, most likely."""
    return table.unit == "%" and bool(np.all(table.y < 1.0))


def rows_in_another_unit(table: Table, inputs: Sequence[str]) -> list[int]:
    """Rows whose y lies a factor of 30 or more off the trend of the others.

    The trend is a line of logarithms that one bad row in a few cannot bend: the median of the slopes between all pairs
    (Theil and Sen) over one input, least absolute deviations over several.
    """
    logs = np.log(table.y)
    columns = [np.log(np.maximum(table.x[name], 1e-12)) for name in inputs]
    varied = [column for column in columns if np.ptp(column) > 0]
    if len(logs) < 4 or not varied:
        return []
    trend = _median_slope(varied[0], logs) if len(varied) == 1 else _least_absolute(varied, logs)
    off = np.abs(logs - trend - np.median(logs - trend))
    return [int(i) for i in np.flatnonzero((off > np.log(_FACTOR)) & (off > _SCALES * np.median(off)))]


def _median_slope(x: Array, y: Array) -> Array:
    step = max(1, len(x) * (len(x) - 1) // 2 // _MOST_PAIRS)
    pairs = np.array(list(combinations(range(len(x)), 2)))[::step]
    run = x[pairs[:, 1]] - x[pairs[:, 0]]
    rise = y[pairs[:, 1]] - y[pairs[:, 0]]
    return np.median(rise[run != 0] / run[run != 0]) * x


def _least_absolute(columns: list[Array], y: Array) -> Array:
    plane = np.column_stack([np.ones(len(y)), *columns])
    weights = np.ones(len(y))
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        fitted = plane @ np.linalg.lstsq(plane * root[:, None], y * root, rcond=None)[0]
        weights = 1.0 / np.maximum(np.abs(y - fitted), 1e-6)
    return fitted
