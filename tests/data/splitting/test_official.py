"""emg2qwerty's own splits: the published counts come out on a table of its shape, by the published rule."""

import json
import unicodedata
from collections import Counter

import pytest

from semgjax.data.splitting.inventory import KnownSession, read_metadata
from semgjax.data.splitting.official import file_marks, generic, personalised, read_listed, unseen_validation
from tests.data.tables import OUTSIDE, TAGGED, TEST, write_metadata
from tests.refused import refused


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("metadata") / "metadata.csv"
    names = write_metadata(path)
    return read_metadata(path), list(names)


@pytest.fixture(scope="module")
def rows(table):
    return table[0]


def users_of(rows, names):
    user = {row.session: row.user for row in rows}
    return Counter(user[name] for name in names)


def test_the_generic_split_has_the_published_counts(table):
    rows, users = table
    split = generic(rows)
    train, val, test = (users_of(rows, part) for part in (split.train, split.val, split.test))
    assert (len(split.train), len(train)) == (837, 96)
    assert (len(split.val), len(val)) == (192, 96)
    assert (len(split.test), len(test)) == (16, 8)
    assert set(train) == set(val)
    assert set(val.values()) == set(test.values()) == {2}
    # The rule: most sessions, but no quality tags; who has fewer than four stands outside.
    assert set(test) == set(users[len(OUTSIDE) : len(OUTSIDE + TEST)])
    assert set(users[len(OUTSIDE + TEST) : len(OUTSIDE + TEST + TAGGED)]) <= set(train)
    assert not set(users[: len(OUTSIDE)]) & {*train, *val, *test}
    assert split.rule == {"name": "official_generic", "test_users": 8, "seed": 1501}


def test_the_personalised_splits_have_the_published_counts_and_the_generic_tests(rows):
    splits, base = personalised(rows), generic(rows)
    assert len(splits) == 8
    for user, split in splits.items():
        assert set(users_of(rows, [*split.train, *split.val, *split.test])) == {user}
        assert 8 <= len(split.train) <= 10
        assert (len(split.val), len(split.test)) == (2, 2)
        assert len({*split.train, *split.val, *split.test}) == len(split.train) + 4
        assert set(split.test) == {name for name in base.test if users_of(rows, [name])[user]}
    everything = {name for split in splits.values() for name in (*split.train, *split.val, *split.test)}
    assert not everything & {*base.train, *base.val}


def test_the_users_who_stand_outside_can_validate_without_a_change_of_training(rows):
    split, base = unseen_validation(rows), generic(rows)
    assert (len(split.val), len(users_of(rows, split.val))) == (6, 4)
    assert (split.train, split.test) == (base.train, base.test)


def test_every_session_of_the_table_has_its_place(rows):
    parts = [generic(rows), unseen_validation(rows), *personalised(rows).values()]
    named = {name for split in parts for name in (*split.train, *split.val, *split.test)}
    assert named == {row.session for row in rows}


def test_the_draw_follows_the_seed_and_not_the_order_of_rows(rows):
    assert generic(rows[::-1]) == generic(rows)
    others = {generic(rows, seed=seed).val for seed in range(4)}
    assert len(others) == 4
    assert generic(rows, seed=1).rule["seed"] == 1


def test_the_draw_of_a_seed_never_changes(rows):
    # A published result names its split by seed: another draw needs another rule name.
    assert generic(rows).hash == "0d2c3219c36e434dd617c80f4905a579125d3ed8bae91e9cfc67c7de50387988"


def test_smaller_tables_take_fewer_test_users():
    rows = [KnownSession(f"s{u}-{i}", f"u{u}", 1000) for u in range(4) for i in range(6)]
    split = generic(rows, test_users=2)
    assert [len(part) for part in (split.train, split.val, split.test)] == [8, 4, 4]
    assert set(personalised(rows, test_users=2)) == set(users_of(rows, split.test))
    with refused("no-sessions"):
        unseen_validation(rows, test_users=2)


