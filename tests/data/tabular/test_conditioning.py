"""Filters on the way in: causal, carried over blocks, anew at joints; one gain a session."""

import numpy as np
import pytest
from scipy import signal as scipy_signal

from semgjax.data.tabular.conditioning import filtered, middle_rms, sections
from semgjax.data.tabular.declaration import FiltersPart, TableOptions, declaration_of
from semgjax.data.tabular.table_source import find_items
from tests.data.tabular.table_folders import declared, samples, written
from tests.data.tabular.test_tables import emg_of, opened, plain
from tests.refused import refused

NOTCH = FiltersPart(notch=50.0, harmonics=3, highpass=20.0)
rng = np.random.default_rng(0)


def run(blocks, filters=NOTCH, rate=1000.0):
    return np.concatenate(list(filtered(blocks, sections(filters, rate))))


def gain_at(frequency, filters=NOTCH, rate=1000.0):
    _, response = scipy_signal.sosfreqz(sections(filters, rate), [frequency], fs=rate)
    return abs(response[0])


def test_mains_and_its_multiples_are_removed_and_the_band_between_is_kept():
    assert max(gain_at(50), gain_at(100), gain_at(150)) < 1e-6
    assert gain_at(2) < 1e-3
    assert gain_at(75) == pytest.approx(1, abs=0.02) and gain_at(200) == pytest.approx(1, abs=0.02)


def test_multiples_above_half_the_rate_are_left_out():
    assert len(sections(FiltersPart(notch=50.0, harmonics=9), 200.0)) == 1


def test_blocks_of_any_length_give_the_same():
    emg = rng.normal(size=(500, 3))
    whole = run([(emg, True)])
    pieces = run([(emg[a:b], a == 0) for a, b in ((0, 1), (1, 130), (130, 130), (130, 500))])
    assert (whole == pieces).all()


def test_the_filter_is_causal_and_starts_anew_at_a_joint():
    emg = rng.normal(size=(400, 2))
    later = emg.copy()
    later[200:] = 0
    assert (run([(emg, True)])[:200] == run([(later, True)])[:200]).all()
    joined = run([(emg[:200], True), (emg[200:], True)])
    assert (joined[200:] == run([(emg[200:], True)])).all()


def test_an_offset_of_the_electrodes_leaves_no_step():
    assert np.abs(run([(np.full((300, 2), 1e4), True)])).max() < 1e-6


def test_the_gain_is_one_number_a_session(tmp_path):
    rows = samples()
    written(declared(tmp_path) / "ann-1.csv", rows)
    loud = [[str(10 * int(row[0])), str(10 * int(row[1])), *row[2:]] for row in rows]
    written(tmp_path / "bob-1.csv", loud)
    declaration = declaration_of(tmp_path, TableOptions(filters={"gain": "session", "highpass": 5.0}))
    items, _ = find_items(tmp_path, declaration)
    ann, bob = (emg_of(item.form.open(item.files)) for item in items)
    np.testing.assert_allclose(ann, bob, rtol=1e-6, atol=1e-9)
    assert middle_rms([ann.astype(float)]) == pytest.approx(1, rel=1e-6)


def test_a_flat_session_has_no_gain(tmp_path):
    rows = [["5", "5", *row[2:]] for row in samples()]
    written(declared(tmp_path) / "ann-1.csv", rows)
    items, _ = find_items(
        tmp_path, declaration_of(tmp_path, TableOptions(filters={"gain": "session", "highpass": 5.0}))
    )
    with refused("bad-value", "ann-1"):
        items[0].form.open(items[0].files)


def test_without_filters_the_signal_is_unchanged(tmp_path):
    rows = samples()
    written(declared(tmp_path) / "ann-1.csv", rows)
    assert (emg_of(opened(tmp_path)["ann-1"]) == plain(rows)).all()


@pytest.mark.parametrize("filters", [{"notch": 50.0}, {"highpass": -1.0}, {"harmonics": 0}, {"highpass": 50.0}])
def test_a_filter_beyond_half_the_rate_is_refused(tmp_path, filters):
    declared(tmp_path)
    with refused("bad-field", next(iter(filters))):
        declaration_of(tmp_path, TableOptions(filters=filters))
