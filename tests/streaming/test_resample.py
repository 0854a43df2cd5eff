"""Another rate while samples come: the signal at the places of the new samples, whatever the chunks."""

import numpy as np
import pytest

from semgjax.streaming.resample import Resampler


def through(emg_TxC, rate_in, rate_out, chunk, valid_T=None, follow=None):
    resampler = Resampler(rate_in, rate_out, emg_TxC.shape[1])
    if follow:
        resampler.follow(follow)
    valid_T = np.ones(len(emg_TxC), bool) if valid_T is None else valid_T
    parts = [resampler.add(emg_TxC[at : at + chunk], valid_T[at : at + chunk]) for at in range(0, len(emg_TxC), chunk)]
    parts.append(resampler.finish())
    return np.concatenate([emg for emg, _ in parts]), np.concatenate([valid for _, valid in parts])


def waves(seconds):
    return np.stack([np.sin(2 * np.pi * 30 * seconds), np.cos(2 * np.pi * 71.3 * seconds)], axis=1).astype(np.float32)


@pytest.mark.parametrize(("rate_in", "rate_out"), [(1000, 2000), (2048, 2000), (250, 200), (2000, 200.5)])
def test_output_is_the_signal_at_the_new_places(rate_in, rate_out):
    found, valid = through(waves(np.arange(2 * rate_in) / rate_in), rate_in, rate_out, 37)
    assert abs(len(found) - 2 * rate_out) <= max(rate_out / rate_in, 1) and valid.all()
    inside = slice(round(rate_out * 0.3), round(rate_out * 1.7))
    expected = waves(np.arange(len(found)) / rate_out)
    columns = [0, 1] if rate_out > 150 else [0]
    np.testing.assert_allclose(found[inside, columns], expected[inside, columns], atol=1e-3)


def test_what_the_lower_rate_cannot_hold_is_removed():
    tone = np.sin(2 * np.pi * 130 * np.arange(2000) / 1000)[:, None].astype(np.float32)
    found, _ = through(tone, 1000, 200, 50)
    assert np.abs(found[60:-60]).max() < 1e-3


@pytest.mark.parametrize("chunk", [1, 7, 2000])
def test_chunks_do_not_change_the_output(chunk):
    emg = np.random.default_rng(0).normal(size=(700, 3)).astype(np.float32)
    expected, _ = through(emg, 2048, 2000, 700)
    found, _ = through(emg, 2048, 2000, chunk)
    np.testing.assert_allclose(found, expected, atol=5e-5)


def test_outputs_near_lost_inputs_are_lost():
    valid = np.ones(600, bool)
    valid[300:310] = False
    _, found = through(np.ones((600, 1), np.float32), 1000, 2000, 600, valid)
    assert not found[600:620].any() and found[:580].all() and found[640:].all()


def test_a_measured_rate_is_followed():
    emg = waves(np.arange(2 * 1990) / 1990)
    found, _ = through(emg, 2000, 2000, 100, follow=1990)
    np.testing.assert_allclose(found[600:3000], waves(np.arange(len(found)) / 2000)[600:3000], atol=1e-3)
