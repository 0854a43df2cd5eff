"""Recordings: what is read back is what came, also after a kill, on a full disk, and with lost samples."""

import errno
import os
import struct
import time

import h5py
import numpy as np
import pytest
import pyxdf

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.quality.session_checks import check_session
from semgjax.data.sessions import open_session, read_emg
from semgjax.streaming.packets import Packet, encode_packet
from semgjax.streaming.recording import append_log
from semgjax.streaming.recording.hdf5_recording import write_session
from semgjax.streaming.recording.recorder import open_recorder, open_recorders
from semgjax.streaming.sources.source import Described, Samples
from semgjax.streaming.timeline import Timeline
from tests.refused import refused

ABOUT = Described("device", 2000.0, 32)
EMG = (np.random.default_rng(0).normal(size=(30_000, 32)) * 20).astype(np.float32)


def record(path, chunks, about=ABOUT, live=True, offset=None, notes=None):
    """Record (first, samples, times) chunks that arrive when they were taken, with some jitter."""
    notes = [] if notes is None else notes
    recorder, line, begun = open_recorder(path, about, live, "ada", notes.append), Timeline(about), time.monotonic()
    jitter = np.random.default_rng(1)
    for first, emg, times in chunks:
        received = begun + (first + len(emg)) / about.rate + jitter.exponential(0.002)
        for placed in line.place(Samples(emg, first, times, received)):
            recorder.put(placed, offset)
    for placed in line.finish():
        recorder.put(placed, offset)
    return recorder


def chunks(emg=EMG, size=200):
    return [(at, emg[at : at + size], None) for at in range(0, len(emg), size)]


def test_a_session_reads_back_and_checks(tmp_path):
    begun = time.time()
    record(tmp_path / "day.hdf5", chunks()).finish()
    assert [path.name for path in tmp_path.iterdir()] == ["day.hdf5"]
    session = open_session(tmp_path / "day.hdf5")
    assert (session.name, session.user, session.labelled, session.samples) == ("day", "ada", False, len(EMG))
    np.testing.assert_array_equal(read_emg(session, 0, len(EMG)), EMG)
    with h5py.File(tmp_path / "day.hdf5") as file:
        times = file["emg2qwerty/timeseries"]["time"]
        assert file["emg2qwerty/lost"].shape == (0, 2)
        assert file["emg2qwerty"].attrs["duration_mins"] == pytest.approx(0.25)
    # A line through the times of arrival: no jitter, no ties.
    np.testing.assert_allclose(np.diff(times), 1 / 2000, rtol=1e-3)
    assert abs(times[0] - begun) < 5
    checked = check_session(tmp_path / "day.hdf5", WindowSpec())
    assert not [one for one in checked.findings if one.code in ("rate", "gaps", "jumps", "ties")]


def test_lost_samples_are_zero_and_listed(tmp_path):
    emg = EMG[:4000].copy()
    emg[100:103] = np.nan
    parts = [one for one in chunks(emg) if not 1000 <= one[0] < 1600]
    record(tmp_path / "day.hdf5", parts).finish()
    expected = np.where(np.isfinite(emg), emg, 0)
    expected[1000:1600] = 0
    session = open_session(tmp_path / "day.hdf5")
    np.testing.assert_array_equal(read_emg(session, 0, 4000), expected)
    with h5py.File(tmp_path / "day.hdf5") as file:
        assert file["emg2qwerty/lost"][:].tolist() == [[100, 3], [1000, 600]]


def test_after_a_long_gap_samples_follow_and_times_jump(tmp_path):
    parts = chunks(EMG[:14_000]) + [(first + 60_000, emg, None) for first, emg, _ in chunks(EMG[14_000:])]
    record(tmp_path / "day.hdf5", parts).finish()
    with h5py.File(tmp_path / "day.hdf5") as file:
        times = file["emg2qwerty/timeseries"]["time"]
    assert len(times) == 30_000 and times[14_000] - times[13_999] == pytest.approx(23, abs=0.02)


def test_times_of_a_device_are_kept_where_arrival_tells_nothing(tmp_path):
    moments = 1.6e9 + np.arange(1000) / 2000
    record(tmp_path / "day.hdf5", [(0, EMG[:1000], moments)], live=False).finish()
    with h5py.File(tmp_path / "day.hdf5") as file:
        np.testing.assert_allclose(file["emg2qwerty/timeseries"]["time"], moments, atol=1e-6)


