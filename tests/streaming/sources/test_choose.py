"""Which source a word names."""

import shutil
import sys
import time

import h5py
import numpy as np
import pytest

from semgjax.data.sessions import open_session, read_emg
from semgjax.streaming.sources.choose import open_source
from tests.refused import refused


@pytest.mark.parametrize(
    ("word", "code"),
    [("lsl:", "bad-value"), ("udp:", "bad-value"), ("udp:eight", "bad-value"), ("udp:99999", "bad-value"),
     ("brainflow:", "bad-value"), ("no-such.hdf5", "no-file")],
)  # fmt: skip
def test_a_word_that_names_no_source_is_refused(word, code):
    with refused(code, word.rstrip(":")):
        open_source(word)


@pytest.mark.parametrize(
    ("word", "module"), [("lsl:x", "pylsl"), ("brainflow:SYNTHETIC_BOARD", "brainflow.board_shim")]
)
def test_a_source_whose_package_is_not_installed_names_the_extra(word, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with refused("missing-extra", word, "pip install"):
        open_source(word)


def test_only_a_file_can_be_fast():
    for word in ("-", "udp:5000", "lsl:x"):
        with refused("conflict", word):
            open_source(word, fast=True)


def test_a_file_gives_its_session_at_its_pace_or_fast(sessions):
    path = sorted(sessions.glob("*.hdf5"))[0]
    session = open_session(path)
    slow, fast = open_source(str(path)), open_source(str(path), fast=True)
    assert slow.live and not fast.live
    assert (fast.describe().rate, fast.describe().channels) == (2000.0, 32)
    parts = []
    while (samples := fast.read()) is not None:
        assert samples.first == sum(map(len, parts))
        parts.append(samples.emg_TxC)
    np.testing.assert_array_equal(np.concatenate(parts), read_emg(session, 0, session.samples))
    begun, count = time.monotonic(), 0
    while count < 1000:
        samples = slow.read()
        count += len(samples.emg_TxC)
    assert time.monotonic() - begun >= 0.5 and samples.received <= time.monotonic()


@pytest.fixture
def changed(sessions, tmp_path):
    """A session whose group is changed by a function."""

    def change(edit):
        path = shutil.copy(sorted(sessions.glob("*.hdf5"))[0], tmp_path / "s.hdf5")
        with h5py.File(path, "r+") as file:
            edit(file["emg2qwerty"])
        return path

    return change


def with_times(edit):
    """An edit of a group that replaces its times."""

    def change(group):
        rows = group["timeseries"][:]
        rows["time"] = edit(rows["time"] - rows["time"][0])
        group["timeseries"][:] = rows

    return change


@pytest.mark.parametrize(
    ("edit", "rate"),
    [(lambda t: 2 * t, 1000.0), (lambda t: t / 1.024, 2000.0), (lambda t: 0 * t, 2000.0),
     (lambda t: t + 3.0 * (t > 4), 2000.0)],
    ids=["half", "near", "unknown", "gap"],
)  # fmt: skip
def test_the_rate_of_a_file_is_that_of_its_format_unless_its_times_contradict_it(changed, edit, rate):
    assert open_source(str(changed(with_times(edit))), fast=True).describe().rate == pytest.approx(rate, rel=1e-3)


def test_samples_that_a_recording_lists_as_lost_are_lost(changed):
    lost = np.array([[0, 3], [630, 20], [23_990, 10]])
    source = open_source(str(changed(lambda group: group.create_dataset("lost", data=lost))), fast=True)
    parts = []
    while (samples := source.read()) is not None:
        parts.append(samples.emg_TxC)
    bad = np.isnan(np.concatenate(parts)).all(axis=1)
    assert np.flatnonzero(bad).tolist() == [0, 1, 2, *range(630, 650), *range(23_990, 24_000)]


@pytest.mark.parametrize(
    "lost", [[[0, 24_001]], [[-1, 3]], [1, 2], [[0.5, 1.0]]], ids=["long", "before", "flat", "half"]
)
def test_a_list_of_lost_samples_that_cannot_be_is_refused(changed, lost):
    path = changed(lambda group: group.create_dataset("lost", data=np.array(lost)))
    with refused("bad-field", path):
        open_source(str(path))
