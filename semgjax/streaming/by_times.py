"""Which samples are missing, by their times: a step that is longer than the jitter, and that stays.

Times are often those at which a program passed the samples on. Where it was held up for a moment, a step is followed by
samples whose times lie close together, and nothing is missing. So samples after a step wait, for a quarter of a second
at least, until their times have either caught up or gone on in parallel.
"""

from collections.abc import Iterator

import numpy as np

_FIRST_JITTER, _SURE = 0.01, 5.0
"""seconds of jitter that times have until it is measured; times the jitter that makes a step one to look at"""
_FORGET, _FOLLOW = 2.0, 5.0
"""seconds in which the measured jitter fades, and in which the line follows the device's clock"""
_CALM, _PATIENCE = 0.25, 2.0
"""seconds in which times must run in parallel to the line; seconds after which samples wait no more"""

Found = tuple[int, bool, np.ndarray, np.ndarray, float]
"""samples missing before these, whether the stream begins anew, the samples, their times, and when they arrived"""


class Lateness:
    """How much later than its place on a line a sample's time is, in samples; the line follows the device's clock.

    Args:
        longest: samples of a gap after which the stream begins anew.
    """

    def __init__(self, rate: float, longest: int) -> None:
        self._rate, self._longest = rate, longest
        self._calm, self._patience = round(_CALM * rate), round(_PATIENCE * rate)
        self._jitter = _FIRST_JITTER * rate
        self._origin: float | None = None  # time of the next sample, if none is missing
        self._fresh = False
        self._emg, self._times, self._received = np.zeros((0, 0), np.float32), np.zeros(0), np.zeros(0)

    def repaired(self, times_T: np.ndarray) -> np.ndarray | None:
        """The times, those that are not finite from their neighbours; None if there is nothing to tell them from."""
        good_T, place_T = np.isfinite(times_T), np.arange(len(times_T)) / self._rate
        if good_T.all():
            return times_T
        if good_T.any():
            begun_T = np.interp(place_T, place_T[good_T], times_T[good_T] - place_T[good_T])
        elif self._origin is not None:
            begun_T = np.float64(self._origin + len(self._times) / self._rate)
        else:
            return None
        return np.asarray(begun_T + place_T)

    def put(self, emg_TxC: np.ndarray, times: np.ndarray, received: float, fresh: bool) -> None:
        """The next samples; `fresh` ones belong to another line, and nothing may wait then."""
        if fresh or self._origin is None:
            self._origin, self._fresh = float(times[0]), fresh
        new = np.full(len(times), received)
        waits = len(self._times) > 0
        self._emg = np.concatenate([self._emg, emg_TxC]) if waits else emg_TxC
        self._times = np.concatenate([self._times, times]) if waits else times
        self._received = np.concatenate([self._received, new]) if waits else new

    def take(self, at_end: bool) -> Iterator[Found]:
        """What is decided; at the end of the stream, all that waits."""
        while len(self._times):
            assert self._origin is not None
            late_T = (self._times - self._origin) * self._rate - np.arange(len(self._times))
            limit = max(_SURE * self._jitter, 1.5)
            off_T = (late_T > limit) | (late_T < -self._longest)
            if not off_T[0]:
                end = int(np.argmax(off_T)) if off_T.any() else len(off_T)
                self._follow(late_T[:end])
                yield 0, *self._cut(end)
            elif late_T[0] < -self._longest:
                self._begin_anew()
            elif not off_T.all():  # caught up
                end = int(np.argmin(off_T))
                self._learn(late_T[:end])
                yield 0, *self._cut(end)
            elif at_end or len(off_T) >= self._patience or self._is_calm(late_T, limit):
                missing = round(float(late_T.min()))
                if missing > self._longest:
                    self._begin_anew()
                else:
                    self._origin += missing / self._rate
                    end = len(off_T) if at_end else max(self._calm, 1)
                    yield missing, *self._cut(end)
            else:
                return

    def _is_calm(self, late_T: np.ndarray, limit: float) -> bool:
        newest = late_T[-self._calm :]
        return len(late_T) >= self._calm and float(np.ptp(newest)) <= max(limit, 2.0)

    def _begin_anew(self) -> None:
        self._origin, self._fresh = float(self._times[0]), True

    def _cut(self, end: int) -> tuple[bool, np.ndarray, np.ndarray, float]:
        assert self._origin is not None
        end = min(end, len(self._times))
        found = self._fresh, self._emg[:end], self._times[:end], float(self._received[end - 1])
        self._emg, self._times, self._received = self._emg[end:], self._times[end:], self._received[end:]
        self._origin, self._fresh = self._origin + end / self._rate, False
        return found

    def _learn(self, late_T: np.ndarray) -> None:
        share = 1.0 - np.exp(-len(late_T) / (_FORGET * self._rate))
        self._jitter += share * (float(np.abs(late_T).mean()) - self._jitter)

    def _follow(self, late_T: np.ndarray) -> None:
        assert self._origin is not None
        self._learn(late_T)
        share = 1.0 - np.exp(-len(late_T) / (_FOLLOW * self._rate))
        self._origin += share * float(late_T.mean()) / self._rate