def test_packets_that_a_killed_process_left_become_the_session(tmp_path):
    part = tmp_path / "day.hdf5.part"
    content = b"".join(encode_packet(Packet(emg, 2000.0, at, sent=1e9 + at / 2000)) for at, emg, _ in chunks())
    part.write_bytes(content[:-1])
    with refused("out-exists", part):
        open_recorder(tmp_path / "day.hdf5", ABOUT, True, "ada", print)
    assert write_session(part, tmp_path / "day.hdf5", "ada") == pytest.approx(14.9)
    np.testing.assert_array_equal(read_emg(open_session(tmp_path / "day.hdf5"), 0, 29_800), EMG[:29_800])
    with refused("out-exists"):
        write_session(part, tmp_path / "day.hdf5", "ada")
    part.write_bytes(content[:20])
    with refused("empty", part):
        write_session(part, tmp_path / "other.hdf5", "ada")


@pytest.mark.parametrize(("channels", "rate"), [(4, 200.0), (32, 2000.0)])
def test_xdf_reads_back_with_pyxdf(tmp_path, channels, rate):
    emg = EMG[: round(12 * rate) if rate == 200 else 4000, :channels].copy()
    emg[50, 0] = np.nan
    moments = 77.0 + np.arange(len(emg)) / rate
    parts = [(at, emg[at : at + 40], moments[at : at + 40]) for at in range(0, len(emg), 40)]
    parts = [one for one in parts if one[0] != 80]
    about = Described("a <wristband> & more", rate, channels)
    record(tmp_path / "day.xdf", parts, about, offset=1000.0).finish()
    (stream,), _ = pyxdf.load_xdf(str(tmp_path / "day.xdf"), dejitter_timestamps=False)
    kept = np.r_[0:80, 120 : len(emg)]
    expected = emg[kept]
    expected[50] = np.nan
    np.testing.assert_array_equal(stream["time_series"], expected)
    np.testing.assert_allclose(stream["time_stamps"], moments[kept] + 1000, atol=1e-6)
    info = stream["info"]
    assert (info["name"], info["type"], info["channel_count"]) == (["a <wristband> & more"], ["EMG"], [str(channels)])
    assert float(info["nominal_srate"][0]) == rate and stream["footer"]["info"]["sample_count"] == [str(len(kept))]
    assert set(stream["clock_values"]) == {1000.0}


def test_xdf_without_times_counts_from_the_first_arrival_and_measures_the_clock(tmp_path):
    record(tmp_path / "day.xdf", chunks()).finish()
    (stream,), _ = pyxdf.load_xdf(str(tmp_path / "day.xdf"))
    np.testing.assert_array_equal(stream["time_series"], EMG)
    assert len(stream["clock_times"]) == 3 and np.abs(stream["clock_values"]).max() < 0.1
    assert stream["info"]["effective_srate"] == pytest.approx(2000, rel=1e-3)


