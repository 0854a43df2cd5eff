"""Sources other than typing: emg2pose's files, and any array with labelled events."""

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest

from semgjax.data.band import TYPING, Band, common_band
from semgjax.data.corpus import load_corpus
from semgjax.data.readers.recording import Form, Item, Recording, array_recording
from semgjax.data.sessions import Session, load_sessions, read_emg
from semgjax.data.shards.ingest import ingest, ingest_items
from semgjax.data.shards.manifest import read_manifest
from semgjax.data.splitting.cut import first_samples
from semgjax.data.splitting.splits import Split, write_split
from semgjax.errors import InputError
from tests.refused import refused


def write_pose(path, samples=1500, attributes=None, **fields):
    """A file in emg2pose's form."""
    types = {"time": ("<f8",), "joint_angles": ("<f4", (20,)), "emg": ("<f4", (16,))}
    rows = np.zeros(samples, [(name, *kind) for name, kind in types.items() if fields.get(name, 0) is not None])
    values = {"time": np.arange(samples) / 2000, "emg": np.random.default_rng(0).normal(0, 1e-5, (samples, 16))}
    for name in rows.dtype.names:
        if name in values:
            rows[name] = fields.get(name, values[name])
    everything = {"session": "s1", "side": "left", "stage": "fist", "user": "u1", "sample_rate": 2000.0}
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        group = file.create_group("emg2pose")
        group["timeseries"] = rows
        group.attrs.update({k: v for k, v in {**everything, **(attributes or {})}.items() if v is not None})
    return values["emg"].astype(np.float32)


def test_a_hand_of_emg2pose_is_a_session_of_16_channels_with_its_stage_as_event(tmp_path):
    emg = write_pose(tmp_path / "pose" / "a.hdf5")
    ingest(tmp_path / "pose", tmp_path / "out")
    (session,) = load_sessions(tmp_path / "out")
    assert (session.name, session.user, session.channels, session.rate) == ("s1-fist-left", "u1", 16, 2000)
    assert (session.classes, session.labels.tolist(), session.key_first.tolist()) == (("fist",), [0], [0])
    np.testing.assert_allclose(read_emg(session, 3, 1400), emg[3:1400], rtol=2.0**-10, atol=1e-12)
    (row,) = read_manifest(tmp_path / "out")
    assert (row.channels, row.rate, row.classes) == (16, 2000, ("fist",)) and row.scale < 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"emg": None}, "no-column"),
        ({"time": None}, "no-column"),
        ({"time": -np.arange(1500.0)}, "gap-in-signal"),
        ({"attributes": {"stage": None}}, "bad-field"),
        ({"attributes": {"sample_rate": "fast"}}, "bad-field"),
        ({"samples": 0}, "channel-count"),
        ({"emg": np.full((1500, 16), np.nan)}, "not-finite"),
    ],
)
def test_a_damaged_file_of_emg2pose_is_named(tmp_path, options, code):
    write_pose(tmp_path / "pose" / "a.hdf5", **options)
    with refused(code) as caught:
        ingest(tmp_path / "pose", tmp_path / "out")
    assert "a.hdf5: " in str(caught.value)


def test_a_corpus_of_another_source_has_its_band_and_hours(tmp_path):
    write_pose(tmp_path / "pose" / "a.hdf5")
    ingest(tmp_path / "pose", tmp_path / "out")
    write_split(tmp_path / "out" / "splits.json", Split(("s1-fist-left",), (), (), {}))
    corpus = load_corpus(tmp_path / "out")
    assert corpus.band == Band((16,), 2000.0, ("fist",))
    assert corpus.train_hours == 1500 / 2000 / 3600


EVENTS = [(0.5, "up"), (0.1, "down"), (0.2, "sideways"), (-1.0, "up"), (9.0, "down"), (0.1004, "up")]


def peek_array(files):
    return files[0].stem, "someone"


def open_array(files) -> Recording:
    return array_recording(
        np.load(files[0], allow_pickle=False), 250.0, EVENTS, files[0].stem, "someone", ("up", "down")
    )


def open_short(files) -> Recording:
    """Gives a sample less than it says."""
    emg = np.load(files[0], allow_pickle=False)
    return Recording("x", "y", 1.0, 3, len(emg), *[np.zeros(0, int)] * 3, lambda: iter([emg[1:]]))


