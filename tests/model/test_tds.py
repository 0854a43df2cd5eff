"""The baseline: its size, its frames in line with samples, its spectra, and what padding and masks do."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model import tds
from semgjax.model.config import TDSConfig
from tests.model.small import quick_jit
from tests.refused import refused

SMALL = TDSConfig(features=12, conv_channels=(4, 4), kernel=3, emission_delay=32)
FRAMES = 12


def signal(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 14, (2, FRAMES * 16, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def params():
    return quick_jit(lambda: tds.init(SMALL, jax.random.key(0)))()


forward = quick_jit(lambda params, emg, valid: tds.apply(SMALL, params, emg, valid))
spectra = quick_jit(lambda emg: tds.log_spectrogram(emg, TDSConfig()))


def test_the_baseline_has_exactly_the_published_parameters():
    shapes = jax.eval_shape(lambda: tds.init(TDSConfig(), jax.random.key(0)))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 5_293_315


def test_there_is_a_frame_for_every_hop_and_none_is_lost_to_the_convolutions(params):
    logits = forward(params, signal(), np.ones((2, FRAMES * 16), bool))
    assert logits.shape == (2, FRAMES, 99) and logits.dtype == np.float32
    assert np.isfinite(logits).all()


def test_a_spectrum_ends_with_its_frame_and_is_the_transform_of_its_last_samples():
    emg = signal()
    found = np.asarray(spectra(emg))
    window = np.hanning(65)[:64]
    for frame in (3, 11):
        piece = emg[1, 16 * (frame + 1) - 64 : 16 * (frame + 1), 5] * window
        power = np.abs(np.fft.rfft(piece)) ** 2 / (window**2).sum()
        np.testing.assert_allclose(found[1, frame, 5], np.log10(power + 1e-6), atol=1e-3)


def test_blocks_and_spectra_see_nothing_later():
    emg = signal()
    block = tds.Block(4, 3, tds.PLAIN)
    x = np.random.default_rng(0).normal(size=(1, FRAMES, 24)).astype(np.float32)
    params = quick_jit(block.init)(jax.random.key(0), x)
    later = x.copy()
    later[:, 7:] += 1.0
    run = quick_jit(block.apply)
    first, second = (np.asarray(run(params, each)) for each in (x, later))
    np.testing.assert_array_equal(first[:, :7], second[:, :7])
    assert (first[:, 7:] != second[:, 7:]).any(axis=-1).all()
    np.testing.assert_allclose(spectra(emg)[:, :7], spectra(emg[:, : 7 * 16]), atol=1e-5)


def test_a_bands_features_are_the_mean_over_three_turns():
    band = tds.BandMLP(5)
    x = np.random.default_rng(0).normal(size=(1, 2, 16, 3)).astype(np.float32)
    params = quick_jit(band.init)(jax.random.key(0), x)
    kernel, bias = params["params"]["Dense_0"]["kernel"], params["params"]["Dense_0"]["bias"]
    each = [np.maximum(np.roll(x, shift, axis=2).reshape(1, 2, -1) @ kernel + bias, 0) for shift in (-1, 0, 1)]
    np.testing.assert_allclose(quick_jit(band.apply)(params, x), np.mean(each, axis=0), rtol=1e-4, atol=1e-5)


def test_invalid_samples_have_no_influence_and_rows_do_not_mix(params):
    emg, garbage = signal(), 100 * signal(1)
    valid = np.arange(FRAMES * 16)[None].repeat(2, 0) >= 4 * 16
    plain = np.asarray(forward(params, emg, valid))
    np.testing.assert_array_equal(forward(params, np.where(valid[..., None], emg, garbage), valid), plain)
    mixed = forward(params, np.stack([emg[0], garbage[1]]), valid)
    np.testing.assert_array_equal(mixed[0], plain[0])


def test_a_row_without_any_signal_gives_finite_logits(params):
    assert np.isfinite(forward(params, signal(), np.zeros((2, FRAMES * 16), bool))).all()


def test_masks_come_with_a_training_key_and_hide_at_most_what_is_set(params):
    config = TDSConfig()
    draw = quick_jit(lambda: tds.spectrum_mask(jax.random.key(0), jnp.arange(200), 400, 33, config))
    mask = np.asarray(draw())
    hidden_frames, hidden_bins = mask.all(axis=2).sum(axis=1), mask.all(axis=1).sum(axis=1)
    assert hidden_frames.max() <= 75 and 20 < hidden_frames.mean() < 45
    assert hidden_bins.max() <= 8 and 2 < hidden_bins.mean() < 5
    short = dataclasses.replace(SMALL, time_mask_length=3)
    train = quick_jit(lambda key: tds.apply(short, params, signal(), np.ones((2, FRAMES * 16), bool), key))
    first, again, other = (np.asarray(train(jax.random.key(seed))) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"channels": 31}, "channels 31"),
        ({"hop": 0}, "hop 0"),
        ({"kernel": 0}, "kernel 0"),
        ({"features": -2}, "features -2"),
        ({"time_masks": -1}, "time_masks -1"),
        ({"hop": 15}, "hop 15"),
        ({"conv_channels": (24, 7)}, "conv_channels 7"),
        ({"emission_delay": 200}, "emission_delay 200"),
    ],
)
def test_a_shape_that_cannot_be_is_an_input_error(options, named):
    with refused("bad-value", named):
        TDSConfig(**options)


@pytest.mark.parametrize("shape", [(1, 33, 32), (1, 32, 16)])
def test_an_input_of_the_wrong_shape_is_an_input_error(params, shape):
    with refused("bad-shape", shape, 32, 16):
        tds.apply(SMALL, params, np.zeros(shape, np.float32), np.ones(shape[:2], bool))
