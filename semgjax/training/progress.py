"""Progress of a run on stderr: a bar on a terminal, otherwise a plain line every 20 seconds."""

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_SECONDS_BETWEEN_LINES = 20.0


class Progress:
    """A context for one run; `advance` after every step, with the metrics line when there is a new one.

    With several processes only the first is `loud`.
    """

    def __init__(self, name: str, steps: int, start: int, loud: bool = True) -> None:
        self._name, self._steps, self._done, self._loud = name, steps, start, loud
        self._bar: Bar | None = None
        self._last = time.monotonic()
        if loud and sys.stderr.isatty():
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
        self.show(line)

    def show(self, line: dict[str, Any] | None, who: str = "") -> None:
        """A new metrics line; `who` names the run in a pack."""
        if line is None or not self._loud:
            return
        if line["spikes"]:
            self.note(f"{who}up to step {line['step']}: {line['spikes']} losses above twice the usual")
        if self._bar:
            self._bar.update(self._task, loss=f"loss {line['loss']:.3f}")
        elif time.monotonic() - self._last > _SECONDS_BETWEEN_LINES or line["step"] == self._steps:
            self._last = time.monotonic()
            rate = f"{line['windows_per_s']:.0f} windows/s"
            print(
                f"{self._name}: {who}step {line['step']}/{self._steps}, loss {line['loss']:.3f}, {rate}",
                file=sys.stderr,
            )

    def note(self, text: str) -> None:
        """Print a permanent line."""
        if self._bar:
            self._bar.console.print(f"{self._name}: {text}")
        elif self._loud:
            print(f"{self._name}: {text}", file=sys.stderr)
