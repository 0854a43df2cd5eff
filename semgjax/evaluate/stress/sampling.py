"""What happens to samples in time: lost packets, a lower sample rate.

Every function takes and gives float32 [T, C] and leaves its input as it is.
"""

import numpy as np
from scipy import signal as scipy_signal

PACKET = 0.01
"""seconds of signal of all electrodes in a packet; at least one sample"""
_STOP = 80.0  # dB by which the filter weakens what lies at half the lower rate or above
_EDGE = 0.2  # of half the lower rate: from the end of the pass band to its stop band


def packet_samples(rate: float) -> int:
    """Samples in a packet."""
    return max(1, round(PACKET * rate))


def drop(emg_TxC: np.ndarray, share: float, rate: float, hold: bool, rng: np.random.Generator) -> np.ndarray:
    """Lose this share of the packets, all electrodes at once, at places drawn by `rng`.

    The places of a smaller share are among those of a larger one.

    Args:
        rate: samples a second.
        hold: whether a receiver repeats the last sample that it got (zeros before the first); otherwise it puts zeros.
    """
    length = packet_samples(rate)
    packets = -(-len(emg_TxC) // length)
    gone_P = np.zeros(packets, bool)
    gone_P[rng.permutation(packets)[: round(share * packets)]] = True
    gone_T = np.repeat(gone_P, length)[: len(emg_TxC)]
    if not hold:
        out_TxC = emg_TxC.copy()
        out_TxC[gone_T] = 0.0
        return out_TxC
    last_T = np.maximum.accumulate(np.where(gone_T, -1, np.arange(len(emg_TxC))))
    out_TxC = emg_TxC[np.maximum(last_T, 0)]
    out_TxC[last_T < 0] = 0.0
    return out_TxC


def support(factor: int) -> int:
    """Samples of the anti-alias filter, an odd number; a shorter session is all edge."""
    taps, _ = scipy_signal.kaiserord(_STOP, _EDGE / factor)
    return int(taps) | 1


def slow(emg_TxC: np.ndarray, factor: int) -> np.ndarray:
    """Sample at 1 / `factor` of the rate behind an anti-alias filter, and go back to the rate for the model's sake.

    The filter is linear in phase and adds no delay; it passes up to 80 % of half the lower rate, and weakens by 80 dB
    what lies at that half or above. It is applied before the samples are dropped and again to what lies between them.
    """
    taps = scipy_signal.firwin(
        support(factor), (1.0 - _EDGE / 2) / factor, window=("kaiser", scipy_signal.kaiser_beta(_STOP))
    )
    out_TxC = np.empty_like(emg_TxC)
    for channel, emg_T in enumerate(emg_TxC.T):  # one electrode at a time: float64 copies of one, not of all
        low_T = scipy_signal.resample_poly(emg_T.astype(np.float64), 1, factor, window=taps)
        out_TxC[:, channel] = scipy_signal.resample_poly(low_T, factor, 1, window=taps)[: len(emg_T)]
    return out_TxC
