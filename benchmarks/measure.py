"""What a benchmark reports: our figure, a peer's and their ratio, measured in one run on one machine."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """One line of a benchmark.

    Attributes:
        ours: median of our figure.
        peer: median of the peer's, in the same unit.
        unit: of both, such as "s" or "windows/s".
        note: what was compared, how often, and what else a reader must know to trust it.
    """

    ours: float
    peer: float
    unit: str
    note: str

    @property
    def ratio(self) -> float:
        """ours / peer."""
        return self.ours / self.peer

    def as_json(self) -> dict[str, float | str]:
        """The members that `semgjax bench NAME --json` prints."""
        return {"ours": self.ours, "peer": self.peer, "ratio": self.ratio, "unit": self.unit, "note": self.note}


def alternate(calls: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Seconds of every call, `rounds` times each, one after the other in turn.

    Other work on the machine then falls on all of them alike. Warm up before.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, row in zip(calls, seconds, strict=True):
            begun = time.perf_counter()
            call()
            row.append(time.perf_counter() - begun)
    return seconds


def medians(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median seconds of every call, as `alternate` measures them."""
    return [statistics.median(row) for row in alternate(calls, rounds)]
