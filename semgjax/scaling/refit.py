"""The same law fitted to parts of a table, all parts at once: the points left out weigh nothing."""

from collections.abc import Mapping

import numpy as np

from semgjax.scaling.bootstrap import problems_of
from semgjax.scaling.fit import Fit, points_of, predict
from semgjax.scaling.solver import solve
from semgjax.scaling.starts import first_guesses

Array = np.ndarray

STARTS = 12


def refits(fit: Fit, weights: Array, starts: int = STARTS, seed: int = 1) -> Array:
    """Coordinates [b, p] of the law fitted with each row of weights [b, n], searched from several starts.

    Delta stays that of the fit.
    """
    problems = problems_of(fit)
    guesses = first_guesses(fit.law, problems.x, problems.y, fit.weights, fit.low, fit.high, starts - 1, seed)
    guesses = np.concatenate([fit.theta[None], guesses])
    many = problems_of(fit, weights=np.repeat(weights * fit.weights, starts, axis=0))
    ends = solve(fit.law, many, np.tile(guesses, (len(weights), 1)), most=100)
    value = np.where(np.isfinite(ends.value), ends.value, np.inf).reshape(-1, starts)
    best = value.argmin(axis=1)
    return ends.theta.reshape(len(weights), starts, -1)[np.arange(len(weights)), best]


def predicted(fit: Fit, thetas: Array, x: Mapping[str, Array]) -> Array:
    """The law at points x ({input: [m]}, raw) for coordinates [b, p]: y [b, m]."""
    return fit.problem.curve(x, thetas)


def influence(fit: Fit, x: dict[str, Array]) -> Array:
    """Log change of the prediction at one point when each run is left out [n]."""
    n = len(fit.table.y)
    thetas = refits(fit, 1.0 - np.eye(n), starts=4)
    points, _ = points_of(fit, x)
    return np.log(predicted(fit, thetas, points)[:, 0] / predict(fit, points)[0])
