"""Source: a recorded session, a file of emg2qwerty's format or a shard, at its own pace or as fast as it decodes."""

import time
from pathlib import Path

from semgjax.data.sessions import open_session, read_emg
from semgjax.streaming.sources.source import POLL, Described, Samples

_PACED, _FAST = 0.01, 0.32
"""seconds of signal that are read at once"""


class FileSource:
    """A session as if it were recorded now. Its samples are counted; its times are not looked at."""

    def __init__(self, path: Path, fast: bool) -> None:
        """
        Args:
            fast: not at the pace of the recording, but as fast as it is decoded.

        Raises:
            InputError: as `open_session`.
        """
        self.live = not fast
        self._session = open_session(path)
        self._step = max(round((_FAST if fast else _PACED) * self._session.rate), 1)
        self._at = 0
        self._begun: float | None = None

    def describe(self) -> Described:
        """See `Source`."""
        return Described(self._session.name, float(self._session.rate), self._session.channels)

    def read(self) -> Samples | None:
        """See `Source`."""
        session, at = self._session, self._at
        if at >= session.samples:
            return None
        stop = min(at + self._step, session.samples)
        received = time.monotonic()
        if self.live:
            self._begun = received if self._begun is None else self._begun
            due = self._begun + stop / session.rate
            if due - received > POLL:
                time.sleep(POLL)
                return Samples(read_emg(session, at, at), at, None, time.monotonic())
            time.sleep(max(due - received, 0.0))
            received = due
        self._at = stop
        return Samples(read_emg(session, at, stop), at, None, received)

    def clock_offset(self) -> float | None:
        """See `Source`."""
        return None

    def notes(self) -> dict[str, int]:
        """See `Source`."""
        return {}

    def close(self) -> None:
        """See `Source`."""
