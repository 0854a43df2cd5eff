"""Wall time of the demo's stages over all of its starts; writes OUT/seconds.json."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from semgjax.files import read_json, write_json

SCHEMA, VERSION = "semgjax/seconds", 1


class Clock:
    """Adds up the seconds of each stage over all starts, interrupted ones included."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seconds: dict[str, float] = read_json(path, SCHEMA, VERSION)["seconds"] if path.exists() else {}

    @contextlib.contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        """Report the start of a stage, and time it."""
        print(f"{name}: {text}", flush=True)
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun
            write_json(self._path, SCHEMA, VERSION, {"seconds": self.seconds})

    def total(self) -> float:
        """Seconds of all stages so far."""
        return sum(self.seconds.values())
