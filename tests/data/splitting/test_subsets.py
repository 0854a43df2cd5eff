"""Subsets of training data by users and hours: nested for one seed, drawn anew by another."""

import itertools

import numpy as np
import pytest

from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.splits import Split, leave_users_out, read_split, write_split
from semgjax.data.splitting.subsets import nested_subset
from tests.refused import refused

HOUR = 3600 * 2000
RNG = np.random.default_rng(3)
ROWS = [
    KnownSession(f"s{user}-{i}", f"u{user}", int(RNG.uniform(0.2, 0.5) * HOUR))
    for user in range(12)
    for i in range(4 + user % 3)
]
SAMPLES = {row.session: row.samples for row in ROWS}
USER = {row.session: row.user for row in ROWS}
BASE = leave_users_out([(row.session, row.user) for row in ROWS], 3, 0.1, 0)


def content(split: Split) -> dict[str, int]:
    """Training session -> samples of it that train."""
    return {name: split.limits.get(name, SAMPLES[name]) for name in split.train}


def hours_of(split: Split) -> dict[str, float]:
    hours: dict[str, float] = {}
    for name, samples in content(split).items():
        hours[USER[name]] = hours.get(USER[name], 0.0) + samples / HOUR
    return hours


@pytest.mark.parametrize("seed", range(3))
def test_the_smaller_is_contained_in_the_larger_sample_by_sample(seed):
    grid = list(itertools.product([1, 3, 8, None], [0.05, 0.3, 0.75, None]))
    made = {cell: nested_subset(BASE, ROWS, users=cell[0], hours_per_user=cell[1], seed=seed) for cell in grid}

    def larger(one, other):
        return all(a is None or (b is not None and b <= a) for a, b in zip(one, other, strict=True))

    pairs = [(one, other) for one in grid for other in grid if one != other and larger(one, other)]
    assert len(pairs) > 50
    for one, other in pairs:
        big, small = content(made[one]), content(made[other])
        assert small.items() != big.items()
        assert all(samples <= big[name] for name, samples in small.items())


def test_users_and_hours_are_those_asked_for_to_the_sample():
    split = nested_subset(BASE, ROWS, users=4, hours_per_user=0.6, seed=1)
    assert len(hours_of(split)) == 4
    np.testing.assert_allclose(list(hours_of(split).values()), 0.6, atol=1 / HOUR)
    assert split.rule["short_users"] == 0
    assert all(0 < limit < SAMPLES[name] for name, limit in split.limits.items())
    assert len(split.limits) <= 4


def test_validation_and_test_stay_and_the_rule_names_the_split_it_is_of():
    split = nested_subset(BASE, ROWS, users=2, seed=5)
    assert (split.val, split.test) == (BASE.val, BASE.test)
    assert split.rule == {
        "name": "nested_subset", "of": BASE.hash, "users": 2, "hours_per_user": None, "seed": 5, "short_users": 0,
    }  # fmt: skip
    assert split.limits == {}


def test_seeds_draw_different_users_and_sessions_and_one_seed_the_same():
    users = {frozenset(hours_of(nested_subset(BASE, ROWS, users=4, seed=seed))) for seed in range(8)}
    sessions = {frozenset(nested_subset(BASE, ROWS, hours_per_user=0.3, seed=seed).train) for seed in range(8)}
    assert len(users) > 5 and len(sessions) == 8
    assert nested_subset(BASE, ROWS[::-1], users=4, seed=1) == nested_subset(BASE, ROWS, users=4, seed=1)


def test_the_whole_is_a_subset_of_itself():
    assert nested_subset(BASE, ROWS).hash == BASE.hash
    assert nested_subset(BASE, ROWS, users=len(hours_of(BASE)), hours_per_user=99.0).hash == BASE.hash


def test_users_with_less_than_the_hours_count_with_all_they_have():
    split = nested_subset(BASE, ROWS, hours_per_user=1.6, seed=0)
    whole = hours_of(BASE)
    assert split.rule["short_users"] == sum(hours < 1.6 for hours in whole.values()) > 0
    for user, hours in hours_of(split).items():
        assert hours == pytest.approx(min(1.6, whole[user]), abs=1 / HOUR)


def test_a_subset_of_a_subset_stays_within_its_limits_and_reads_back(tmp_path):
    first = nested_subset(BASE, ROWS, hours_per_user=0.5, seed=0)
    second = nested_subset(first, ROWS, hours_per_user=0.4, seed=0)
    assert all(samples <= content(first)[name] for name, samples in content(second).items())
    assert nested_subset(first, ROWS, seed=4).hash == first.hash
    write_split(tmp_path / "split.json", second)
    assert read_split(tmp_path / "split.json") == second


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"users": 0}, "bad-value"),
        ({"users": 10}, "bad-value"),
        ({"hours_per_user": 0.0}, "bad-value"),
        ({"hours_per_user": -1.0}, "bad-value"),
        ({"hours_per_user": float("nan")}, "bad-value"),
        ({"hours_per_user": float("inf")}, "bad-value"),
    ],
)
def test_numbers_out_of_range_are_input_errors(options, code):
    with refused(code):
        nested_subset(BASE, ROWS, **options)


def test_a_training_session_that_is_not_there_is_an_input_error():
    with refused("bad-value", f"{BASE.train[0]}"):
        nested_subset(BASE, [row for row in ROWS if row.session != BASE.train[0]], users=1)
