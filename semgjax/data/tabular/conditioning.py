"""Causal filters on the way in, and one gain a session that no label enters."""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import signal as scipy_signal

from semgjax.data.tabular.declaration import FiltersPart


def sections(filters: FiltersPart, rate: float) -> np.ndarray:
    """Second-order sections [n, 6] of all filters; n is 0 if there are none.

    A high-pass (Butterworth) and a notch at the mains' frequency and at each of its multiples below half the rate.
    """
    parts = []
    if filters.highpass:
        parts.append(scipy_signal.butter(filters.order, filters.highpass, "highpass", fs=rate, output="sos"))
    if filters.notch:
        for multiple in range(1, filters.harmonics + 1):
            if filters.notch * multiple < rate / 2:
                notch = scipy_signal.iirnotch(filters.notch * multiple, filters.quality, fs=rate)
                parts.append(scipy_signal.tf2sos(*notch))
    return np.concatenate(parts) if parts else np.zeros((0, 6))


def filtered(stretches: Iterable[tuple[np.ndarray, bool]], sos: np.ndarray) -> Iterator[np.ndarray]:
    """Filter a signal that comes in pieces, float64 [n, channels] each.

    The state is carried from piece to piece. At the start of a part it is the state of a signal that has always been
    the part's first sample, so that an offset of the electrodes makes no step.

    Args:
        stretches: (samples, whether they begin a part).
        sos: of `sections`.
    """
    state = rest = scipy_signal.sosfilt_zi(sos)[:, :, None] if len(sos) else None
    for emg_TxC, fresh in stretches:
        if rest is None or not len(emg_TxC):
            yield emg_TxC
            continue
        if fresh:
            state = rest * emg_TxC[0]
        emg_TxC, state = scipy_signal.sosfilt(sos, emg_TxC, axis=0, zi=state)
        yield emg_TxC


def middle_rms(blocks: Iterable[np.ndarray]) -> float:
    """The median over electrodes of the RMS of a signal; 0 for a flat one."""
    total, samples = np.zeros(1), 0
    for emg_TxC in blocks:
        total = total + np.square(emg_TxC).sum(0)
        samples += len(emg_TxC)
    return float(np.median(np.sqrt(total / max(samples, 1))))
