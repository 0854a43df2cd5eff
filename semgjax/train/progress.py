"""How a run shows that it moves: a bar on a terminal, plain lines now and then elsewhere; both on stderr."""

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_SECONDS_BETWEEN_LINES = 20.0


class Progress:
    """A context for one run; `advance` after every step, with the metrics line when there is a new one."""

    def __init__(self, name: str, steps: int, start: int) -> None:
        self._name, self._steps, self._done = name, steps, start
        self._bar: Bar | None = None
        self._last = time.monotonic()
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Bar(*columns, TextColumn("{task.fields[loss]}"), console=Console(stderr=True))
            self._task = self._bar.add_task(name, total=steps, completed=start, loss="compiling")

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, line: dict[str, Any] | None) -> None:
        """One step is done."""
        self._done += 1
        if self._bar:
            self._bar.advance(self._task)
            if line:
                self._bar.update(self._task, loss=f"loss {line['loss']:.3f}")
        elif line and (time.monotonic() - self._last > _SECONDS_BETWEEN_LINES or self._done == self._steps):
            self._last = time.monotonic()
            rate = f"{line['windows_per_s']:.0f} windows/s"
            print(
                f"{self._name}: step {self._done}/{self._steps}, loss {line['loss']:.3f}, {rate}",
                file=sys.stderr,
            )

    def note(self, text: str) -> None:
        """A line that stays."""
        if self._bar:
            self._bar.console.print(f"{self._name}: {text}")
        else:
            print(f"{self._name}: {text}", file=sys.stderr)
