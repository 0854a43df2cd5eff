"""Another sample rate, sample by sample: a windowed-sinc filter of linear phase whose state has a fixed size.

Each output is the sum of the inputs around its place, weighted by a sinc under a Kaiser window (Smith, "Digital Audio
Resampling", 2002). The ratio of the rates may be any number, and may change during the stream.
"""

import numpy as np

_CROSSINGS = 16
"""zero crossings of the sinc on each side, at the lower of both rates"""
_BETA, _PASS = 9.0, 0.91
"""of the Kaiser window, 90 dB; the cut as a share of half the lower rate, so that the filter ends near it"""
_LOST = 0.01
"""share of an output's weights on lost inputs above which it is lost"""


class Resampler:
    """Samples at one rate to samples at another; output k is the signal at k / rate_out seconds.

    Attributes:
        delay: seconds by which an output waits for the inputs after it.
    """

    def __init__(self, rate_in: float, rate_out: float, channels: int) -> None:
        self._rate_in, self._rate_out = rate_in, rate_out
        self._cut = _PASS * min(1.0, rate_out / rate_in)
        self._half = int(np.ceil(_CROSSINGS * max(1.0, rate_in / rate_out)))
        self.delay = self._half / rate_in
        self._emg = np.zeros((self._half, channels), np.float32)  # silence before the first sample
        self._valid = np.ones(self._half, bool)
        self._place = float(self._half)  # of the next output, in inputs from the first one kept

    def follow(self, rate_in: float) -> None:
        """From the next output on, inputs come at this rate: near the one it was made for."""
        self._rate_in = rate_in

    def add(self, emg_TxC: np.ndarray, valid_T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outputs whose inputs are all there now: float32 [T, C], and False where one is lost."""
        emg, valid = np.concatenate([self._emg, emg_TxC]), np.concatenate([self._valid, valid_T])
        step = self._rate_in / self._rate_out
        count = max(int(np.floor((len(emg) - 1 - self._half - self._place) / step)) + 1, 0)
        places = self._place + step * np.arange(count)
        whole = np.floor(places).astype(np.int64)
        taps = np.arange(1 - self._half, self._half + 1)
        away_TxK = taps - (places - whole)[:, None]
        weights_TxK = np.sinc(self._cut * away_TxK) * _kaiser(away_TxK / self._half)
        weights_TxK /= weights_TxK.sum(axis=1, keepdims=True)
        inputs_TxK = whole[:, None] + taps
        found = np.einsum("tk,tkc->tc", weights_TxK.astype(np.float32), emg[inputs_TxK])
        size_TxK = np.abs(weights_TxK)
        lost = (size_TxK * ~valid[inputs_TxK]).sum(axis=1) > _LOST * size_TxK.sum(axis=1)
        after = self._place + step * count
        keep = min(max(int(after) - self._half, 0), len(emg))
        self._emg, self._valid, self._place = emg[keep:], valid[keep:], after - keep
        return found.astype(np.float32), ~lost

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """The outputs up to the last input, as if silence followed."""
        return self.add(np.zeros((self._half, self._emg.shape[1]), np.float32), np.ones(self._half, bool))


def _kaiser(x: np.ndarray) -> np.ndarray:
    inside = np.clip(1.0 - x * x, 0.0, None)
    return np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA) * (np.abs(x) <= 1.0)
