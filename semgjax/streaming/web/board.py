"""What the pages of a live decoder show: the newest seconds of signal as minima and maxima, all text, and numbers."""

import math
import threading
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from semgjax.data.band import Band
from semgjax.streaming.live import Update

SECONDS = 5.0
"""of signal on a page"""
_COLUMNS = 1000  # of a page at most; a browser joins them to its own pixels
_LATENCIES = 500  # newest parts that a latency is taken over


class Seen(NamedTuple):
    """How far one page has been sent.

    Attributes:
        version: of the board.
        column: the number of the next column.
        pieces: how many pieces of the text that is final.
    """

    version: int = 0
    column: int = 0
    pieces: int = 0


class News(NamedTuple):
    """What a page has not been sent.

    Attributes:
        seen: how far the page is sent with this.
        first: number of the first of these columns; columns between it and the last one that was sent are lost.
        columns: minimum and maximum of each electrode, float32 [columns, channels, 2], NaN where no sample arrived.
        state: what the text has grown by, what may still change, and the numbers, as JSON.
    """

    seen: Seen
    first: int
    columns: np.ndarray
    state: dict[str, Any]


class Board:
    """One for all pages. A page reads it when it can: a slow one loses old signal, never text, and delays nobody."""

    def __init__(self, band: Band) -> None:
        self.samples = max(1, round(band.rate * SECONDS / _COLUMNS))  # of a column
        self.columns = math.ceil(band.rate * SECONDS / self.samples)
        self._lock = threading.Lock()
        self._waiting = np.zeros((0, band.channels), np.float32)
        self._ring = np.full((self.columns, band.channels, 2), np.nan, np.float32)
        self._next = 0  # number of the next column
        self._version = 0
        self._pieces: list[str] = []  # of the text that is final
        self._tentative = ""
        self._seconds, self._dropped = 0.0, 0
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._ended: str | None = None

    def show(self, update: Update) -> None:
        """Take the next part of the signal; only one thread may call this."""
        waiting_TxC = np.concatenate([self._waiting, update.emg_TxC.astype(np.float32, copy=False)])
        new = len(waiting_TxC) // self.samples
        whole = waiting_TxC[: new * self.samples].reshape(new, self.samples, waiting_TxC.shape[1])
        # fmin and fmax pass over NaN where they can
        columns = np.stack([np.fmin.reduce(whole, axis=1), np.fmax.reduce(whole, axis=1)], axis=-1)[-self.columns :]
        with self._lock:
            self._waiting = waiting_TxC[new * self.samples :]
            self._next += new
            self._ring[np.arange(self._next - len(columns), self._next) % self.columns] = columns
            if update.committed:
                self._pieces.append(update.committed)
            self._tentative = update.tentative
            self._seconds, self._dropped = update.seconds, update.dropped
            if math.isfinite(update.latency_ms):
                self._latencies.append(update.latency_ms)
            self._version += 1

    def end(self, why: str) -> None:
        """The stream is over."""
        with self._lock:
            self._ended = why
            self._version += 1

    def news(self, seen: Seen) -> News | None:
        """What a page that has seen so much does not know; None if it knows everything."""
        with self._lock:
            if seen.version == self._version:
                return None
            first = max(seen.column, self._next - self.columns)
            columns = self._ring[np.arange(first, self._next) % self.columns]
            median, high = np.percentile(self._latencies, [50, 99]) if self._latencies else (None, None)
            state = {
                "committed": "".join(self._pieces[seen.pieces :]),
                "tentative": self._tentative,
                "seconds": self._seconds,
                "latency_ms": median,
                "latency_high_ms": high,
                "dropped": self._dropped,
                "ended": self._ended,
            }
            return News(Seen(self._version, self._next, len(self._pieces)), first, columns, state)
