"""What is measured of a session's samples: against plain computations on the whole, whatever the blocks."""

import hashlib

import numpy as np
import pytest

from semgjax.data.quality import meter
from semgjax.data.quality.meter import measure, peak_edges
from semgjax.data.sessions import open_session, read_emg
from tests.data.fixtures import random_emg, sample_times, write_session


@pytest.fixture(scope="module")
def whole(sound):
    session = open_session(sound[0])
    return read_emg(session, 0, session.samples).astype(np.float64), measure(open_session(sound[0]))


def test_amplitudes_are_those_of_the_whole_signal(whole):
    emg, found = whole
    np.testing.assert_allclose(found.rms, np.sqrt(np.mean(emg**2, axis=0)), rtol=1e-5)
    short = np.sqrt(np.mean(emg.reshape(-1, 100, 32) ** 2, axis=1))
    for share, measured in ((0.05, found.low), (0.95, found.high), (0.99, found.top)):
        wanted = np.quantile(short, share, axis=0, method="inverted_cdf")
        np.testing.assert_allclose(measured, wanted, rtol=0.025)
    peaks = np.abs(emg).reshape(-1, 100, 32).max(axis=1)
    assert found.peaks.sum(axis=1).tolist() == [len(peaks)] * 32
    for limit in (20.0, 100.0):
        counted = found.peaks[:, peak_edges() > limit].sum(axis=1)
        assert (counted >= (peaks > limit * 1.03).sum(axis=0)).all()
        assert (counted <= (peaks > limit / 1.03).sum(axis=0)).all()


def test_the_timeline_and_the_covariance_are_those_of_short_pieces(whole):
    emg, found = whole
    power = np.mean(emg.reshape(-1, 100, 32) ** 2, axis=1)
    place = np.arange(len(power)) * 240 // len(power)
    columns = [power[place == column].mean(axis=0) for column in range(240)]
    np.testing.assert_allclose(found.timeline**2, columns, rtol=1e-3)
    for band in (0, 1):
        wanted = np.cov(np.log(power[:, 16 * band : 16 * band + 16]).T, bias=True)
        np.testing.assert_allclose(found.covariance[band], wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("samples", [1, 60, 100, 1999, 5000, 9001])
def test_measures_do_not_depend_on_the_blocks_they_were_read_in(tmp_path, monkeypatch, samples):
    emg, time = random_emg(samples), sample_times(samples)
    time[samples // 3 : samples // 2] = time[samples // 3]  # a run of ties across blocks
    time[samples // 2 :] += 0.5
    emg[samples // 4 : samples // 2, 3] = 77.0
    path = write_session(tmp_path / "a.hdf5", emg=emg, time=time)
    large = measure(open_session(path))
    monkeypatch.setattr(meter, "_READ", 2000)
    small = measure(open_session(path))
    for name in vars(large).keys() - {"digest", "band", "activity"}:
        np.testing.assert_allclose(getattr(small, name), getattr(large, name), rtol=1e-6, atol=1e-9, err_msg=name)
    assert small.digest == large.digest == hashlib.sha256(emg.tobytes()).hexdigest()


def test_the_clock_is_measured_where_it_ran(tmp_path):
    time = sample_times(9000)
    time[4000:] += 0.5
    time[6000:] += 3.0
    time[8000:8100] = time[8000]
    found = measure(open_session(write_session(tmp_path / "a.hdf5", time=time)))
    assert found.rate == pytest.approx(2000.0, rel=1e-4)
    assert (found.gaps, found.jumps, found.ties, found.longest_tie) == (2, 1, 99, 99)
    assert found.gap_seconds == pytest.approx(0.5005 + 0.05, abs=1e-4)
    assert found.jump_seconds == pytest.approx(3.0005, abs=1e-4)


def test_a_line_of_the_mains_has_its_share_of_the_power(tmp_path):
    emg = random_emg(60_000)  # RMS 14
    emg[:, 4] += np.sqrt(2) * 10.0 * np.sin(2 * np.pi * 50 * np.arange(len(emg)) / 2000)
    found = measure(open_session(write_session(tmp_path / "a.hdf5", emg=emg)))
    assert found.hum[0, 4] == pytest.approx(100 / (100 + 196), abs=0.01)
    assert found.hum[1].max() < 0.005 and np.delete(found.hum[0], 4).max() < 0.005


def test_memory_does_not_grow_with_the_session(tmp_path):
    import tracemalloc

    def peak(samples):
        path = write_session(tmp_path / f"{samples}.hdf5", emg=np.zeros((samples, 32), np.float32))
        session = open_session(path)
        tracemalloc.start()
        measure(session)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(400_000) < 1.3 * peak(100_000)
