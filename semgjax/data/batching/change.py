"""The changes that augmentation makes to a window's signal, as pure functions of numpy arrays.

Each takes and gives float32[T, channels], ring after ring, and leaves its input as it is.
"""

from collections.abc import Sequence

import numpy as np

from semgjax.data.band import TYPING, Band
from semgjax.data.batching.augment import AugmentConfig, Draw
from semgjax.data.batching.windows import WindowSpec, fill_window
from semgjax.data.sessions import Session

_FLOOR_BLOCK = 0.05  # seconds; the quietest such block gives an electrode's noise floor


def fill_changed(
    out_TxC: np.ndarray, session: Session, start: int, spec: WindowSpec, config: AugmentConfig, change: Draw
) -> tuple[int, int]:
    """Read the changed signal around the core that begins at sample `start` into `out_TxC`: (first, last), see
    `semgjax.data.batching.windows.fill_window`.

    Raises:
        InputError: the session's file was removed or changed.
    """
    first, last = fill_window(out_TxC, session, start, spec, change.lags, change.rolls)
    if not config.moves_only and last > first:
        out_TxC[first:last] = augment(out_TxC[first:last], change, session.band)
    return first, last


def augment(emg_TxC: np.ndarray, change: Draw, band: Band = TYPING) -> np.ndarray:
    """Apply all changes of a window's values, in this order: scale, silence, noise, hum, mask.

    The mask is last, so that masked electrodes are exactly zero. Shift, lags and rolls are not applied here: they
    decide where each value is read (`semgjax.data.batching.windows.fill_window`).

    Args:
        emg_TxC: the rows inside the session, at least one.
        band: its rings and rate.
    """
    rng = np.random.default_rng(change.seed)
    x = emg_TxC
    if any(gain != 1.0 for gain in change.gains):
        x = scale_rings(x, change.gains, band.rings)
    # Noise and hum are scaled by the signal's RMS before it is silenced.
    rms = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    if change.silent:
        x = rest(x, rng, band.rate)
    if change.noise:
        x = add_noise(x, change.noise * rms, rng)
    if change.hum:
        x = add_hum(x, change.hum * rms, change.mains, rng, band.rate)
    if change.masked:
        x = mask_electrodes(x, change.masked)
    return x


def scale_rings(emg_TxC: np.ndarray, gains: Sequence[float], rings: Sequence[int]) -> np.ndarray:
    """Multiply each ring's electrodes by its factor."""
    return emg_TxC * np.repeat(np.array(gains, np.float32), rings)


def rest(emg_TxC: np.ndarray, rng: np.random.Generator, rate: float = TYPING.rate) -> np.ndarray:
    """Replace the signal by white noise, for each electrode with the RMS of its quietest 50 ms."""
    blocks = max(1, len(emg_TxC) // max(1, round(_FLOOR_BLOCK * rate)))
    power = [np.mean(np.square(part, dtype=np.float64), axis=0) for part in np.array_split(emg_TxC, blocks)]
    return _white(emg_TxC, rng) * np.sqrt(np.min(power, axis=0)).astype(np.float32)


def add_noise(emg_TxC: np.ndarray, rms: float, rng: np.random.Generator) -> np.ndarray:
    """Add white noise of `rms` (in the signal's unit) to every electrode."""
    return emg_TxC + np.float32(rms) * _white(emg_TxC, rng)


def add_hum(
    emg_TxC: np.ndarray, amplitude: float, mains: float, rng: np.random.Generator, rate: float = TYPING.rate
) -> np.ndarray:
    """Add mains hum with a third harmonic of a third: one phase for all electrodes, an amplitude for each.

    What lies at half the sample rate or above is left out, as by the filter of a recorder.
    """
    phase = 2 * np.pi * (mains * np.arange(len(emg_TxC)) / rate + rng.random())
    kept = [harmonic for harmonic in (1, 3) if 2 * harmonic * mains < rate]
    wave_T = sum((np.sin(harmonic * phase) / harmonic for harmonic in kept), np.zeros(len(emg_TxC)))
    share_C = amplitude * rng.random(emg_TxC.shape[1])
    return emg_TxC + (wave_T[:, None] * share_C).astype(np.float32)


def mask_electrodes(emg_TxC: np.ndarray, electrodes: Sequence[int]) -> np.ndarray:
    """Set these electrodes to zero."""
    masked = emg_TxC.copy()
    masked[:, list(electrodes)] = 0.0
    return masked


def _white(like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(like.shape, dtype=np.float32)
