"""A source's samples are made what training saw: electrodes, unit, rate, and the filters of ingest."""

import dataclasses

import numpy as np
import pytest

from semgjax.data.band import Band
from semgjax.data.tabular.conditioning import filtered, sections
from semgjax.data.tabular.declaration import FiltersPart
from semgjax.streaming.incoming import Conditioning, Incoming, check_source
from semgjax.streaming.sources.source import Described
from semgjax.streaming.timeline import Placed
from tests.refused import refused

BAND = Band((4,), 500.0, ("a",))
ABOUT = Described("device", 500.0, 4)
FILTERS = FiltersPart(highpass=20.0, notch=50.0, harmonics=2)


def placed(emg_TxC, first=0, valid_T=None):
    valid_T = np.ones(len(emg_TxC), bool) if valid_T is None else valid_T
    return Placed(first, emg_TxC, valid_T, None, 0.0)


def test_live_filters_give_what_ingest_gave():
    raw = np.random.default_rng(0).normal(size=(1000, 4)).astype(np.float32) + 30
    (expected,) = filtered([(3.0 * raw.astype(np.float64), True)], sections(FILTERS, 500.0))
    incoming = Incoming(ABOUT, BAND, Conditioning(scale=3.0, filters=FILTERS))
    found = np.concatenate([incoming.add(placed(raw[at : at + 33]))[0] for at in range(0, 1000, 33)])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found[0]).max() < 1e-3  # an offset makes no step


def test_a_signal_after_the_end_begins_with_new_filters():
    raw = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    incoming = Incoming(ABOUT, BAND, Conditioning(filters=FILTERS))
    first, _ = incoming.add(placed(raw))
    incoming.finish()
    np.testing.assert_array_equal(incoming.add(placed(raw))[0], first)


def test_lost_samples_are_marked_also_after_resampling():
    about = dataclasses.replace(ABOUT, rate=1000.0)
    incoming = Incoming(about, BAND, Conditioning(resample=True))
    valid = np.ones(1000, bool)
    valid[400:500] = False
    emg, found = incoming.add(placed(np.ones((1000, 4), np.float32), 0, valid))
    assert len(emg) == len(found) < 500 and not found[200:250].any() and found[:190].all() and found[270:].all()
    assert incoming.delay == pytest.approx(0.032)


@pytest.mark.parametrize(
    ("about", "conditioning", "code", "named"),
    [
        (Described("x", 500.0, 8), Conditioning(), "channel-count", "--channels"),
        (Described("x", 500.0, 3), Conditioning(), "channel-count", "3 channels"),
        (ABOUT, Conditioning(channels=(0, 1, 2, 4)), "channel-count", "no channel 4"),
        (Described("x", 512.0, 4), Conditioning(), "rate-differs", "--resample"),
        (ABOUT, Conditioning(scale=0.0), "bad-value", "0"),
        (ABOUT, Conditioning(filters=FiltersPart(highpass=250.0)), "bad-value", "250"),
    ],
)
def test_a_source_that_does_not_fit_is_refused(about, conditioning, code, named):
    with refused(code, named):
        check_source(about, BAND, conditioning)


def test_chosen_channels_and_another_rate_fit():
    about = check_source(Described("x", 512.0, 16), BAND, Conditioning(channels=(3, 2, 1, 0), resample=True))
    assert about == Described("x", 512.0, 4)
