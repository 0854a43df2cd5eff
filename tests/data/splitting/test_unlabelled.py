"""Splits whose labels are withheld from training users: which users keep them, and who stays out."""

import pytest

from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.origins import check_apart, with_orders
from semgjax.data.splitting.splits import Split, leave_users_out
from semgjax.data.splitting.subsets import nested_subset
from semgjax.data.splitting.unlabelled import add_unlabelled, keep_labels
from tests.refused import refused

ROWS = [KnownSession(f"s{user}-{i}", f"u{user}", 7_200_000) for user in range(10) for i in range(3)]
USER = {row.session: row.user for row in ROWS}
BASE = leave_users_out([(row.session, row.user) for row in ROWS], 2, 0.1, 0)


def users(names):
    return {USER[name] for name in names}


@pytest.mark.parametrize("seed", range(3))
def test_fewer_labels_are_among_more_and_are_those_of_a_subset_of_users(seed):
    made = [keep_labels(BASE, ROWS, count, seed) for count in (2, 5, 8)]
    for split, count in zip(made, (2, 5, 8), strict=True):
        assert len(users(split.train)) == count
        assert {*split.train, *split.unlabelled} == set(BASE.train)
        assert not users(split.train) & users(split.unlabelled)
        assert (split.val, split.test) == (BASE.val, BASE.test)
        assert set(split.train) == set(nested_subset(BASE, ROWS, users=count, seed=seed).train)
        assert (split.rule["labelled_users"], split.rule["name"]) == (count, "leave_users_out")
    assert set(made[0].train) < set(made[1].train) < set(made[2].train)


def test_another_seed_draws_other_users():
    assert len({keep_labels(BASE, ROWS, 2, seed).train for seed in range(6)}) > 1


def test_hours_that_a_subset_cut_stay_cut_without_labels():
    small = nested_subset(BASE, ROWS, hours_per_user=1.5)
    made = keep_labels(small, ROWS, 2)
    assert made.limits == small.limits and set(made.limits) & set(made.unlabelled)


@pytest.mark.parametrize("count", [0, 9])
def test_a_number_of_users_that_is_not_there_is_refused(count):
    with refused("bad-value", count):
        keep_labels(BASE, ROWS, count)


def test_sessions_without_labels_are_added_but_for_those_of_test_users():
    tested = USER[BASE.test[0]]
    without = [
        KnownSession("x", "new", 1, labelled=False),
        KnownSession("y", USER[BASE.train[0]], 1, labelled=False),
        KnownSession("z", tested, 1, labelled=False),
    ]
    split, left_out = add_unlabelled(BASE, [*ROWS, *without])
    assert (split.unlabelled, left_out) == (("x", "y"), ("z",))
    assert add_unlabelled(split, [*ROWS, *without])[0] == split


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_an_order_of_a_recording_of_another_part_may_not_be_unlabelled(part):
    split = Split(**{"train": (), "val": (), "test": (), "rule": {}} | {part: ("a-0",)}, unlabelled=("a-1",))
    with refused("one-recording", "a-1"):
        check_apart(split, {"a-0": "a", "a-1": "a"})


def test_all_orders_of_an_unlabelled_recording_are_unlabelled():
    pairs = [(f"{name}-{order}", name) for name in "abc" for order in range(2)]
    split = with_orders(Split(("a",), (), ("b",), {}, unlabelled=("c",)), pairs)
    assert (split.train, split.test, split.unlabelled) == (("a-0", "a-1"), ("b-0",), ("c-0", "c-1"))
