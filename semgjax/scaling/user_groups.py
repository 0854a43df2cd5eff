"""Whether the test users fall into two groups, between which the mean over users lies where no user is."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from semgjax.scaling.table import Table

Array = np.ndarray

ALARM = 0.01
LEAST_USERS = 5  # fewer fall into two groups by chance too often
_DRAWS = 4000


@dataclass(frozen=True)
class UserGroups:
    """Two groups of test users.

    low, high: numbers of users in each; ratio: of the groups' geometric mean errors. p: of a split as clear in users
    from one normal or one uniform distribution. median_to_mean: the median user's error over the mean.
    """

    low: int
    high: int
    ratio: float
    p: float
    median_to_mean: float

    @property
    def found(self) -> bool:
        """Whether one group of users is rejected."""
        return self.p < ALARM


def user_effects(table: Table) -> Array:
    """Mean over the runs of the log of each test user's error relative to the run's mean over users [m]."""
    assert table.users_y is not None
    known = np.isfinite(table.users_y)
    means = np.nanmean(table.users_y, axis=1, keepdims=True)
    positive = np.where(known & (table.users_y > 0), table.users_y, np.nan)
    least = np.nanmin(positive) / 2.0
    logs = np.log(np.maximum(np.where(known, table.users_y, np.nan), least) / means)
    return np.nanmean(logs, axis=0)


def user_groups(table: Table) -> UserGroups | None:
    """The clearest split of the test users into two groups of two or more; None with few users or without spread."""
    if table.users_y is None or len(table.users) < LEAST_USERS:
        return None
    effects = user_effects(table)
    if not np.isfinite(effects).all() or np.ptp(effects) < 1e-6:
        return None
    ranked = np.sort(effects)
    shares = _between(ranked[None])[0]
    best = int(np.argmax(shares))
    p = float(max((1 + np.sum(null >= shares[best])) / (1 + len(null)) for null in _null(len(ranked))))
    low, high = ranked[: best + 2], ranked[best + 2 :]
    ratio, median = float(np.exp(high.mean() - low.mean())), float(np.median(np.exp(effects)))
    return UserGroups(len(low), len(high), ratio, p, median)


def _between(ranked: Array) -> Array:
    """Share of the variance between the lowest 2, 3, ... m - 2 of sorted values [k, m] and the others: [k, m - 3]."""
    m = ranked.shape[1]
    centred = ranked - ranked.mean(axis=1, keepdims=True)
    counts = np.arange(2, m - 1)
    sums = np.cumsum(centred, axis=1)[:, 1 : m - 2]
    return sums**2 * m / (counts * (m - counts)) / np.maximum(np.sum(centred**2, axis=1, keepdims=True), 1e-300)


@lru_cache(maxsize=8)
def _null(m: int) -> tuple[Array, ...]:
    """The clearest split's share in users drawn from a normal and from a uniform distribution."""
    random = np.random.default_rng(0)
    return tuple(
        _between(np.sort(drawn, axis=1)).max(axis=1)
        for drawn in (random.standard_normal((_DRAWS, m)), random.random((_DRAWS, m)))
    )
