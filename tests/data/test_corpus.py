"""Sessions and their split as one corpus, and the hash that is the identity of its content."""

import shutil
from dataclasses import replace

import pytest

from semgjax.data.corpus import load_corpus
from semgjax.data.shards.ingest import ingest
from semgjax.data.splitting.splits import Split, write_split
from tests.data.fixtures import typed, write_session
from tests.refused import refused

SPLIT = Split(("b", "a"), ("c",), ("d",), {})


def write_corpus(folder, split: Split = SPLIT, **changes):
    """Four sessions a-d of the users u, u, v, w; `changes` go to session a."""
    for name, user in zip("abcd", "uuvw", strict=True):
        options = {"samples": 3600, "user": user, "keystrokes": typed("hello", interval=0.01)}
        write_session(folder / f"{name}.hdf5", **{**options, **(changes if name == "a" else {})})
    write_split(folder / "splits.json", split)
    return folder


def test_a_corpus_holds_the_sessions_of_each_part_in_the_splits_order(tmp_path):
    corpus = load_corpus(write_corpus(tmp_path))
    parts = {part: [session.name for session in corpus.part(part)] for part in ("train", "val", "test")}
    assert parts == {"train": ["b", "a"], "val": ["c"], "test": ["d"]}
    assert corpus.train_users == 1
    assert corpus.train_hours == pytest.approx(2 * 3600 / 2000 / 3600)


def test_sessions_that_the_split_leaves_out_are_not_opened(tmp_path):
    folder = write_corpus(tmp_path, Split(("a",), (), ("b",), {}))
    write_session(folder / "c.hdf5", attributes={"condition": "on_glass"})  # opening it would be an error
    assert [session.name for session in load_corpus(folder).test] == ["b"]


def test_a_folder_without_a_split_names_the_command_that_makes_one(tmp_path):
    folder = write_corpus(tmp_path)
    (folder / "splits.json").unlink()
    with refused("no-file", folder / "splits.json", f"semgjax data splits {folder} --test-users N"):
        load_corpus(folder)


def test_a_split_elsewhere_can_be_named_and_must_exist(tmp_path):
    folder = write_corpus(tmp_path / "sessions")
    write_split(tmp_path / "other.json", Split(("a",), (), ("d",), {}))
    assert [session.name for session in load_corpus(folder, tmp_path / "other.json").train] == ["a"]
    with refused("no-file", "missing.json"):
        load_corpus(folder, tmp_path / "missing.json")


def test_a_split_of_sessions_that_are_not_there_and_one_without_training_are_input_errors(tmp_path):
    folder = write_corpus(tmp_path, Split(("a", "x"), (), ("d",), {}))
    with refused("no-sessions", "'x'"):
        load_corpus(folder)
    write_split(folder / "splits.json", Split((), ("a",), ("d",), {}))
    with refused("no-sessions"):
        load_corpus(folder)


def test_a_limit_of_the_split_cuts_the_session_and_its_keys_and_changes_the_hash(tmp_path):
    folder = write_corpus(tmp_path)
    whole = load_corpus(folder)
    write_split(folder / "splits.json", replace(SPLIT, limits={"a": 560}))
    cut = load_corpus(folder)
    assert [session.samples for session in cut.train] == [3600, 560]
    assert [len(session.labels) for session in cut.train] == [5, 3]  # pressed at samples 500, 520, ...
    assert cut.train_hours == pytest.approx(4160 / 2000 / 3600)
    assert cut.hash != whole.hash


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_no_folder_and_an_empty_one_are_input_errors(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with refused("no-file", str(tmp_path / folder)):
        load_corpus(tmp_path / folder)


def test_the_hash_stays_when_the_folder_moves(tmp_path):
    folder = write_corpus(tmp_path / "here")
    before = load_corpus(folder).hash
    shutil.move(folder, tmp_path / "there")
    assert load_corpus(tmp_path / "there").hash == before
    for path in (tmp_path / "there").glob("*.hdf5"):
        path.rename(path.with_name(f"renamed-{path.name}"))
    assert load_corpus(tmp_path / "there").hash == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"keystrokes": typed("hallo", interval=0.01)}, id="another key"),
        pytest.param({"keystrokes": typed("hello", interval=0.011)}, id="the same keys at other times"),
        pytest.param({"keystrokes": typed("hell", interval=0.01)}, id="a key less"),
        pytest.param({"user": "x"}, id="another user"),
        pytest.param({"samples": 3500}, id="a shorter signal"),
    ],
)
def test_the_hash_changes_with_labels_users_and_lengths(tmp_path, change):
    before = load_corpus(write_corpus(tmp_path / "before")).hash
    folder = tmp_path / "after"
    write_corpus(folder, **change)
    assert load_corpus(folder).hash != before


def test_the_hash_changes_with_the_split_and_not_with_the_order_of_its_names(tmp_path):
    folder = write_corpus(tmp_path)
    before = load_corpus(folder).hash
    write_split(folder / "splits.json", Split(("a", "b"), ("c",), ("d",), {"seed": 1}))
    assert load_corpus(folder).hash == before
    write_split(folder / "splits.json", Split(("a",), ("b", "c"), ("d",), {}))
    assert load_corpus(folder).hash != before


def test_shards_give_the_same_corpus_under_a_hash_of_their_own(tmp_path):
    source = write_corpus(tmp_path / "hdf5")
    ingest(source, tmp_path / "shards")
    shutil.copy(source / "splits.json", tmp_path / "shards")
    one, other = load_corpus(source), load_corpus(tmp_path / "shards")
    for part in ("train", "val", "test"):
        assert [s.name for s in one.part(part)] == [s.name for s in other.part(part)]
        for a, b in zip(one.part(part), other.part(part), strict=True):
            assert (a.user, a.samples, a.labels.tolist()) == (b.user, b.samples, b.labels.tolist())
    assert (one.train_users, one.train_hours) == (other.train_users, other.train_hours)
    assert one.hash != other.hash  # the signal is rounded: another run
    shutil.move(tmp_path / "shards", tmp_path / "moved")
    assert load_corpus(tmp_path / "moved").hash == other.hash
