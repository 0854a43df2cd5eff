"""Samples on a line: what is missing by the device's numbers or by its times is there as lost."""

import numpy as np
import pytest

from semgjax.streaming.sources.source import Described, Samples
from semgjax.streaming.timeline import Timeline

RATE = 1000.0
ABOUT = Described("device", RATE, 1)


def numbered(first, count, fresh=False):
    """Samples whose values are their numbers."""
    emg = np.arange(first, first + count, dtype=np.float32)[:, None]
    return Samples(emg, first, None, 0.0, fresh)


def whole(placed):
    """All of them: values with NaN where lost, and a check that places follow each other."""
    at = 0
    for part in placed:
        assert part.first == at
        at += len(part.emg_TxC)
    return np.concatenate([np.where(part.valid_T, part.emg_TxC[:, 0], np.nan) for part in placed])


def test_missing_numbers_are_lost_samples():
    line = Timeline(ABOUT)
    placed = line.place(numbered(100, 10)) + line.place(numbered(115, 5))
    expected = np.arange(100.0, 120.0)
    expected[10:15] = np.nan
    np.testing.assert_array_equal(whole(placed), expected)
    assert (line.gaps, line.lost, line.late, line.restarts) == (1, 5, 0, 0)
    assert placed[1].missing and placed[1].emg_TxC[0, 0] == 109  # a filter sees no step


def test_samples_that_come_twice_or_too_late_are_left_out():
    line = Timeline(ABOUT)
    placed = [one for first in (0, 10, 5, 18) for one in line.place(numbered(first, 10))]
    np.testing.assert_array_equal(whole(placed), np.arange(28.0))
    assert line.late == 12


@pytest.mark.parametrize("first", [11_000, 50_000])
def test_after_a_long_gap_the_stream_begins_anew(first):
    line = Timeline(ABOUT)
    placed = line.place(numbered(0, 10)) + line.place(numbered(first, 10))
    assert [one.fresh for one in placed] == [False, True] and len(whole(placed)) == 20
    assert (line.restarts, line.lost) == (1, 0)


def test_a_device_that_counts_anew_begins_anew():
    line = Timeline(ABOUT)
    placed = line.place(numbered(20_000, 10)) + line.place(numbered(0, 10)) + line.place(numbered(10, 10, fresh=True))
    assert [one.fresh for one in placed] == [False, True, True]
    assert line.lost == 0 and line.restarts == 2


def test_values_that_are_not_finite_are_lost_and_counted():
    line = Timeline(ABOUT)
    emg = np.array([np.nan, 1, np.inf, 3], np.float32)[:, None]
    (placed,) = line.place(Samples(emg, None, None, 0.0))
    np.testing.assert_array_equal(placed.valid_T, [False, True, False, True])
    np.testing.assert_array_equal(placed.emg_TxC[:, 0], [0, 1, 1, 3])
    assert (line.spoilt, line.gaps) == (2, 0)


def timed(line, times, size=10):
    """Chunks of samples with these times."""
    placed = []
    for at in range(0, len(times), size):
        chunk = times[at : at + size]
        values = np.arange(at, at + len(chunk), dtype=np.float32)[:, None]
        placed += line.place(Samples(values, None, chunk, 0.0))
    return placed + line.finish()


@pytest.mark.parametrize("jitter", [0.0, 0.0004])
@pytest.mark.parametrize("missing", [20, 300])
def test_a_step_of_the_times_that_stays_is_a_gap(jitter, missing):
    times = np.arange(8000) / RATE
    times[5003:] += missing / RATE
    times += jitter * np.random.default_rng(0).uniform(size=8000)
    line = Timeline(ABOUT)
    found = whole(timed(line, times))
    assert (line.gaps, line.restarts) == (1, 0)
    assert abs(line.lost - missing) <= 1
    assert np.isnan(found[5003]) and found[5002] == 5002 and found[-1] == 7999


@pytest.mark.parametrize("stall", [50, 500, 1500])
def test_a_sender_that_is_held_up_loses_nothing(stall):
    """It stamps samples when it passes them on: a stall makes late times, until the queue is passed on."""
    times = np.arange(8000) / RATE
    times = np.where((times >= 4) & (times < 4 + stall / RATE), 4 + stall / RATE, times)
    line = Timeline(ABOUT)
    assert len(whole(timed(line, times))) == 8000
    assert (line.gaps, line.lost, line.restarts) == (0, 0, 0)


def test_a_clock_of_another_speed_has_no_gaps():
    line = Timeline(ABOUT)
    assert len(whole(timed(line, np.arange(60_000) / RATE * 1.0005))) == 60_000
    assert line.gaps == 0


def test_times_that_step_far_begin_anew():
    for step in (100.0, -100.0):
        line = Timeline(ABOUT)
        times = np.arange(4000) / RATE
        times[2000:] += step
        placed = timed(line, times)
        assert len(whole(placed)) == 4000 and sum(one.fresh for one in placed) == 1
        assert (line.restarts, line.gaps) == (1, 0)


def test_values_that_no_signal_has_are_lost_like_those_that_are_not_finite():
    """One of them would make a network's sums infinite, and every frame after it."""
    line = Timeline(ABOUT)
    emg = np.array([1, 3e38, -1e20, 9e9], np.float32)[:, None]
    (placed,) = line.place(Samples(emg, None, None, 0.0))
    np.testing.assert_array_equal(placed.valid_T, [True, False, False, True])
    assert line.spoilt == 2 and placed.emg_TxC.max() < 1e10


def test_numbers_that_go_back_and_stay_are_a_device_that_counts_anew():
    line = Timeline(ABOUT)
    placed = [one for first in [*range(0, 2000, 100), *range(0, 2000, 100)] for one in line.place(numbered(first, 100))]
    assert len(whole(placed)) == 2000 + 1500 and [one.fresh for one in placed].count(True) == 1
    assert (line.late, line.restarts) == (500, 1)


def test_a_sender_that_sends_everything_twice_does_not_count_anew():
    line = Timeline(ABOUT)
    placed = [one for first in range(0, 3000, 100) for _ in range(2) for one in line.place(numbered(first, 100))]
    np.testing.assert_array_equal(whole(placed), np.arange(3000.0))
    assert (line.late, line.restarts) == (3000, 0)


@pytest.mark.parametrize(("first", "last"), [(1003, 1017), (1000, 1500), (0, 30), (3990, 4000)])
def test_times_that_are_not_finite_are_those_between_their_neighbours(first, last):
    line = Timeline(ABOUT)
    times = 5.0 + np.arange(4000) / RATE
    times[first:last] = np.nan
    placed = timed(line, times)
    assert len(whole(placed)) == 4000 and (line.lost, line.restarts) == (0, 0)
    known = [one.times for one in placed if one.times is not None]
    np.testing.assert_allclose(np.concatenate(known)[-3000:], 5.0 + np.arange(1000, 4000) / RATE, atol=1e-6)
