"""What the scheduler needs of a place that runs trials: it starts jobs, each a trial or a pack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from semgjax.sweep.plan import Trial


class Job(Protocol):
    """A running trial, or a running pack."""

    @property
    def where(self) -> str:
        """Where it runs, for the report."""

    @property
    def log(self) -> Path:
        """The file with its output."""

    @property
    def log_start(self) -> int:
        """Byte offset in the log at which this attempt begins."""

    def poll(self) -> int | None:
        """Its exit code (negative: the signal that ended it); None while it runs."""

    def stop(self) -> None:
        """Ask it to save and to exit with 75."""

    def kill(self) -> None:
        """End it at once."""


class Launcher(Protocol):
    """Starts trials somewhere."""

    size: int
    """how many jobs can run at a time"""

    def start(self, pack: Sequence[Trial]) -> Job:
        """Start a trial, or several in one process; called only when there is room."""
