"""Samples of a source put on a line of numbers without holes: what is missing is there as lost samples."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from semgjax.data.band import LARGEST
from semgjax.streaming.by_times import Lateness
from semgjax.streaming.sources.source import Described, Samples

LONGEST = 10.0
"""seconds of a gap that is filled with lost samples; after a longer one the stream begins anew"""
LATEST = 0.5
"""seconds of samples in a row that came late or twice; if there are more, the device counts anew"""


@dataclass(frozen=True, eq=False)
class Placed:
    """Samples at their place.

    Attributes:
        first: number of the first sample on the line.
        emg_TxC: float32; where a sample is lost, the last value that was there.
        valid_T: False where a sample is lost, bool.
        times: seconds of the device's clock, float64 [T]; None if it gives none.
        received: seconds of `time.monotonic` at which the last sample arrived.
        fresh: the stream begins anew here: what came before is too long ago, or of another count of the device.
        missing: the device never sent these.
    """

    first: int
    emg_TxC: np.ndarray
    valid_T: np.ndarray
    times: np.ndarray | None
    received: float
    fresh: bool = False
    missing: bool = False


class Timeline:
    """Where the next samples of a source belong; it sees all of them in order.

    Numbers of the device count if it gives them, otherwise its times (`Lateness`). Without either, samples follow each
    other.

    Attributes:
        gaps: stretches of samples that never came.
        lost: samples in them, without those before a fresh start.
        late: samples that came after they had counted as lost, or twice; they are left out.
        spoilt: samples that came with values that are not finite, or beyond LARGEST.
        restarts: fresh starts after the first sample.
    """

    def __init__(self, about: Described) -> None:
        self.gaps = self.lost = self.late = self.spoilt = self.restarts = 0
        self._longest, self._late, self._at = round(LONGEST * about.rate), round(LATEST * about.rate), 0
        self._behind = (0, 0)  # the next number of a run of late samples, and how many they are
        self._expected: int | None = None  # number of the device
        self._lateness = Lateness(about.rate, self._longest)
        self._held = np.zeros(about.channels, np.float32)

    def place(self, samples: Samples) -> list[Placed]:
        """These samples, and before or between them those that are missing.

        Of a source with times, samples after a step wait until it is clear whether some are missing.
        """
        if not len(samples.emg_TxC):
            return []
        if samples.times is not None:
            samples = replace(samples, times=self._lateness.repaired(samples.times))
        if samples.first is not None:
            return list(self._by_number(samples, samples.first))
        if samples.times is not None:
            return list(self._by_time(samples))
        return [self._given(samples.emg_TxC, None, samples.received, samples.fresh)]

    def finish(self) -> list[Placed]:
        """What still waits, at the end."""
        return list(self._decided(True))

    def _by_number(self, samples: Samples, first: int) -> Iterator[Placed]:
        size = len(samples.emg_TxC)
        missing = 0 if self._expected is None else first - self._expected
        fresh = samples.fresh or abs(missing) > self._longest or self._counts_anew(first, size, missing)
        if not fresh and missing > 0:
            yield self._missing(missing, samples.received)
        known = 0 if fresh else min(max(-missing, 0), size)
        self.late += known
        if known < size:
            self._expected = first + size
            times = None if samples.times is None else samples.times[known:]
            yield self._given(samples.emg_TxC[known:], times, samples.received, fresh)

    def _counts_anew(self, first: int, size: int, missing: int) -> bool:
        """Whether numbers went back and go on from there: not some packets that came late or twice."""
        if -missing < size:
            self._behind = (0, 0)
            return False
        follows, since = self._behind
        since = since + size if first == follows else size
        anew = since > self._late
        self._behind = (0, 0) if anew else (first + size, since)
        return anew

    def _by_time(self, samples: Samples) -> Iterator[Placed]:
        assert samples.times is not None
        if samples.fresh:
            yield from self._decided(True)
        self._lateness.put(samples.emg_TxC, samples.times, samples.received, samples.fresh)
        yield from self._decided(False)

    def _decided(self, at_end: bool) -> Iterator[Placed]:
        for missing, fresh, emg_TxC, times, received in self._lateness.take(at_end):
            if missing:
                yield self._missing(missing, received)
            yield self._given(emg_TxC, times, received, fresh)

    def _missing(self, count: int, received: float) -> Placed:
        self.gaps += 1
        self.lost += count
        emg_TxC = np.broadcast_to(self._held, (count, len(self._held))).copy()
        found = Placed(self._at, emg_TxC, np.zeros(count, bool), None, received, missing=True)
        self._at += count
        return found

    def _given(self, emg_TxC: np.ndarray, times: np.ndarray | None, received: float, fresh: bool) -> Placed:
        fresh = fresh and self._at > 0
        self.restarts += fresh
        valid_T = (np.abs(emg_TxC) <= LARGEST).all(axis=1)  # False for NaN too
        if not valid_T.all():
            self.spoilt += int((~valid_T).sum())
            before_T = np.maximum.accumulate(np.where(valid_T, np.arange(len(emg_TxC)), -1))
            emg_TxC = np.where((before_T >= 0)[:, None], emg_TxC[before_T], self._held)
        self._held = emg_TxC[-1].copy()
        found = Placed(self._at, emg_TxC.astype(np.float32, copy=False), valid_T, times, received, fresh)
        self._at += len(emg_TxC)
        return found
