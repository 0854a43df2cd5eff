"""Quantiles of many positive numbers in the memory of a few, right within one percent."""

import numpy as np

_LEAST, _STEP, _BINS = 1e-7, 1.01, 3500  # up to 1.3e8


class Quantiles:
    """Counts so far.

    Attributes:
        count: numbers added.
        total: their sum.
    """

    def __init__(self) -> None:
        self.count, self.total = 0, 0.0
        self._counts = np.zeros(_BINS, np.int64)

    def add(self, value: float) -> None:
        """One more; NaN does not count."""
        if np.isnan(value):
            return
        self.count += 1
        self.total += value
        place = int(np.log(max(value, _LEAST) / _LEAST) / np.log(_STEP))
        self._counts[min(place, _BINS - 1)] += 1

    def at(self, share: float) -> float | None:
        """The number below which this share of them lies; None if there are none."""
        if not self.count:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), share * self.count))
        return float(_LEAST * _STEP ** (min(place, _BINS - 1) + 0.5))
