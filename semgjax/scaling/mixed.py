"""Test users, configurations, runs and what is left, in one model, and one interval for users and sampling together.

log error = log of the curve + user + configuration + run + rest, where the table has the errors of single test users.
The users are shared by all runs, so that more runs do not average them out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.scaling.bootstrap import draw, predict_draws
from semgjax.scaling.components import Components, components
from semgjax.scaling.ends import number, span
from semgjax.scaling.fit import Fit, Point, points_of, predict
from semgjax.scaling.noise import log_slopes, sharing
from semgjax.scaling.profile import LEVEL, Interval, check_level
from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.user_groups import user_effects

Array = np.ndarray

USER_DRAWS = 500
_MOST = 4_000_000  # values of the design; a larger table's new user is not predicted
_MOST_ZEROS = 0.02


@dataclass(frozen=True)
class UsersPrediction:
    """What a fit says of test users at one point, in the unit of the table.

    mean: over users, the law's value; median: of the test users, by their errors relative to the mean. mean_interval:
    for the mean over all users like these, from sampling and from having m users only. new_user: where the error of one
    more run on one more user lies; None where it cannot be said. sd: standard deviation (log) of users, configurations,
    runs and the rest; empty where new_user is None.
    """

    mean: float
    median: float
    mean_interval: Interval
    new_user: Interval | None
    sd: Mapping[str, float]

    @property
    def layers(self) -> list[tuple[str, str, str]]:
        """(name, number or interval, meaning) of each part, in words."""
        found = [
            ("mean of users", span(self.mean_interval), "sampling and test users in one interval"),
            ("median user", number(self.median), "of the test users"),
        ]
        return found + ([("new user", span(self.new_user), "one more run on one more user")] if self.new_user else [])


def predict_users(
    fit: Fit, x: Point, interval: Interval | None, level: float = LEVEL, seed: int = 0
) -> UsersPrediction | None:
    """Prediction for test users at one point; None without their errors. interval: of sampling, at `level`.

    Raises:
        InputError: x or level out of range.
    """
    check_level(level)
    points, _ = points_of(fit, x)
    if fit.table.users_y is None or interval is None:
        return None
    value = float(predict(fit, points).reshape(-1)[0])
    m = len(fit.table.users)
    drawn = np.log(predict_draws(draw(fit, USER_DRAWS, "users", seed), points).reshape(-1))
    # Resampling m users has the variance (m - 1) / m of what it stands for.
    half = float(t_quantile(0.5 + 0.5 * level, m - 1) * np.std(drawn) * np.sqrt(m / (m - 1.0)))
    with np.errstate(divide="ignore"):
        low, high = np.log(value / np.array(interval))
    joined = (value * np.exp(-np.hypot(low, half)), value * np.exp(np.hypot(high, half)))
    median = value * float(np.median(np.exp(user_effects(fit.table))))
    new_user, sd = None, {}
    model = user_model(fit)
    if model is not None:
        gradient = np.append(log_slopes(fit, fit.problem.inputs(points))[0][fit.free], 1.0)
        variance, freedom = model.variance_of(gradient, np.ones(len(model.variances)))
        half = float(t_quantile(0.5 + 0.5 * level, max(freedom, 1.0)) * np.sqrt(variance))
        centre = value * float(np.exp(gradient @ model.fixed))
        new_user, sd = (centre * np.exp(-half), centre * np.exp(half)), model.sd
    return UsersPrediction(value, median, (float(joined[0]), float(joined[1])), new_user, sd)


def user_model(fit: Fit) -> Components | None:
    """Components of user, configuration (where runs share one), run and rest; None where they cannot be separated.

    Fixed effects are steps of the free coordinates, and a constant: the log of the mean user is not the mean log.
    """
    table = fit.table
    if table.users_y is None or len(table.users) < 3 or fit.degrees_of_freedom < 1:
        return None
    known = np.isfinite(table.users_y) & (table.users_y > 0)
    zeros = np.isfinite(table.users_y) & (table.users_y <= 0)
    groups = sharing(fit)
    levels = len(table.y) + len(table.users) + (0 if groups is None else int(groups.max()) + 1)
    if zeros.sum() > _MOST_ZEROS * max(known.sum(), 1) or known.sum() * levels > _MOST:
        return None
    run, user = np.nonzero(known)
    values = np.log(table.users_y[run, user] / predict(fit, table.x)[run])
    slopes = np.column_stack([log_slopes(fit)[run][:, fit.free], np.ones(len(run))])
    factors = {"user": user, **({} if groups is None else {"configuration": groups[run]}), "run": run}
    return components(values, slopes, factors)
