"""Intervals over users and paired differences."""

import numpy as np
import pytest

from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.spread import macro_interval, paired_difference, pooled_interval
from tests.refused import refused


def users(rates, keys=100):
    return {f"u{i}": Counts(keys, int(rate), 0, 0) for i, rate in enumerate(rates)}


def test_an_interval_of_the_mean_is_that_of_resampled_users():
    rates = np.array([10, 20, 30, 40, 50, 60, 70, 80])
    low, high = macro_interval(list(users(rates).values()))
    # The mean of 8 of these has a deviation of 22.9 / sqrt(8) = 8.1.
    assert low == pytest.approx(45 - 1.96 * 8.1, abs=1.5) and high == pytest.approx(45 + 1.96 * 8.1, abs=1.5)
    assert macro_interval(list(users(rates).values())) == (low, high)
    assert pooled_interval(list(users(rates).values())) == pytest.approx((low, high))


def test_users_with_more_keys_count_more_in_the_pooled_interval():
    found = [Counts(1000, 500, 0, 0), *[Counts(10, 0, 0, 0)] * 4]
    assert pooled_interval(found)[1] > 49.0 and macro_interval(found)[1] <= 30.0


def test_one_user_or_none_with_keys_has_no_interval():
    assert macro_interval([Counts(5, 1, 0, 0), Counts()]) is None
    assert pooled_interval([]) is None


def test_a_difference_is_that_of_each_user_with_itself():
    ours, others = users([10, 40, 70, 20]), users([12, 42, 72, 19])
    found = paired_difference(ours, others)
    assert (found.mean, found.users, found.better, found.worse) == (-1.25, 4, 3, 1)
    assert found.interval[0] == -2.0 and -1.25 < found.interval[1] <= 1.0


@pytest.mark.parametrize(
    ("others", "code"),
    [
        (users([1, 2, 3]), "conflict"),
        (users([1, 2], keys=99), "conflict"),
    ],
)
def test_other_users_or_keys_are_no_pairs(others, code):
    with refused(code):
        paired_difference(users([1, 2]), others)


def test_users_without_a_key_cannot_be_compared():
    with refused("no-keys"):
        paired_difference({"u": Counts()}, {"u": Counts()})
