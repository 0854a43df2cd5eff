"""The share of a run's wall time that is spent in steps, over any number of restarts."""

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Time spent in steps, without compilation, evaluation and saving; `record` is kept in checkpoints.

    Work after the last checkpoint before a stop is lost and does not count.
    """

    def __init__(self, record: dict[str, float] | None = None) -> None:
        record = record or {}
        self._first_start = record.get("first_start", time.time())
        self._productive = record.get("productive", 0.0)
        self._since = time.monotonic()
        self._apart = 0.0

    def restart(self) -> None:
        """Start a new lap; the time since the last one does not count as steps."""
        self._since, self._apart = time.monotonic(), 0.0

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Time within the block does not count as steps."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._apart += time.monotonic() - begun

    def lap(self) -> float:
        """Seconds of steps since the last lap; added to the total."""
        now = time.monotonic()
        seconds = max(now - self._since - self._apart, 1e-9)
        self._since, self._apart = now, 0.0
        self._productive += seconds
        return seconds

    @property
    def share(self) -> float:
        """Share of the time since the run's first start, pauses included, that was spent in steps."""
        return min(1.0, self._productive / max(time.time() - self._first_start, 1e-9))

    @property
    def record(self) -> dict[str, float]:
        """The state of the clock, for a checkpoint."""
        return {"first_start": self._first_start, "productive": self._productive}
