"""Where a run's time goes: steps that count, against all the time since its first start, over any restarts."""

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Time spent in steps, without compiling, evaluation and saving; `record` goes into a checkpoint.

    What was done after the last checkpoint before a stop is lost, and so it does not count.
    """

    def __init__(self, record: dict[str, float] | None = None) -> None:
        record = record or {}
        self._first_start = record.get("first_start", time.time())
        self._productive = record.get("productive", 0.0)
        self._since = time.monotonic()
        self._apart = 0.0

    def restart(self) -> None:
        """What went on since the last lap was no work of steps."""
        self._since, self._apart = time.monotonic(), 0.0

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Time within the block is not the steps'."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._apart += time.monotonic() - begun

    def lap(self) -> float:
        """Seconds of steps since the last lap, which are added up."""
        now = time.monotonic()
        seconds = max(now - self._since - self._apart, 1e-9)
        self._since, self._apart = now, 0.0
        self._productive += seconds
        return seconds

    @property
    def share(self) -> float:
        """Share of the time since the run's first start, pauses included, that steps took."""
        return min(1.0, self._productive / max(time.time() - self._first_start, 1e-9))

    @property
    def record(self) -> dict[str, float]:
        """What the next start needs to know."""
        return {"first_start": self._first_start, "productive": self._productive}
