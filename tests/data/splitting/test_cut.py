"""The beginning of a session as a session of its own."""

import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec, labels_of, read_window
from semgjax.data.sessions import open_session, read_emg
from semgjax.data.splitting.cut import first_samples
from tests.data.fixtures import random_emg, sample_times, typed, write_session

SAMPLES = 9000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(whole session, maker of the same session written with its first samples only)."""
    folder = tmp_path_factory.mktemp("cut")
    emg, time = random_emg(SAMPLES), sample_times(SAMPLES)
    time[5000:5003] = time[5000]  # a tie with a key on it, to cut through
    keys = [*typed("hello world again"), {"key": "x", "start": float(time[5000])}, *typed("z", first=time[0] - 1)]

    def short(samples):
        path = folder / f"{samples}.hdf5"
        return open_session(write_session(path, emg=emg[:samples], time=time[:samples], keystrokes=keys))

    return open_session(write_session(folder / "whole.hdf5", emg=emg, time=time, keystrokes=keys)), short


@pytest.mark.parametrize("samples", [1, 499, 500, 501, 4999, 5000, 5001, 5002, 5003, 8999])
def test_a_cut_session_is_that_of_a_file_cut_there(files, samples):
    whole, short = files
    cut, wanted = first_samples(whole, samples), short(samples)
    assert cut.samples == wanted.samples == samples
    for start, stop in [(0, samples), (samples - 1, samples), (samples // 2, samples), (samples // 3, samples // 2)]:
        np.testing.assert_array_equal(labels_of(cut, start, stop), labels_of(wanted, start, stop))
    np.testing.assert_array_equal(read_emg(cut, 0, samples), read_emg(wanted, 0, samples))
    spec = WindowSpec(length=200, stride=200, left=50, right=30)
    for one, other in zip(
        read_window(cut, samples - 210, spec, lags=(9,)),
        read_window(wanted, samples - 210, spec, lags=(9,)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_nothing_beyond_the_cut_can_be_read(files):
    with pytest.raises(ValueError, match=r"\b100\b"):
        read_emg(first_samples(files[0], 100), 0, 101)


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES + 1])
def test_a_limit_at_or_past_the_end_leaves_the_session_whole(files, samples):
    assert first_samples(files[0], samples) is files[0]
