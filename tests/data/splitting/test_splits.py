import json
from collections import Counter
from dataclasses import replace

import pytest

from semgjax.data.splitting.splits import Split, leave_users_out, leave_users_out_folds, read_split, write_split
from tests.refused import refused

SESSIONS = [(f"s{user}-{i}", f"u{user}") for user in range(10) for i in range(1 + user % 4)]
USER = dict(SESSIONS)


def users_of(names):
    return {USER[name] for name in names}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("test_users", [1, 4, 9])
def test_held_out_users_are_in_test_with_all_sessions_and_nowhere_else(seed, test_users):
    split = leave_users_out(SESSIONS, test_users, 0.2, seed)
    assert len(users_of(split.test)) == test_users
    assert set(split.test) == {name for name, user in SESSIONS if user in users_of(split.test)}
    assert not users_of(split.test) & users_of([*split.train, *split.val])
    assert sorted([*split.train, *split.val, *split.test]) == sorted(USER)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.99])
def test_validation_takes_its_share_but_never_a_users_last_session(seed, share):
    split = leave_users_out(SESSIONS, 2, share, seed)
    rest = len(split.train) + len(split.val)
    free = rest - len(users_of(split.train))  # one session of each user must stay
    wanted = max(1, round(share * rest)) if share else 0
    assert len(split.val) == min(wanted, free)
    assert users_of(split.val) <= users_of(split.train)


def test_validation_spreads_over_users_before_it_takes_a_second_session_of_one():
    sessions = [(f"s{user}-{i}", f"u{user}") for user in range(10) for i in range(5)]
    split = leave_users_out(sessions, 2, 0.4, 3)
    assert Counter(name[:2] for name in split.val) == {name[:2]: 2 for name in split.train}


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_sessions():
    split = leave_users_out(SESSIONS, 3, 0.2, 1)
    assert leave_users_out(SESSIONS[::-1], 3, 0.2, 1) == split
    others = {leave_users_out(SESSIONS, 3, 0.2, seed).hash for seed in range(20)}
    assert len(others) > 15


def test_the_split_of_a_seed_never_changes():
    # A published result names its split by seed: a change of these names needs a new rule name.
    split = leave_users_out(SESSIONS, 2, 0.2, 1501)
    assert split.val == ("s3-0", "s5-1", "s9-1")
    assert split.test == ("s2-0", "s2-1", "s2-2", "s7-0", "s7-1", "s7-2", "s7-3")


@pytest.mark.parametrize(
    ("sessions", "test_users", "share", "code"),
    [
        (SESSIONS, 10, 0.1, "bad-value"),
        (SESSIONS, 11, 0.1, "bad-value"),
        (SESSIONS, 0, 0.1, "bad-value"),
        (SESSIONS, 2, 1.0, "bad-value"),
        (SESSIONS, 2, -0.1, "bad-value"),
        (SESSIONS, 2, float("nan"), "bad-value"),
        ([*SESSIONS, ("s0-0", "u5")], 2, 0.1, "duplicate-session"),
    ],
)
def test_what_cannot_be_split_is_an_input_error(sessions, test_users, share, code):
    with refused(code):
        leave_users_out(sessions, test_users, share, 0)


def test_a_split_reads_back_equal(tmp_path):
    split = leave_users_out(SESSIONS, 2, 0.2, 7)
    write_split(tmp_path / "splits.json", split)
    assert read_split(tmp_path / "splits.json") == split


def test_the_hash_sees_the_parts_and_neither_their_order_nor_the_rule():
    split = Split(("a", "b"), ("c",), ("d",), {"seed": 1})
    assert Split(("b", "a"), ("c",), ("d",), {}).hash == split.hash
    assert Split(("a",), ("b", "c"), ("d",), {"seed": 1}).hash != split.hash


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"test": ["a"]}, "duplicate-session"),
        ({"train": ["a", "a"]}, "duplicate-session"),
        ({"val": None}, "bad-field"),
        ({"val": [3]}, "bad-field"),
        ({"rule": []}, "bad-field"),
        ({"schema": "semgjax/other"}, "wrong-schema"),
        ({"version": 4}, "wrong-version"),
        ({"version": 0}, "wrong-version"),
        ({"version": "1"}, "wrong-version"),
        ({"limits": [3]}, "bad-field"),
        ({"limits": {"a": 0}}, "bad-field"),
        ({"limits": {"a": 2.5}}, "bad-field"),
        ({"limits": {"x": 5}}, "bad-field"),
        ({"unlabelled": ["b"]}, "duplicate-session"),
        ({"unlabelled": ["e", "e"]}, "duplicate-session"),
        ({"unlabelled": "e"}, "bad-field"),
    ],
)
def test_a_damaged_split_file_is_an_input_error_that_names_it(tmp_path, change, code):
    path = tmp_path / "splits.json"
    write_split(path, Split(("a",), ("b",), ("c",), {}))
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with refused(code) as caught:
        read_split(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("folds", [2, 3, 10])
def test_folds_hold_out_every_user_once_in_parts_of_like_size(folds):
    splits = leave_users_out_folds(SESSIONS, folds, 0.2, 5)
    held_out = [users_of(split.test) for split in splits]
    assert sorted(user for users in held_out for user in users) == sorted(set(USER.values()))
    assert max(map(len, held_out)) - min(map(len, held_out)) <= 1
    for number, split in enumerate(splits):
        assert not users_of(split.test) & users_of([*split.train, *split.val])
        assert sorted([*split.train, *split.val, *split.test]) == sorted(USER)
        assert split.rule["fold"] == number
    assert leave_users_out_folds(SESSIONS[::-1], folds, 0.2, 5) == splits
    assert leave_users_out_folds(SESSIONS, folds, 0.2, 6) != splits


@pytest.mark.parametrize("folds", [0, 1, 11])
def test_another_number_of_folds_is_an_input_error(folds):
    with refused("bad-value", f"{folds}"):
        leave_users_out_folds(SESSIONS, folds, 0.2, 0)


def test_unlabelled_sessions_read_back_are_in_the_hash_and_make_version_3(tmp_path):
    plain = Split(("a", "b"), ("c",), ("d",), {}, {"a": 4000})
    more = replace(plain, unlabelled=("f", "e"))
    path = tmp_path / "splits.json"
    write_split(path, more)
    assert json.loads(path.read_text())["version"] == 3
    assert read_split(path) == more
    assert more.names == ("a", "b", "c", "d", "f", "e")
    hashes = {plain.hash, more.hash, replace(plain, train=("a", "b", "e", "f")).hash}
    assert len(hashes) == 3
    assert replace(plain, unlabelled=("e", "f")).hash == more.hash


def test_limits_read_back_are_in_the_hash_and_make_version_2(tmp_path):
    plain = Split(("a", "b"), ("c",), ("d",), {"seed": 1})
    cut = replace(plain, limits={"a": 4000})
    for split, version in ((plain, 1), (cut, 2)):
        path = tmp_path / f"{version}.json"
        write_split(path, split)
        assert json.loads(path.read_text())["version"] == version
        assert read_split(path) == split
    assert len({plain.hash, cut.hash, replace(plain, limits={"a": 4001}).hash}) == 3


def test_the_hash_of_a_split_without_limits_never_changes():
    # Corpora, and through them runs, are known by it.
    assert (
        Split(("a", "b"), ("c",), ("d",), {}).hash == "c5288af423aaa4fa413b81157c37db021b252abe7f61fce00c5a958ca79bbf43"
    )
