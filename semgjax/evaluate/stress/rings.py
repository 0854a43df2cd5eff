"""What happens to electrodes and rings: lost contact, a turned band, slow drift of the gain, every other one missing.

Every function takes and gives float32 [T, C], ring after ring, and leaves its input as it is.
"""

from collections.abc import Sequence

import numpy as np


def lose(emg_TxC: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Silence `count` electrodes for the whole session: zeros. Those of a smaller count are among those of a larger."""
    out_TxC = emg_TxC.copy()
    out_TxC[:, rng.permutation(emg_TxC.shape[1])[:count]] = 0.0
    return out_TxC


def turn(emg_TxC: np.ndarray, places: float, rings: Sequence[int]) -> np.ndarray:
    """Roll every ring by `places` electrodes: a whole number as `numpy.roll`, a fraction by what lies between.

    Between electrodes the ring's trigonometric interpolation holds (a phase that grows with the spatial frequency). A
    mean of neighbours would weaken what they do not share, and so mix attenuation into the effect of the turn. At half
    a place the alternating pattern of an even ring, which has no phase, is lost.
    """
    out_TxC, low = np.empty_like(emg_TxC), 0
    for size in rings:
        ring_TxE = emg_TxC[:, low : low + size]
        if float(places).is_integer():
            out_TxC[:, low : low + size] = np.roll(ring_TxE, int(places), axis=1)
        else:
            out_TxC[:, low : low + size] = ring_TxE @ _turn_matrix(size, places).astype(np.float32)
        low += size
    return out_TxC


def _turn_matrix(size: int, places: float) -> np.ndarray:
    """[E, E]: row i spreads electrode i over the places that it is moved to."""
    ramp = np.exp(-2j * np.pi * np.fft.rfftfreq(size) * places)
    return np.fft.irfft(np.fft.rfft(np.eye(size), axis=1) * ramp, n=size, axis=1)


def drift(emg_TxC: np.ndarray, decibels: float, rng: np.random.Generator) -> np.ndarray:
    """Let each electrode's gain drift evenly in dB from none at the session's start to `decibels` at its end.

    Half of the electrodes on average, drawn by `rng`, grow; the others shrink by as much.
    """
    exponent_T = np.linspace(0.0, decibels / 20.0, len(emg_TxC))
    grown_T = (10.0**exponent_T).astype(np.float32)
    up_C = rng.random(emg_TxC.shape[1]) < 0.5
    out_TxC = emg_TxC * grown_T[:, None]
    out_TxC[:, ~up_C] = emg_TxC[:, ~up_C] / grown_T[:, None]
    return out_TxC


def thin(emg_TxC: np.ndarray, every: int, rings: Sequence[int]) -> np.ndarray:
    """Keep each ring's first electrode and every `every`-th after it; the others lie on the line between kept ones.

    Interpolated round the ring, not zeroed: a device with fewer electrodes would be read so, and zeros are what `lose`
    measures.
    """
    out_TxC, low = emg_TxC.copy(), 0
    for size in rings:
        kept = [*range(0, size, every), size]  # the last stands for the first, once round the ring
        for left, right in zip(kept, kept[1:], strict=False):
            for place in range(left + 1, right):
                share = np.float32((place - left) / (right - left))
                before_T, after_T = emg_TxC[:, low + left], emg_TxC[:, low + right % size]
                out_TxC[:, low + place] = (1 - share) * before_T + share * after_T
        low += size
    return out_TxC
