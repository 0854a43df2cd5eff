"""How well a law predicts what is larger: fitted to the smaller runs, asked for the next ones."""

from dataclasses import dataclass

import numpy as np

from semgjax.scaling.fit import Fit
from semgjax.scaling.refit import predicted, refits

Array = np.ndarray

MOST_SPLITS = 12


@dataclass(frozen=True)
class Row:
    """One point predicted from smaller ones: how far beyond them it lies (log) and log(measured / predicted)."""

    x: dict[str, float]
    log_distance: float
    measured: float
    predicted: float
    fitted_points: int

    @property
    def log_error(self) -> float:
        return float(np.log(self.measured / self.predicted))


@dataclass(frozen=True)
class Rolling:
    """The rows of a rolling origin. rate: root mean square of log error per unit of log distance."""

    rows: tuple[Row, ...]

    @property
    def rate(self) -> float | None:
        if not self.rows:
            return None
        errors, distances = (np.array([getattr(r, name) for r in self.rows]) for name in ("log_error", "log_distance"))
        return float(np.sqrt(np.sum(errors**2) / np.sum(distances**2)))

    @property
    def error(self) -> float | None:
        """Root mean square log error over all rows."""
        return float(np.sqrt(np.mean([r.log_error**2 for r in self.rows]))) if self.rows else None


def rolling_origin(fit: Fit) -> Rolling:
    """Fit the smallest levels that determine the law, predict the next level; add it; and so on.

    Levels are ordered by the sum of the log inputs.
    """
    order, levels = ordered(fit)
    p = fit.free_count
    # A level that counts nothing in the fit says nothing about its law.
    live = np.array([fit.weights[order == k].any() for k in range(len(levels))])
    least = p + 1 if live.sum() > p + 2 else p
    counts = [k for k in range(len(levels)) if live[k] and live[:k].sum() >= least][-MOST_SPLITS:]
    if not len(counts):
        return Rolling(())
    weights = np.array([(order < k).astype(float) for k in counts])
    thetas = refits(fit, weights)
    return Rolling(tuple(_row(fit, order, k, k, theta) for k, theta in zip(counts, thetas, strict=True)))


def leave_largest_out(fit: Fit) -> Row | None:
    """The largest level predicted from all others; None where those do not determine the law."""
    order, levels = ordered(fit)
    k = len(levels) - 1
    if k < fit.free_count or not fit.weights[order == k].any():
        return None
    theta = refits(fit, (order < k).astype(float)[None])[0]
    return _row(fit, order, k, k, theta)


def log_distance(fit: Fit, x: dict[str, Array], order: Array | None = None, below: int | None = None) -> float:
    """Euclidean log distance from the box of the sweep (or of its first levels) to a point; 0 inside."""
    kept = np.ones(len(fit.table.y), bool) if order is None or below is None else order < below
    total = 0.0
    for name in fit.law.input_names:
        seen = fit.table.x[name][kept]
        asked = float(np.asarray(x[name]).reshape(-1)[0])
        if asked <= 0 or (seen <= 0).all():
            continue
        beyond = max(np.log(asked / seen.max()), np.log(seen[seen > 0].min() / asked) if (seen > 0).all() else 0.0, 0.0)
        total += beyond**2
    return float(np.sqrt(total))


def ordered(fit: Fit) -> tuple[Array, Array]:
    """Rank of each row's level by the sum of its log inputs [n], and that sum of each level in rising order."""
    groups = fit.table.groups
    with np.errstate(divide="ignore"):
        size = sum(np.log(np.maximum(fit.table.x[name], 1e-12) / fit.reference[name]) for name in fit.law.input_names)
    means = np.array([np.mean(size[groups == g]) for g in range(groups.max() + 1)])
    rank = np.empty(len(means), int)
    rank[np.argsort(means, kind="stable")] = np.arange(len(means))
    return rank[groups], np.sort(means)


def _row(fit: Fit, order: Array, k: int, level: int, theta: Array) -> Row:
    held = np.flatnonzero((order == level) & (fit.weights > 0))
    x = {name: fit.table.x[name][held[:1]] for name in fit.law.input_names}
    measured = float(np.exp(np.mean(np.log(fit.table.y[held]))))
    # A level may be 1 % wide: each of its rows is predicted at its own place.
    own = {name: fit.table.x[name][held] for name in fit.law.input_names}
    expected = float(np.exp(np.mean(np.log(predicted(fit, theta[None], own)[0]))))
    # Inside the box of the smaller ones a step still is a step: at least 5 %.
    far = max(log_distance(fit, x, order, k), 0.05)
    return Row({n: float(v[0]) for n, v in x.items()}, far, measured, expected, int((order < k).sum()))
