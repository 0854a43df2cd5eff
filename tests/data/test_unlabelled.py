"""Sessions without labels in every source, in checks and in the corpus; labels that are withheld."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import load_corpus
from semgjax.data.quality.session_checks import check_sessions
from semgjax.data.readers.recording import Recording, array_recording
from semgjax.data.sessions import find_sessions, load_sessions, open_session, read_emg
from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.manifest import FILE, read_manifest
from semgjax.data.splitting.inventory import list_folder
from semgjax.data.splitting.splits import Split, write_split
from tests.data.fixtures import random_emg, typed, write_session
from tests.data.tabular.table_folders import TOML, declared, samples, written
from tests.data.tabular.test_tables import opened, with_events
from tests.refused import refused

NO_KEYS = {"keystrokes": None, "prompts": None}
SAMPLES = 3600


def write_corpus(folder: Path, split: Split, without: str = "e") -> Path:
    """Sessions a-e of the users u, u, v, w, x; those named in `without` have no labels."""
    for name, user in zip("abcde", "uuvwx", strict=True):
        attributes = NO_KEYS if name in without else {}
        keys = typed("hello", interval=0.01)
        write_session(folder / f"{name}.hdf5", SAMPLES, user=user, keystrokes=keys, attributes=attributes)
    write_split(folder / "splits.json", split)
    return folder


SPLIT = Split(("a",), ("b",), ("d",), {}, {"c": 2000}, ("c", "e"))


@pytest.mark.parametrize("attributes", [NO_KEYS, {"keystrokes": None}])
def test_a_file_without_keystrokes_is_a_session_without_labels(tmp_path, attributes):
    session = open_session(write_session(tmp_path / "a.hdf5", SAMPLES, attributes=attributes))
    assert (session.labelled, len(session.labels), session.samples) == (False, 0, SAMPLES)
    assert open_session(write_session(tmp_path / "b.hdf5", SAMPLES)).labelled


def test_a_file_with_keystrokes_needs_its_prompts(tmp_path):
    with refused("bad-field", "prompts"):
        open_session(write_session(tmp_path / "a.hdf5", SAMPLES, attributes={"prompts": None}))


def test_shards_and_manifest_keep_that_a_session_has_no_labels(tmp_path):
    emg = random_emg(SAMPLES)
    write_session(tmp_path / "hdf5" / "a.hdf5", emg=emg, attributes=NO_KEYS)
    write_session(tmp_path / "hdf5" / "b.hdf5", SAMPLES, keystrokes=typed("hello"))
    done = ingest(tmp_path / "hdf5", tmp_path / "out")
    assert [row.labelled for row in done.rows] == [False, True]
    sessions = load_sessions(tmp_path / "out")
    assert [session.labelled for session in sessions] == [False, True]
    np.testing.assert_allclose(read_emg(sessions[0], 0, SAMPLES), emg, rtol=2.0**-10)
    manifest = json.loads((tmp_path / "out" / FILE).read_text())
    assert manifest["version"] == 4
    assert [row.get("labelled") for row in manifest["sessions"]] == [False, None]
    rows = read_manifest(tmp_path / "out")
    assert [row.key_counts.sessions for row in rows] == [0, 1]
    assert [row.labelled for row in list_folder(tmp_path / "out")] == [False, True]
    assert [row.labelled for row in list_folder(tmp_path / "hdf5")] == [False, True]
    assert ingest(tmp_path / "hdf5", tmp_path / "out").reused == 2


def test_a_folder_of_labelled_sessions_keeps_the_manifest_of_version_3(tmp_path):
    write_session(tmp_path / "hdf5" / "b.hdf5", SAMPLES, keystrokes=typed("hello"))
    ingest(tmp_path / "hdf5", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / FILE).read_text())
    assert manifest["version"] == 3 and "labelled" not in manifest["sessions"][0]


def test_a_recording_without_labels_has_no_events():
    whole = array_recording(np.zeros((100, 3)), 500.0, [(0.1, "up")], "s", "u", ("up",))
    with refused("conflict"):
        dataclasses.replace(whole, labelled=False)
    none = np.zeros(0, np.int64)
    bare = dataclasses.replace(whole, labels=none, key_first=none, key_last=none, labelled=False)
    assert isinstance(bare, Recording) and not bare.labelled


def test_tables_without_a_source_of_labels_have_the_classes_of_those_with_labels(tmp_path):
    written(declared(tmp_path / "with") / "ann-1.csv", samples())
    written(declared(tmp_path / "none", source='source = "none"') / "ann-1.csv", samples())
    with_labels, without = (opened(tmp_path / name)["ann-1"] for name in ("with", "none"))
    assert (with_labels.labelled, without.labelled) == (True, False)
    assert with_labels.classes == without.classes == ("fist", "point")
    assert len(without.labels) == 0


def test_with_optional_events_a_session_without_its_table_has_no_labels(tmp_path):
    with_events(tmp_path, "onset\tstop\ttype\n0.2\t0.295\t2\n", "optional = true\n")
    written(tmp_path / "ann-2.csv", samples())
    found = opened(tmp_path)
    assert {name: (one.labelled, len(one.labels)) for name, one in found.items()} == {
        "ann-1": (True, 1),
        "ann-2": (False, 0),
    }
    assert found["ann-1"].classes == found["ann-2"].classes


def test_a_part_without_its_table_beside_one_with_it_is_refused(tmp_path):
    toml = TOML.replace("{user}-{session}.csv", "{user}-{part}.csv") + (
        '\n[events]\npattern = "{user}-{part}.tsv"\nonset = "onset"\nlabel = "type"\n'
        'columns = 2\ndelimiter = "\\t"\noptional = true\n'
    )
    declared(tmp_path, toml, source='source = "events"', column="", rest='rest = ["rest"]')
    for part in "12":
        written(tmp_path / f"ann-{part}.csv", samples())
    (tmp_path / "ann-1.tsv").write_text("onset\ttype\n0.1\t1\n")
    with refused("no-file", "ann-2.tsv"):
        opened(tmp_path)


def test_a_check_notes_that_a_session_has_no_labels(tmp_path):
    write_session(tmp_path / "a.hdf5", 17_000, attributes=NO_KEYS)
    report = check_sessions(find_sessions(tmp_path), WindowSpec())
    findings = {finding.code: finding.severity for finding in report.sessions[0].findings}
    assert findings["unlabelled"] == "note"
    assert not findings.keys() & {"no_keys", "key_rate", "silence", "empty_windows"}


def test_the_unlabelled_part_has_signal_and_no_labels_withheld_or_absent(tmp_path):
    corpus = load_corpus(write_corpus(tmp_path, SPLIT))
    found = {session.name: (session.samples, len(session.labels), session.labelled) for session in corpus.unlabelled}
    assert found == {"c": (2000, 0, False), "e": (SAMPLES, 0, False)}
    assert (corpus.train_users, corpus.unlabelled_users) == (1, 2)
    assert corpus.train_hours == pytest.approx(SAMPLES / 2000 / 3600)
    assert corpus.unlabelled_hours == pytest.approx((2000 + SAMPLES) / 2000 / 3600)
    assert {part: counts.sessions for part, counts in corpus.keys.items()} == {"train": 1, "val": 1, "test": 1}
    assert corpus.warnings == ()


def test_the_hash_covers_unlabelled_sessions_without_their_labels(tmp_path):
    hashes = {
        "withheld": load_corpus(write_corpus(tmp_path / "withheld", SPLIT)).hash,
        "absent": load_corpus(write_corpus(tmp_path / "absent", SPLIT, "ce")).hash,
        "fewer": load_corpus(write_corpus(tmp_path / "fewer", dataclasses.replace(SPLIT, unlabelled=("c",)))).hash,
        "none": load_corpus(write_corpus(tmp_path / "none", dataclasses.replace(SPLIT, unlabelled=(), limits={}))).hash,
    }
    assert hashes["withheld"] == hashes["absent"]
    assert len(set(hashes.values())) == 3


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_session_without_labels_is_refused_where_labels_are_needed(tmp_path, part):
    split = Split(**{"train": ("a",), "val": (), "test": ("d",), "rule": {}} | {part: ("e",)})
    with refused("no-labels", "'e'", part):
        load_corpus(write_corpus(tmp_path, split))


def test_unlabelled_sessions_of_a_test_user_cause_a_warning(tmp_path):
    corpus = load_corpus(write_corpus(tmp_path, Split(("c",), (), ("a",), {}, unlabelled=("b", "d"))))
    assert len(corpus.warnings) == 1 and "u" in corpus.warnings[0]