@pytest.mark.parametrize(
    ("sessions", "tags", "test_users", "code"),
    [
        (6, (), 8, "bad-value"),
        (6, ("bad",), 1, "bad-value"),
        (4, (), 1, "bad-value"),
        (6, (), 0, "bad-value"),
        (6, (), 4, "bad-value"),
    ],
)
def test_a_table_that_the_rule_does_not_fit_is_an_input_error(sessions, tags, test_users, code):
    rows = [KnownSession(f"s{u}-{i}", f"u{u}", 1000, tags) for u in range(4) for i in range(sessions)]
    with refused(code):
        generic(rows, test_users=test_users)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps({"train": ["x", "y"], "val": ["z"]})),
        ("b.json", json.dumps({"x": "train", "y": "train", "z": "val"})),
        ("c.csv", "part,session,more\ntrain,x,1\ntrain,y,2\nval,z,3\n"),
    ],
)
def test_a_list_of_names_is_read_as_a_split(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    split = read_listed(tmp_path / name)
    assert (split.train, split.val, split.test) == (("x", "y"), ("z",), ())


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.json", "[]", "bad-field"),
        ("a.json", "{", "bad-json"),
        ("a.json", '{"x": "training"}', "bad-field"),
        ("a.json", '{"train": ["x"], "val": ["x"]}', "duplicate-session"),
        ("a.json", '{"train": [3]}', "bad-field"),
        ("a.csv", "name,part\nx,train\n", "no-column"),
        ("a.csv", "session,part\nx,tests\n", "bad-field"),
        ("a.csv", "", "no-column"),
        ("none.csv", None, "no-file"),
    ],
)
def test_a_list_that_is_none_is_an_input_error_that_names_it(tmp_path, name, text, code):
    if text is not None:
        (tmp_path / name).write_text(text)
    with refused(code) as caught:
        read_listed(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


ALPHABETS = ["анна", "борис", "用户一", "用户二", "jürgen", "用 户", "Δelta", "समय"]


def test_letters_of_every_alphabet_stay_in_a_users_file_name():
    marks = file_marks(ALPHABETS)
    plain = [user for user in ALPHABETS if " " not in user]
    assert [marks[user] for user in plain] == plain
    assert marks["用 户"].startswith("用_户-")


@pytest.mark.parametrize(
    "users",
    [
        ["a b", "a_b", "a/b", "a\\b", "a:b", "a\nb", "a\x00b"],
        ["Anna", "anna", "ANNA"],
        ["stra\u00dfe", "strasse", "STRASSE"],
        ["jos\u00e9", "jose\u0301"],
        ["x" * 300, "x" * 301, "\u6f22" * 200, "\u6f22" * 201],
        ["", " ", ".", "..", "../..", "con", "CON", "NUL"],
        ["\U0001f600", "\U0001f601", "\u202ea", "a\u200d"],
        ["\udcff", "\udcfe"],
        ["\ufb01", "fi", "\u2460", "1"],
    ],
)
def test_users_have_files_of_their_own_on_every_file_system(users, tmp_path):
    marks = file_marks(users)
    assert list(marks) == users and marks == {**file_marks(reversed(users))}
    seen = {unicodedata.normalize("NFKC", mark).casefold() for mark in marks.values()}
    assert len(seen) == len(users)
    for mark in marks.values():
        assert len(mark.encode()) <= 120 and not set(mark) & set('/\\:*?"<>|\0\n')
        (tmp_path / f"splits-user-{mark}.json").write_text("")
    assert len(list(tmp_path.iterdir())) == len(users)


def test_ascii_ids_keep_their_names_and_no_other_user_changes_one():
    ids = ["89335547", "user-3", "A.b_c"]
    assert file_marks(ids) == {user: user for user in ids}
    assert file_marks(["a b"])["a b"] == file_marks(["a b", "a_b"])["a b"] != "a_b"
