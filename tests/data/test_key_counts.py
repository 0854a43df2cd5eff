"""Keys that cannot be learnt: outside the signal, of unknown names, written twice."""

import json

import pytest

from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.key_counts import KeyCounts
from semgjax.data.keys import ALIASES, KEY_NAMES, label_of_key
from semgjax.data.sessions import open_session
from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.manifest import read_manifest
from semgjax.data.splitting.splits import Split, write_split
from semgjax.errors import InputError
from semgjax.measures import CER, EVENT_ERROR_RATE
from tests.data.fixtures import START, typed, write_session
from tests.fuzz.outcome import outcome

SAMPLES = 12_000
CASES = {
    "inside": (typed("abc"), KeyCounts(3, 0, 0, {}, 1, 0)),
    "before": ([{"key": "a", "start": START - 5}], KeyCounts(0, 1, 0, {}, 1, 1)),
    "after": ([{"key": "a", "start": START + 60}, *typed("bc")], KeyCounts(2, 1, 0, {}, 1, 0)),
    "in milliseconds": ([{"key": "a", "start": (START + 1) * 1000}], KeyCounts(0, 1, 0, {}, 1, 1)),
    "from zero": ([{"key": "a", "start": 1.5}], KeyCounts(0, 1, 0, {}, 1, 1)),
    "unknown": ([{"key": "Foo", "start": START + 1}], KeyCounts(0, 0, 0, {"Foo": 1}, 1, 1)),
    "right shift": (
        [{"key": "Key.shift_r", "start": START + 1}, *typed("a")],
        KeyCounts(1, 0, 0, {"Key.shift_r": 1}, 1, 0),
    ),
    "doubled": (typed("ab") * 2, KeyCounts(4, 0, 2, {}, 1, 0)),
    "equal neighbours": (typed("aa"), KeyCounts(2, 0, 0, {}, 1, 0)),
    "none": ([], KeyCounts(0, 0, 0, {}, 1, 1)),
}


@pytest.mark.parametrize("case", CASES)
def test_ingest_counts_each_kind_and_says_so(tmp_path, case):
    strokes, wanted = CASES[case]
    write_session(tmp_path / "src" / "a.hdf5", SAMPLES, keystrokes=strokes)
    code, printed, err = outcome(["data", "ingest", str(tmp_path / "src"), str(tmp_path / "out"), "--json"])
    assert code == 0 and json.loads(printed)["keys"] == wanted.as_json()
    (row,) = read_manifest(tmp_path / "out")
    assert row.key_counts == wanted
    assert bool(wanted.faults(CER)) == ("session " in err)


def corpus_of(folder, train, test):
    for name, strokes in (("a", train), ("b", train), ("c", test)):
        write_session(folder / f"{name}.hdf5", SAMPLES, name=name, user=name, keystrokes=strokes)
    write_split(folder / "splits.json", Split(("a", "b"), (), ("c",), {}))
    return folder


@pytest.mark.parametrize("case", [name for name, (_, counts) in CASES.items() if not counts.inside])
def test_training_sessions_without_a_key_to_learn_are_refused_before_training(tmp_path, case):
    folder = corpus_of(tmp_path / "src", CASES[case][0], typed("abc"))
    with pytest.raises(InputError) as caught:
        load_corpus(folder)
    assert caught.value.code == "no-keys"
    assert main(["train", "--data", str(folder), "--preset", "ladder-16", "--out", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run").exists()


def test_a_share_of_keys_that_cannot_be_learnt_is_a_warning_and_the_counts_are_kept(tmp_path):
    late = [{"key": "a", "start": START + 60}] * 2
    folder = corpus_of(tmp_path / "src", [*typed("abc"), *late], typed("abc"))
    corpus = load_corpus(folder)
    assert corpus.keys["train"] == KeyCounts(6, 4, 2, {}, 2, 0)
    assert len(corpus.warnings) == 2 and load_corpus(corpus_of(tmp_path / "ok", typed("ab"), typed("a"))).warnings == ()


@pytest.mark.parametrize(
    "name", ["'a'", "'Z'", "'\\\\'", "space", "Space", "Return", "Shift_L", "BackSpace", "comma", "KEY_SPACE"]
)
def test_names_of_common_tools_are_known(name, tmp_path):
    label = label_of_key(name)
    assert label is not None
    path = write_session(tmp_path / "a.hdf5", SAMPLES, keystrokes=[{"key": name, "start": START + 1}])
    assert open_session(path).labels.tolist() == [label]


def test_every_alias_names_a_key_and_none_the_right_shift():
    assert set(ALIASES.values()) <= set(KEY_NAMES)
    assert not [name for name in ALIASES if label_of_key(name) is None]
    assert [label_of_key(name) for name in ("Shift_R", "ShiftRight", "Key.shift_r", "KEY_RIGHTSHIFT")] == [None] * 4


def test_a_shard_keeps_the_count_of_doubled_keys(tmp_path):
    write_session(tmp_path / "src" / "a.hdf5", SAMPLES, keystrokes=typed("ab") * 3)
    ingest(tmp_path / "src", tmp_path / "out")
    (path,) = (tmp_path / "out" / "shards").iterdir()
    assert open_session(path).doubled == open_session(tmp_path / "src" / "a.hdf5").doubled == 4


def test_keys_where_no_window_lies_are_nothing_to_learn(tmp_path):
    tail = [{"key": "a", "start": START + (SAMPLES - 100) / 2000}]
    folder = corpus_of(tmp_path / "src", tail, typed("abc"))
    words = ["--window.length=8000", "--window.stride=8000", "--augment.no-jitter"]
    code, _, err = outcome(
        ["train", "--data", str(folder), "--preset", "ladder-16", "--out", str(tmp_path / "run"), *words]
    )
    assert code == 2 and "nothing to learn" in err.splitlines()[-1]


def test_events_of_other_classes_are_not_called_keys():
    counts = KeyCounts(1, 3, 2, {"cough": 9}, 2, 1)
    assert [len(counts.faults(measure)) for measure in (CER, EVENT_ERROR_RATE)] == [4, 4]
    assert all("key" in line for line in counts.faults(CER)[:1])
    assert not any("key" in line for line in counts.faults(EVENT_ERROR_RATE))
