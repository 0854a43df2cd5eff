from pathlib import Path

import numpy as np
import pytest

from semgjax.data.batching.windows import (
    WindowSpec,
    fill_window,
    labels_of,
    list_windows,
    max_labels,
    read_window,
    window_starts,
)
from semgjax.data.sessions import Session, open_session
from tests.data.fixtures import random_emg, sample_times, write_session
from tests.refused import refused

SPEC = WindowSpec(length=40, stride=30, left=11, right=7)


def session_of(samples: int, keys: int = 0, name: str = "a") -> Session:
    """A session without a file, for what needs no signal."""
    place = np.zeros(keys, np.int64)
    return Session(Path("none"), name, "7", samples, place.astype(np.int32), place, place, {})


def tied_session(tmp_path, seed: int, samples: int = 300) -> tuple[Session, np.ndarray, np.ndarray]:
    """A session with ties in time, and keys on samples, between them, before the first and after the last:
    (session, time of the samples, sorted presses); key number i is the class i."""
    rng = np.random.default_rng(seed)
    time = sample_times(samples)[np.sort(rng.integers(0, samples, samples))]
    between = rng.uniform(time[0] - 0.01, time[-1] + 0.01, 40)
    presses = np.sort([*rng.choice(time, 40), *between, time[0], time[-1], time[0] - 1, time[-1] + 1])
    names = [chr(ord("a") + i % 26) for i in range(len(presses))]
    strokes = [{"key": key, "start": press} for key, press in zip(names, presses, strict=True)]
    path = write_session(tmp_path / f"{seed}.hdf5", time=time, keystrokes=strokes)
    return open_session(path), time, presses


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_those_pressed_from_the_first_to_the_last_sample_both_included(tmp_path, seed):
    session, time, presses = tied_session(tmp_path, seed)
    assert (presses < time[0]).any() and (presses > time[-1]).any()
    inside = 0
    for start in range(0, 300, 3):
        for stop in [*range(start + 1, 301, 7), 300]:
            wanted = [i % 26 for i, p in enumerate(presses) if time[start] <= p <= time[stop - 1]]
            assert labels_of(session, start, stop).tolist() == wanted
            inside += len(wanted)
        assert labels_of(session, start, start).tolist() == []
    assert inside > 10_000


def test_a_key_on_the_first_or_the_last_sample_belongs_and_a_key_between_two_cores_to_neither(tmp_path):
    time = sample_times(100)
    presses = [time[20], (time[49] + time[50]) / 2, time[79], np.nextafter(time[79], np.inf)]
    strokes = [{"key": key, "start": p} for key, p in zip("abcd", presses, strict=True)]
    session = open_session(write_session(tmp_path / "a.hdf5", time=time, keystrokes=strokes))
    assert labels_of(session, 20, 50).tolist() == [0]
    assert labels_of(session, 50, 80).tolist() == [2]
    assert labels_of(session, 20, 80).tolist() == [0, 1, 2]
    assert labels_of(session, 21, 79).tolist() == [1]


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (6, 5), (0, 101)])
def test_labels_outside_the_session_are_refused(start, stop):
    with pytest.raises(ValueError, match=r"\b100\b"):
        labels_of(session_of(100), start, stop)


@pytest.mark.parametrize(
    ("samples", "starts"), [(0, []), (39, []), (40, [0]), (69, [0]), (70, [0, 30]), (100, [0, 30, 60])]
)
def test_windows_start_a_stride_apart_and_never_pass_the_end(samples, starts):
    found = window_starts(samples, SPEC)
    assert found.tolist() == starts
    assert found.dtype == np.int64


def test_window_count_follows_the_formula():
    for samples in range(40, 200):
        for stride in (1, 7, 40, 55):
            spec = WindowSpec(length=40, stride=stride)
            starts = window_starts(samples, spec)
            assert len(starts) == max(samples - 40, 0) // stride + 1
            assert starts[-1] + 40 <= samples


def test_the_default_window_is_four_seconds_with_a_second_of_context():
    assert WindowSpec() == WindowSpec(length=8000, stride=8000, left=1800, right=200)
    assert WindowSpec().total == 10_000