def test_any_array_with_events_can_be_ingested_by_two_functions(tmp_path):
    emg = np.random.default_rng(0).normal(0, 1, (1000, 3))
    np.save(tmp_path / "one.npy", emg)
    items = [Item("one.npy", (tmp_path / "one.npy",), Form(peek_array, open_array))]
    done = ingest_items(tmp_path, items, tmp_path / "out")
    assert done.made == 1
    (session,) = load_sessions(tmp_path / "out")
    assert (session.name, session.channels, session.rate, session.samples) == ("one", 3, 250, 1000)
    assert session.labels.tolist() == [0, 1, 0, 0, 1]
    assert session.key_first.tolist() == [0, 25, 26, 125, 1000]
    assert session.key_last.tolist() == [-1, 25, 25, 125, 999]
    assert session.dropped == {"sideways": 1}
    np.testing.assert_allclose(read_emg(session, 0, 1000), emg, rtol=2.0**-10, atol=1e-6)
    assert ingest_items(tmp_path, items, tmp_path / "out").reused == 1


def open_spliced(files) -> Recording:
    emg, classes = np.load(files[0], allow_pickle=False), ("up", "down")
    ends = [0.2, 0.15, 0.3, np.nan]
    events = [(0.1, "up"), (0.05, "down"), (0.25, "sideways"), (0.9, "up")]
    one = array_recording(
        emg, 250.0, events, "s-order-00", "someone", classes, ends=ends, joints=[40, 90], rings=(2, 1)
    )
    return dataclasses.replace(one, origin="s", origin_samples=5000)


def test_rings_ends_joints_and_origin_are_kept_in_shards(tmp_path):
    np.save(tmp_path / "one.npy", np.ones((250, 3)))
    items = [Item("one.npy", (tmp_path / "one.npy",), Form(peek_array, open_spliced))]
    ingest_items(tmp_path, items, tmp_path / "out")
    (session,) = load_sessions(tmp_path / "out")
    assert session.band == Band((2, 1), 250.0, ("up", "down"))
    assert session.labels.tolist() == [1, 0, 0] and session.key_end.tolist() == [37, 50, -1]
    assert session.joints == (40, 90) and session.spliced and session.recorded_samples == 5000
    (row,) = read_manifest(tmp_path / "out")
    assert (row.rings, row.origin, row.origin_samples) == ((2, 1), "s", 5000)
    cut = first_samples(session, 60)
    assert cut.joints == (40,) and cut.key_end.tolist() == [37, 50]


def test_sessions_of_different_bands_have_none_in_common():
    typing = Session(Path("a"), "a", "u", 9, *[np.zeros(0, int)] * 3, {})
    assert common_band([typing, typing]) == TYPING == typing.band
    assert (TYPING.channels, TYPING.num_classes, TYPING.blank, TYPING.metric) == (32, 99, 98, "cer")
    for change in ({"rate": 1000.0}, {"classes": ("a",)}, {"rings": (32,)}, {"channels": 8}):
        with refused("mixed-bands"):
            common_band([typing, dataclasses.replace(typing, **change)])
    with refused("no-sessions"):
        common_band([])


def test_a_source_that_gives_another_signal_than_it_said_is_refused(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((10, 3)))
    items = [Item("one.npy", (tmp_path / "one.npy",), Form(peek_array, open_short))]
    with refused("bad-value", "one.npy"):
        ingest_items(tmp_path, items, tmp_path / "out")


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"rate": 0.0},
        {"channels": 0},
        {"samples": 0},
        {"labels": np.zeros(2)},
        {"key_last": [1, 0]},
        {"rings": (2,)},
        {"joints": (1,)},
        {"key_end": np.zeros(1)},
    ],
)
def test_a_recording_that_cannot_be_is_refused(change):
    sound = {"name": "a", "user": "b", "rate": 1.0, "channels": 1, "samples": 1, "blocks": lambda: iter([])}
    places = {name: np.zeros(len(change.get("key_last", [])), int) for name in ("labels", "key_first", "key_last")}
    with pytest.raises(InputError):
        Recording(**{**sound, **places, **change})
