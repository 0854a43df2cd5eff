"""How far error rates would move with other users: bootstrap intervals over users, of one decoder or of two, paired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.evaluate.error_rates import Counts
from semgjax.measures import CER, Measure

DRAWS, SEED = 10_000, 0
LEVEL = 0.95

Interval = tuple[float, float]


def macro_interval(users: Sequence[Counts]) -> Interval | None:
    """95 % percentile interval of the mean error rate over users (Efron & Tibshirani 1993, chapter 13), in percent.

    None with fewer than two users who have a key: the spread over users is unknown then.
    """
    rates = np.array([counts.rate for counts in users if counts.rate is not None])
    return _interval(rates[_draws(len(rates))].mean(axis=1)) if len(rates) > 1 else None


def pooled_interval(users: Sequence[Counts]) -> Interval | None:
    """The same of the rate of all users' keys together."""
    some = [counts for counts in users if counts.reference]
    if len(some) < 2:
        return None
    draws = _draws(len(some))
    errors = np.array([counts.substitutions + counts.deletions + counts.insertions for counts in some])
    keys = np.array([counts.reference for counts in some])
    return _interval(100.0 * errors[draws].sum(axis=1) / keys[draws].sum(axis=1))


@dataclass(frozen=True)
class Difference:
    """One decoder's error rate less another's on the same users.

    Attributes:
        mean: over users, in percentage points.
        interval: 95 % percentile interval over users; None with one user.
        users: compared.
        better: users on whom the first has the lower rate.
        worse: users on whom it has the higher one.
    """

    mean: float
    interval: Interval | None
    users: int
    better: int
    worse: int


def paired_difference(ours: Mapping[str, Counts], others: Mapping[str, Counts], measure: Measure = CER) -> Difference:
    """The mean difference over users, each compared with itself, and its interval.

    Args:
        measure: names what is counted.

    Raises:
        InputError: the users, or the number of keys of one, differ ("conflict"), or no user has a key ("no-keys").
    """
    if ours.keys() != others.keys():
        odd = sorted(ours.keys() ^ others.keys())
        raise InputError(f"user {odd[0]}: was read by one decoder only; compare the same sessions", "conflict")
    for user, counts in ours.items():
        if counts.reference != others[user].reference:
            raise InputError(
                f"user {user}: {counts.reference} {measure.things} here and {others[user].reference} there; compare "
                "the same sessions in the same mode",
                "conflict",
            )
    pairs = [(ours[user].rate, others[user].rate) for user in sorted(ours)]
    gaps = np.array([one - other for one, other in pairs if one is not None and other is not None])
    if not len(gaps):
        raise InputError(
            f"no user has any {measure.things}, so nothing can be compared; choose another part of the split",
            "no-keys",
        )
    interval = _interval(gaps[_draws(len(gaps))].mean(axis=1)) if len(gaps) > 1 else None
    return Difference(float(gaps.mean()), interval, len(gaps), int((gaps < 0).sum()), int((gaps > 0).sum()))


def _draws(users: int) -> np.ndarray:
    """Users drawn with replacement, int64 [DRAWS, users]; the same for the same number of users."""
    return np.random.default_rng(SEED).integers(0, max(users, 1), (DRAWS, users))


def _interval(values: np.ndarray) -> Interval:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
