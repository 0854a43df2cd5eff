"""What is added to a signal: white noise of a given ratio, mains hum of a given amplitude.

Every function takes and gives float32 [T, C] and leaves its input as it is. Both strengths are relative to each
electrode's own signal: its standard deviation over the whole session, rest included. A silent electrode stays silent.
"""

from collections.abc import Sequence

import numpy as np

HARMONICS = (1, 2, 3, 4, 5)
"""of the mains; the k-th has 1 / k of the first one's amplitude"""


def deviation_of(emg_TxC: np.ndarray) -> np.ndarray:
    """Standard deviation of each electrode over the session, float64 [C], in the signal's unit."""
    return np.array([np.std(emg_T, dtype=np.float64) for emg_T in emg_TxC.T])


def add_noise(emg_TxC: np.ndarray, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise, independent between electrodes, at a signal-to-noise ratio of `snr` dB.

    The ratio is 10 log10 of the electrode's variance over the variance of the noise that it gets, exactly: each
    electrode's noise is scaled by its own deviation. It is white up to half the sample rate.
    """
    out_TxC = np.empty_like(emg_TxC)
    for channel, wanted in enumerate(deviation_of(emg_TxC) * 10.0 ** (-snr / 20.0)):
        noise_T = rng.standard_normal(len(emg_TxC))
        noise_T -= noise_T.mean()
        out_TxC[:, channel] = emg_TxC[:, channel] + noise_T * (wanted / max(noise_T.std(), 1e-12))
    return out_TxC


def kept_harmonics(mains: float, rate: float) -> tuple[int, ...]:
    """The harmonics below half the sample rate; a recorder's filter lets no other through."""
    return tuple(harmonic for harmonic in HARMONICS if 2.0 * harmonic * mains < rate)


def add_hum(emg_TxC: np.ndarray, amplitude: float, mains: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Add mains hum and its harmonics below half the sample rate, with phases that all electrodes share.

    Args:
        amplitude: of the first harmonic (the peak of its sine), as a multiple of each electrode's deviation.
        mains: Hz.
        rate: samples a second.
    """
    harmonics, phases = kept_harmonics(mains, rate), rng.random(len(HARMONICS))
    wave_T = np.zeros(len(emg_TxC))
    for harmonic, phase in zip(harmonics, phases, strict=False):
        wave_T += np.sin(2.0 * np.pi * (harmonic * mains / rate * np.arange(len(emg_TxC)) + phase)) / harmonic
    return _plus(emg_TxC, wave_T, amplitude * deviation_of(emg_TxC))


def _plus(emg_TxC: np.ndarray, wave_T: np.ndarray, share_C: Sequence[float] | np.ndarray) -> np.ndarray:
    out_TxC = emg_TxC.copy()
    for channel, share in enumerate(share_C):
        out_TxC[:, channel] += (wave_T * share).astype(np.float32)
    return out_TxC
