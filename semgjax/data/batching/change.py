"""The changes that augmentation makes to a window's signal, as pure functions of numpy arrays.

Each takes and gives float32[T, 32], left band in 0-15, right band in 16-31, and leaves its input as it is.
"""

from collections.abc import Sequence

import numpy as np

from semgjax.data.batching.augment import Draw
from semgjax.data.sessions import SAMPLE_RATE

_FLOOR_BLOCK = 100  # samples (50 ms); the quietest such block gives an electrode's noise floor


def augment(emg_TxC: np.ndarray, change: Draw) -> np.ndarray:
    """Apply all changes of a window's values, in this order: scale, silence, noise, hum, mask.

    The mask is last, so that masked electrodes are exactly zero. Shift, lag and rolls are not applied here: they
    decide where each value is read (`semgjax.data.batching.windows.fill_window`).

    Args:
        emg_TxC: the rows inside the session, at least one.
    """
    rng = np.random.default_rng(change.seed)
    x = emg_TxC
    if change.gains != (1.0, 1.0):
        x = scale_bands(x, change.gains)
    # Noise and hum are scaled by the signal's RMS before it is silenced.
    rms = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    if change.silent:
        x = rest(x, rng)
    if change.noise:
        x = add_noise(x, change.noise * rms, rng)
    if change.hum:
        x = add_hum(x, change.hum * rms, change.mains, rng)
    if change.masked:
        x = mask_electrodes(x, change.masked)
    return x


def scale_bands(emg_TxC: np.ndarray, gains: tuple[float, float]) -> np.ndarray:
    """Multiply each band by its factor."""
    return emg_TxC * np.repeat(np.array(gains, np.float32), emg_TxC.shape[1] // 2)


def rest(emg_TxC: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replace the signal by white noise, for each electrode with the RMS of its quietest 50 ms."""
    blocks = max(1, len(emg_TxC) // _FLOOR_BLOCK)
    power = [np.mean(np.square(part, dtype=np.float64), axis=0) for part in np.array_split(emg_TxC, blocks)]
    return _white(emg_TxC, rng) * np.sqrt(np.min(power, axis=0)).astype(np.float32)


def add_noise(emg_TxC: np.ndarray, rms: float, rng: np.random.Generator) -> np.ndarray:
    """Add white noise of `rms` (in the signal's unit) to every electrode."""
    return emg_TxC + np.float32(rms) * _white(emg_TxC, rng)


def add_hum(emg_TxC: np.ndarray, amplitude: float, mains: float, rng: np.random.Generator) -> np.ndarray:
    """Add mains hum with a third harmonic of a third: one phase for all electrodes, an amplitude for each."""
    phase = 2 * np.pi * (mains * np.arange(len(emg_TxC)) / SAMPLE_RATE + rng.random())
    wave_T = np.sin(phase) + np.sin(3 * phase) / 3
    share_C = amplitude * rng.random(emg_TxC.shape[1])
    return emg_TxC + (wave_T[:, None] * share_C).astype(np.float32)


def mask_electrodes(emg_TxC: np.ndarray, electrodes: Sequence[int]) -> np.ndarray:
    """Set these electrodes to zero."""
    masked = emg_TxC.copy()
    masked[:, list(electrodes)] = 0.0
    return masked


def _white(like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(like.shape, dtype=np.float32)
