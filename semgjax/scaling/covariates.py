"""Columns beside a law's inputs that say how the runs were trained: steps, tokens, learning rate, hours.

A table's known columns are read along (`Table.covariates`). Two questions are asked of each: do the residuals move with
it, beyond what the law's own parameters take up (F test), and were the largest runs trained for less than the others?
"""

from dataclasses import dataclass

import numpy as np

from semgjax.scaling.drift import active_coordinates, slopes_at
from semgjax.scaling.fit import Fit
from semgjax.scaling.quantiles import f_tail
from semgjax.scaling.rolling import ordered

Array = np.ndarray

_TRAINING = ("steps", "tokens", "hours")
_APART = 1e-3  # share of a covariate's spread that the law's slopes must leave
_LESS = 0.7  # of the others' median: training that is shorter by more is named


@dataclass(frozen=True)
class Dependence:
    """How residuals move with the log of a column: exponent, and p of none."""

    column: str
    exponent: float
    p: float


@dataclass(frozen=True)
class Shorter:
    """The largest runs' training, over the median of the others: of `column`, or of column per parameter."""

    column: str
    ratio: float


def dependences(fit: Fit) -> list[Dependence]:
    """The columns that the residuals can be compared with, with the p of each."""
    n, root = len(fit.table.y), np.sqrt(fit.weights)
    active = active_coordinates(fit, fit.theta)
    slopes = slopes_at(fit, fit.theta, fit.table.x)[:, active] * root[:, None]
    u, s, _ = np.linalg.svd(slopes, full_matrices=False)
    basis = u[:, s > 1e-7 * s.max(initial=1e-300)]
    freedom = n - basis.shape[1] - 1
    residuals = fit.residuals * root
    residuals = residuals - basis @ (basis.T @ residuals)
    found: list[Dependence] = []
    if freedom < 2:
        return found
    for name, values in fit.table.covariates.items():
        logs = np.log(values)
        spread = (logs - logs.mean()) * root
        left = logs * root - basis @ (basis.T @ (logs * root))
        if left @ left <= _APART * max(spread @ spread, 1e-12):
            continue
        exponent = float(left @ residuals / (left @ left))
        rest = residuals - exponent * left
        statistic = (exponent**2 * (left @ left)) / max(float(rest @ rest) / freedom, 1e-300)
        found.append(Dependence(name, exponent, float(f_tail(statistic, 1, freedom))))
    return found


def shorter_training(fit: Fit) -> list[Shorter]:
    """In which columns the largest runs were trained for less than the others; per parameter where the law has N."""
    order, levels = ordered(fit)
    held = order == len(levels) - 1
    found = []
    for name, values in fit.table.covariates.items():
        if name.lower() not in _TRAINING:
            continue
        for label, training in ((name, values), (f"{name} per parameter", values / fit.table.x.get("N", np.nan))):
            ratio = float(np.median(training[held]) / np.median(training[~held]))
            if np.isfinite(ratio) and ratio < _LESS:
                found.append(Shorter(label, ratio))
                break
    return found
