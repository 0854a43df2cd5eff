"""Draws of a fit: the fit again on resampled data, many at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.fit import Fit, Point, parameter_table, points_of, predict
from semgjax.scaling.noise import noise_draws
from semgjax.scaling.objective import residuals_on
from semgjax.scaling.solver import Problems, solve

Array = np.ndarray
DrawKind = Literal["residual", "pairs", "cluster", "users"]

SHARP = 1e-4  # delta of absolute errors in draws, in units of the residuals' scale: far below sampling noise


@dataclass(frozen=True, eq=False)
class Draws:
    """k refits of `fit`: coordinates thetas [k, p], those that ended in a minimum, and their numbers [k]."""

    fit: Fit
    kind: DrawKind
    thetas: Array
    numbers: Array


def draw(fit: Fit, count: int = 1000, kind: DrawKind = "residual", seed: int = 0) -> Draws:
    """Refit resampled data `count` times.

    residual: the curve plus noise of one of the models that the residuals allow (`semgjax.scaling.noise`), whose
    rows may share effects; a row's own noise is drawn from the residuals, scaled to n - p degrees of freedom and in
    each draw times sqrt((n - p) / chi2): few points know their own scatter badly, and so the draws spread as t does.
    pairs: rows with replacement. cluster: rows that share `table.clusters` (else the replicates of a point) together.
    users: test users with replacement, the same for every row; y is then the mean over the drawn users, times
    the ratio of y to the mean over all of them. Two fits with the same users and seed get the same users.

    Raises:
        InputError: no degrees of freedom for residual, or no test users in the table.
    """
    random = np.random.default_rng(seed)
    table, n = fit.table, len(fit.table.y)
    y = fit.problem.y[None]
    weights = fit.weights[None]
    if kind == "residual":
        if fit.degrees_of_freedom <= 0:
            raise InputError(
                f"{table.source}: {n} points for {fit.free_count} parameters leave no residuals to draw from",
                "too-few-levels",
            )
        y = _residual_draws(fit, count, random)
    elif kind == "pairs":
        weights = weights * random.multinomial(n, np.full(n, 1.0 / n), size=count)
    elif kind == "cluster":
        groups = table.groups if table.clusters is None else np.unique(table.clusters, return_inverse=True)[1]
        m = int(groups.max()) + 1
        weights = weights * random.multinomial(m, np.full(m, 1.0 / m), size=count)[:, groups]
    elif kind == "users":
        y = fit.problem.y * user_factors(fit, count, random)
    else:
        raise InputError(f"draws of kind {kind!r}: choose residual, pairs, cluster or users", "bad-value")
    problems = problems_of(fit, y, weights)
    ends = solve(fit.law, problems, np.tile(fit.theta, (count, 1)), most=60)
    kept = np.isfinite(ends.value) & np.isfinite(ends.theta).all(axis=1)
    return Draws(fit, kind, ends.theta[kept], np.flatnonzero(kept))


def user_factors(fit: Fit, count: int, random: np.random.Generator) -> Array:
    """Mean error of resampled test users over that of all, for each draw and row [k, n]."""
    table = fit.table
    if table.users_y is None or len(table.users) < 2:
        raise InputError(f"{table.source}: has no errors of two or more single test users", "too-few-levels")
    m = len(table.users)
    shares = random.multinomial(m, np.full(m, 1.0 / m), size=count) / m
    known = np.isfinite(table.users_y)
    sums = shares @ np.where(known, table.users_y, 0.0).T
    means = sums / np.maximum(shares @ known.T, 1e-12)
    return np.maximum(means, 1e-9) / np.nanmean(table.users_y, axis=1)


def problems_of(fit: Fit, y: Array | None = None, weights: Array | None = None) -> Problems:
    """The fit's own problem (scaled), or the same with other y [k, n] and weights [k, n].

    That of mm_log is one of squares with the weights of its M step.
    """
    objective = fit.objective
    delta = (
        np.inf
        if fit.delta is None or objective.kind == "mm_log"
        else fit.delta / (fit.unit_y if objective.scale == "linear" else 1.0)
    )
    if not objective.smooth:
        r = residuals_on(objective.scale, fit.table.y, predict(fit, fit.table.x))
        unit = fit.unit_y if objective.scale == "linear" else 1.0
        delta = SHARP * max(float(np.median(np.abs(r))) / unit, 1e-9)
    return Problems(
        fit.problem.x,
        fit.problem.y if y is None else y,
        fit.weights if weights is None else weights,
        np.array([delta]),
        fit.low,
        fit.high,
        objective.sides,
        objective.nu if objective.kind == "student_t" else None,
        objective.scale,
        fit.unit_y,
    )


def predict_draws(draws: Draws, x: Point) -> Array:
    """The law at x for each draw: [k, ...]."""
    values, shape = points_of(draws.fit, x)
    found = draws.fit.problem.curve(values, draws.thetas)
    return found.reshape(len(draws.thetas), *shape)


def parameter_draws(draws: Draws) -> Mapping[str, Array]:
    """The law's parameters for each draw: {name: [k]}."""
    return parameter_table(draws.fit, draws.thetas)


def draw_interval(values: Array, level: float) -> tuple[Array, Array]:
    """(low, high) [...] of draws [k, ...]: the quantiles at (1 - level) / 2 from both ends."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail], axis=0)
    return low, high


def _residual_draws(fit: Fit, count: int, random: np.random.Generator) -> Array:
    n, dof = len(fit.table.y), fit.degrees_of_freedom
    if fit.objective.scale == "log":
        noise = noise_draws(fit, count, random)
    else:
        # A run without weight has no residual to give, and what it gets counts for nothing.
        kept, root = np.flatnonzero(fit.weights > 0), np.sqrt(fit.weights)
        residuals = (fit.residuals * root)[kept]
        residuals = (residuals - residuals.mean()) * np.sqrt(len(kept) / dof)
        spread = np.sqrt(dof / random.chisquare(dof, size=(count, 1)))
        noise = residuals[random.integers(0, len(kept), size=(count, n))] * spread / np.where(root > 0, root, 1.0)
    fitted = predict(fit, fit.table.x) / fit.unit_y
    return fitted * np.exp(np.clip(noise, -20.0, 20.0))