def test_xdf_that_was_cut_off_is_read_up_to_the_cut(tmp_path):
    record(tmp_path / "day.xdf", chunks()).finish()
    content = (tmp_path / "day.xdf").read_bytes()
    (tmp_path / "cut.xdf").write_bytes(content[: len(content) // 2])
    (stream,), _ = pyxdf.load_xdf(str(tmp_path / "cut.xdf"), dejitter_timestamps=False)
    count = len(stream["time_series"])
    assert 14_000 < count < 15_000
    np.testing.assert_array_equal(stream["time_series"], EMG[:count])


@pytest.mark.parametrize(
    ("name", "about", "code"),
    [
        ("day.csv", ABOUT, "bad-value"),
        ("day.hdf5", Described("arm", 200.0, 8), "band-misfit"),
        ("day.hdf5", Described("slow", 1000.0, 32), "band-misfit"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_nothing_is_made(tmp_path, name, about, code):
    with refused(code, name):
        open_recorder(tmp_path / name, about, True, "ada", print)
    assert not list(tmp_path.iterdir())


def test_an_existing_recording_is_not_touched(tmp_path):
    for name in ("day.hdf5", "day.xdf"):
        (tmp_path / name).write_text("mine")
        with refused("out-exists", name):
            open_recorder(tmp_path / name, ABOUT, True, "ada", print)
        assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("ending", [".hdf5", ".xdf"])
def test_a_disk_that_fills_and_is_freed_loses_nothing(small_disk, tmp_path, ending, monkeypatch):
    monkeypatch.setattr(append_log, "_RETRY", 0.02)
    filler, notes = small_disk / "filler", []
    filler.write_bytes(bytes(10 << 20))
    recorder = record(small_disk / f"day{ending}", chunks(), notes=notes)
    until = time.monotonic() + 20
    while not notes and time.monotonic() < until:
        time.sleep(0.01)
    assert "memory" in notes[0]
    filler.unlink()
    while len(notes) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    (small_disk / "filler").write_bytes(bytes(5 << 20))
    if ending == ".hdf5":  # packets and session do not fit both: the packets stay
        with refused("no-space", "recover"):
            recorder.finish()
        part = small_disk / "day.hdf5.part"
        assert sorted(path.name for path in small_disk.iterdir()) == [part.name, "filler"]
        write_session(part, tmp_path / "day.hdf5", "ada")
        session = open_session(tmp_path / "day.hdf5")
        np.testing.assert_array_equal(read_emg(session, 0, len(EMG)), EMG)
        return
    recorder.finish()
    (stream,), _ = pyxdf.load_xdf(str(small_disk / "day.xdf"), dejitter_timestamps=False)
    np.testing.assert_array_equal(stream["time_series"], EMG)


def test_a_disk_that_stays_full_keeps_what_it_took_and_says_so(small_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(append_log, "_RETRY", 0.02)
    (small_disk / "filler").write_bytes(bytes(10 << 20))
    recorder = record(small_disk / "day.hdf5", chunks())
    with refused("no-space", "day.hdf5.part"):
        recorder.finish()
    seconds = write_session(small_disk / "day.hdf5.part", tmp_path / "day.hdf5", "ada")
    session = open_session(tmp_path / "day.hdf5")
    assert 1 < seconds < 15
    np.testing.assert_array_equal(read_emg(session, 0, session.samples), EMG[: session.samples])


def test_chunks_have_the_bytes_of_the_specification():
    from semgjax.streaming.recording import xdf_format

    assert xdf_format.file_header()[:4] == b"XDF:"
    assert xdf_format.boundary() == struct.pack("<BBH", 1, 18, 5) + bytes.fromhex("43A546DCCBF5410FB30ED5467383CBE4")
    found = xdf_format.samples(np.array([2.0]), np.array([[1.5]], np.float32))
    assert found == struct.pack("<BBHIBI", 1, 24, 3, 1, 4, 1) + struct.pack("<Bdf", 8, 2.0, 1.5)


@pytest.mark.parametrize("ending", [".hdf5", ".xdf"])
def test_a_sync_that_fails_once_is_an_error_of_the_recording_whose_samples_are_kept(tmp_path, ending, monkeypatch):
    """What the system could not bring to the disk may be lost although later syncs succeed."""
    real, failures, notes = os.fsync, [OSError(errno.EIO, os.strerror(errno.EIO))], []

    def fsync(number):
        if failures:  # the first one is the recording's, within its first pieces
            raise failures.pop()
        real(number)

    monkeypatch.setattr(append_log.os, "fsync", fsync)
    monkeypatch.setattr(append_log, "_SYNC", 0.0)
    recorder = record(tmp_path / f"day{ending}", chunks(), notes=notes)
    with refused("io-error", f"day{ending}", "synced"):
        recorder.finish()
    assert not failures and len(notes) == 1
    if ending == ".hdf5":
        assert sorted(path.name for path in tmp_path.iterdir()) == ["day.hdf5", "day.hdf5.part"]
        np.testing.assert_array_equal(read_emg(open_session(tmp_path / "day.hdf5"), 0, len(EMG)), EMG)


def test_what_a_disk_that_fails_did_not_take_is_an_error_also_when_it_failed_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(append_log, "_MOST", 100_000)
    monkeypatch.setattr(append_log.AppendLog, "_run", lambda self: None)  # a disk that hangs
    recorder = record(tmp_path / "day.xdf", chunks())
    assert recorder.failed is not None and recorder.failed.code == "io-error"
    with refused("io-error", "day.xdf"):
        recorder.finish()


def test_of_several_recordings_all_are_made_or_none(tmp_path):
    for names, code in ((("a.xdf", "b.hdf5", "c.txt"), "bad-value"), (("a.xdf", "b.hdf5", "./a.xdf"), "conflict")):
        with refused(code, tmp_path):
            open_recorders([tmp_path / name for name in names], ABOUT, True, "ada", print)
        assert not list(tmp_path.iterdir())
    for recorder in open_recorders([tmp_path / "a.xdf", tmp_path / "b.hdf5"], ABOUT, True, "ada", print):
        recorder.finish()
    assert not list(tmp_path.iterdir())  # nothing came