@pytest.mark.parametrize("options", [{"length": 0}, {"stride": 0}, {"left": -1}, {"right": -1}])
def test_lengths_out_of_range_are_input_errors(options):
    with refused("bad-value", f"{next(iter(options))}"):
        WindowSpec(**options)


def test_sessions_shorter_than_a_window_are_skipped_and_named():
    sessions = [session_of(71, name="a"), session_of(39, name="b"), session_of(40, name="c")]
    assert list_windows(sessions, SPEC) == ([(0, 0), (0, 30), (2, 0)], ["b"])


def naive_window(emg, start, spec, lag):
    """Row by row from the definition: (signal, rows where both bands exist)."""
    window, rows = np.zeros((spec.total, 32), np.float32), []
    for row in range(spec.total):
        left = start - spec.left + row - lag // 2
        right = start - spec.left + row + lag - lag // 2
        if 0 <= left < len(emg) and 0 <= right < len(emg):
            rows.append(row)
            window[row] = [*emg[left, :16], *emg[right, 16:]]
    return window, rows


@pytest.mark.parametrize("lag", [0, 1, -1, 6, -9, 30, 200])
@pytest.mark.parametrize("samples", [43, 150])
def test_a_window_is_zero_outside_the_session_and_says_where_the_signal_is(tmp_path, samples, lag):
    emg = random_emg(samples)
    session = open_session(write_session(tmp_path / "a.hdf5", emg=emg))
    for start in {0, 1, 3, 60, samples - 40, samples - 1, samples + 5}:
        found, first, last = read_window(session, start, SPEC, (lag,))
        wanted, rows = naive_window(emg, start, SPEC, lag)
        assert found.shape == (58, 32) and found.dtype == np.float32
        np.testing.assert_array_equal(found, wanted)
        assert list(range(first, last)) == rows


def test_the_core_begins_at_the_left_context_wherever_the_session_ends(tmp_path):
    emg = random_emg(100)
    session = open_session(write_session(tmp_path / "a.hdf5", emg=emg))
    for start, valid in ((0, (11, 58)), (30, (0, 58)), (60, (0, 51))):
        window, first, last = read_window(session, start, SPEC)
        np.testing.assert_array_equal(window[11:51], emg[start : start + 40])
        assert (first, last) == valid


def test_a_lag_moves_the_bands_against_each_other_by_that_many_samples(tmp_path):
    emg = np.repeat(np.arange(200, dtype=np.float32)[:, None], 32, axis=1)
    session = open_session(write_session(tmp_path / "a.hdf5", emg=emg))
    for lag in (-9, -2, 0, 5, 8):
        window, _, _ = read_window(session, 100, SPEC, (lag,))
        assert set(window[:, 16] - window[:, 0]) == {lag}
        middle = (window[:, 16] + window[:, 0]) / 2 - np.arange(58) - 89
        assert np.abs(middle).max() <= 0.5


def test_a_window_that_has_no_signal_is_empty(tmp_path):
    session = open_session(write_session(tmp_path / "a.hdf5", 100))
    for start in (111, 5000):
        window, first, last = read_window(session, start, SPEC)
        assert not window.any() and first == last


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length", [1, 13, 90, 300, 301])
def test_max_labels_is_the_most_that_any_offset_holds(tmp_path, seed, length):
    session, time, presses = tied_session(tmp_path, seed)
    counts = [len(labels_of(session, a, a + length)) for a in range(300 - length + 1)]
    assert max_labels([session_of(300), session], length) == max(counts, default=0)
    assert max_labels([], length) == 0


@pytest.mark.parametrize("lag", [0, 3, -8])
@pytest.mark.parametrize("rolls", [(0, 0), (1, 0), (0, -1), (2, -15), (16, -16), (-7, 8)])
def test_each_band_is_turned_on_its_own_ring(tmp_path, rolls, lag):
    session = open_session(write_session(tmp_path / "a.hdf5", 100))
    for start in (-5, 0, 30, 85):
        plain, *valid = read_window(session, start, SPEC, (lag,))
        turned = np.full_like(plain, np.nan)
        assert list(fill_window(turned, session, start, SPEC, (lag,), rolls)) == valid
        for band, roll in ((slice(0, 16), rolls[0]), (slice(16, 32), rolls[1])):
            np.testing.assert_array_equal(turned[:, band], np.roll(plain[:, band], roll, axis=1))
