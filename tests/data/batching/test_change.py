"""What an augmentation does to a window's signal."""

import numpy as np
import pytest

from semgjax.data.batching.augment import Draw
from semgjax.data.batching.change import (
    add_hum,
    add_noise,
    augment,
    mask_electrodes,
    rest,
    scale_rings,
)

SAME = Draw(0, (0,), (0, 0))


def emg(samples: int = 4000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 14, (samples, 32)).astype(np.float32)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def rms(x: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(x.astype(np.float64) ** 2, axis=0))


def test_each_band_is_scaled_by_its_own_factor():
    x = emg(10)
    scaled = scale_rings(x, (2.0, 0.5), (16, 16))
    np.testing.assert_array_equal(scaled[:, :16], 2 * x[:, :16])
    np.testing.assert_array_equal(scaled[:, 16:], 0.5 * x[:, 16:])


def test_noise_has_the_wanted_rms_is_white_and_differs_between_electrodes():
    added = add_noise(np.zeros((20_000, 32), np.float32), 3.0, rng())
    np.testing.assert_allclose(rms(added), 3.0, rtol=0.03)
    away = np.corrcoef(added.T) - np.eye(32)
    assert np.abs(away).max() < 0.05
    assert abs(np.corrcoef(added[:-1, 0], added[1:, 0])[0, 1]) < 0.05


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_is_the_mains_and_its_third_harmonic_in_phase_on_all_electrodes(mains):
    added = add_hum(np.zeros((2000, 32), np.float32), 10.0, mains, rng())
    lines = np.abs(np.fft.rfft(added, axis=0)) / 1000
    places = [int(mains), int(3 * mains)]
    np.testing.assert_allclose(lines[places[1]], lines[places[0]] / 3, rtol=1e-3)
    assert lines[places[0]].max() <= 10.0 and np.ptp(lines[places[0]]) > 5.0
    assert np.delete(lines, places, axis=0).max() < 1e-3
    assert np.linalg.matrix_rank(added, tol=1e-2) == 1


def test_rest_has_the_floor_of_each_electrode_and_nothing_of_its_signal():
    x = emg()
    x[:1000] *= 0.1  # half a second of rest in the recording
    x[:, 3] *= 4.0
    quiet = rest(x, rng())
    np.testing.assert_allclose(np.delete(rms(quiet), 3), 1.4, rtol=0.4)
    assert rms(quiet)[3] == pytest.approx(5.6, rel=0.4)
    assert abs(np.corrcoef(quiet[:, 0], x[:, 0])[0, 1]) < 0.06
    block = rms(quiet[:1000, 0]), rms(quiet[-1000:, 0])
    assert block[0] == pytest.approx(block[1], rel=0.2)


def test_masked_electrodes_are_zero_and_the_others_stay():
    x = emg(50)
    masked = mask_electrodes(x, (0, 17, 31))
    assert not masked[:, [0, 17, 31]].any()
    np.testing.assert_array_equal(np.delete(masked, [0, 17, 31], axis=1), np.delete(x, [0, 17, 31], axis=1))


EACH = [
    Draw(0, (0,), (0, 0), gains=(2.0, 3.0)),
    Draw(0, (0,), (0, 0), silent=True, seed=1),
    Draw(0, (0,), (0, 0), noise=0.5, seed=1),
    Draw(0, (0,), (0, 0), hum=0.5, mains=60.0, seed=1),
    Draw(0, (0,), (0, 0), masked=(4, 20)),
    Draw(0, (0,), (0, 0), (2.0, 3.0), True, 0.5, 0.5, 60.0, (4, 20), 1),
]


@pytest.mark.parametrize("change", EACH)
@pytest.mark.parametrize("samples", [4000, 1])
def test_a_change_leaves_its_input_and_gives_finite_float32(change, samples):
    x = emg(samples)
    before = x.copy()
    changed = augment(x, change)
    assert changed.dtype == np.float32 and changed.shape == x.shape
    np.testing.assert_array_equal(x, before)
    assert not np.array_equal(changed, x)
    assert np.isfinite(changed).all()


def test_without_a_change_the_window_stays_and_the_same_draw_gives_the_same_window():
    np.testing.assert_array_equal(augment(emg(), SAME), emg())
    np.testing.assert_array_equal(augment(emg(), EACH[-1]), augment(emg(), EACH[-1]))
    other = Draw(0, (0,), (0, 0), noise=0.5, seed=2)
    assert not np.array_equal(augment(emg(), EACH[2]), augment(emg(), other))


def test_noise_and_hum_follow_the_windows_own_strength_also_when_it_is_silenced():
    for scale in (1.0, 1000.0):
        noisy = augment(emg() * scale, Draw(0, (0,), (0, 0), silent=True, noise=2.0, seed=3))
        assert np.mean(rms(noisy)) == pytest.approx(scale * 14 * np.hypot(2.0, 0.75), rel=0.1)


def test_masks_come_after_everything_that_adds():
    changed = augment(emg(), EACH[-1])
    assert not changed[:, [4, 20]].any()
    assert np.delete(changed, [4, 20], axis=1).any(axis=0).all()
