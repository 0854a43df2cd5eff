"""Source: a recorded session, a file of emg2qwerty's format or a shard, at its own pace or as fast as it decodes."""

import time
from pathlib import Path

import numpy as np

from semgjax.data.quality.meter import rate_of_clock
from semgjax.data.quality.signalchecks import RATE_WRONG
from semgjax.data.sessions import Session, open_session, read_emg
from semgjax.streaming.recording.hdf5_recording import read_lost
from semgjax.streaming.sources.source import POLL, Described, Samples

_PACED, _FAST = 0.01, 0.32
"""seconds of signal that are read at once"""
_LEAST, _LOOKED_AT = 1.0, 60.0
"""seconds without which times say nothing of the rate, and of which they are read for it"""


class FileSource:
    """A session as if it were recorded now, at the rate of its format unless its times contradict it.

    Its samples are counted. Those that a recording of `semgjax stream` lists as lost are lost here too.
    """

    def __init__(self, path: Path, fast: bool) -> None:
        """
        Args:
            fast: not at the pace of the recording, but as fast as it is decoded.

        Raises:
            InputError: as `open_session`, or as `read_lost`.
        """
        self.live = not fast
        self._session = open_session(path)
        self._rate, self._lost = _rate(self._session), _lost(self._session)
        self._step = max(round((_FAST if fast else _PACED) * self._rate), 1)
        self._at = 0
        self._begun: float | None = None

    def describe(self) -> Described:
        """See `Source`."""
        return Described(self._session.name, self._rate, self._session.channels)

    def read(self) -> Samples | None:
        """See `Source`."""
        session, at = self._session, self._at
        if at >= session.samples:
            return None
        stop = min(at + self._step, session.samples)
        received = time.monotonic()
        if self.live:
            self._begun = received if self._begun is None else self._begun
            due = self._begun + stop / self._rate
            if due - received > POLL:
                time.sleep(POLL)
                return Samples(read_emg(session, at, at), at, None, time.monotonic())
            time.sleep(max(due - received, 0.0))
            received = due
        self._at = stop
        return Samples(self._read(at, stop), at, None, received)

    def _read(self, start: int, stop: int) -> np.ndarray:
        emg_TxC = read_emg(self._session, start, stop)
        begun, end = self._lost
        inside = np.flatnonzero((begun < stop) & (end > start))
        if len(inside):
            emg_TxC = emg_TxC.copy()
            for at in inside:
                emg_TxC[max(begun[at] - start, 0) : end[at] - start] = np.nan
        return emg_TxC

    def clock_offset(self) -> float | None:
        """See `Source`."""
        return None

    def notes(self) -> dict[str, int]:
        """See `Source`."""
        return {}

    def close(self) -> None:
        """See `Source`."""


def _rate(session: Session) -> float:
    """That of the format or, if the times in a file say another one, theirs."""
    nominal = float(session.rate)
    if session.stored is not None or session.samples < nominal * _LEAST:
        return nominal
    measured = rate_of_clock(session, round(nominal * _LOOKED_AT))
    return measured if measured and abs(measured / nominal - 1) > RATE_WRONG else nominal


def _lost(session: Session) -> tuple[np.ndarray, np.ndarray]:
    """First sample and the one after the last of each stretch of lost samples."""
    found = np.zeros((0, 2), np.int64) if session.stored is not None else read_lost(session.path, session.samples)
    return found[:, 0], found.sum(axis=1)
