"""Measure events with a known end: the power of each in its hold and in the rest before it, electrode by electrode."""

from dataclasses import dataclass

import numpy as np

from semgjax.data.sessions import Session

REST = 1.0
"""seconds before an onset that count as its rest, as far as no other event lies there"""


@dataclass(frozen=True, eq=False)
class Activity:
    """Mean power of the events with a known end and a rest before them.

    Attributes:
        labels: int32[n], their classes.
        hold: float64[n, C], over the samples of the event.
        rest: float64[n, C], over those before it.
    """

    labels: np.ndarray
    hold: np.ndarray
    rest: np.ndarray


class EventMeter:
    """Sums of squares over holds and rests, block by block."""

    def __init__(self, session: Session) -> None:
        ends = session.key_end if session.key_end is not None else np.full(len(session.labels), -1)
        first, stop = session.key_first, np.minimum(ends + 1, session.samples)
        joints = np.concatenate([[0], np.array(session.joints, np.int64)])
        begin = joints[np.clip(np.searchsorted(joints, first, "right") - 1, 0, None)]
        before = np.concatenate([[0], np.maximum.accumulate(stop)[:-1]]) if len(first) else first
        low = np.maximum.reduce([begin, before, first - round(REST * session.rate)])
        self.known = (ends >= 0) & (stop > first) & (first > low)
        self.labels = session.labels[self.known]
        self.edges = np.stack([low, first, first, stop], axis=1)[self.known].reshape(-1, 2, 2)  # rest, hold
        self.sums = np.zeros((len(self.edges), 2, session.channels))
        self.done = 0

    def add(self, emg_TxC: np.ndarray) -> None:
        """The next samples."""
        start, stop = self.done, self.done + len(emg_TxC)
        total = np.concatenate([np.zeros((1, emg_TxC.shape[1])), np.cumsum(emg_TxC.astype(np.float64) ** 2, axis=0)])
        place = np.clip(self.edges - start, 0, stop - start)
        self.sums += total[place[..., 1]] - total[place[..., 0]]
        self.done = stop

    def result(self) -> Activity:
        """After the last sample."""
        mean = self.sums / np.maximum(np.diff(self.edges, axis=2), 1)
        return Activity(self.labels, hold=mean[:, 1], rest=mean[:, 0])
