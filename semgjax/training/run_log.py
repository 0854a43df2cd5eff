"""What a run reports: metrics.jsonl, trackers, the progress bar and the clock, of one run alone or in a pack."""

import contextlib
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from semgjax.data.batching.batches import TrainData
from semgjax.data.measure import measure_of
from semgjax.model.config import Network
from semgjax.parallel.runtime import is_first, on_first
from semgjax.training.broken_batch import about_batch
from semgjax.training.clock import Clock
from semgjax.training.log import Log
from semgjax.training.metrics import MetricsFile, read_metrics
from semgjax.training.plateau import change_words, end_words, plateau_after
from semgjax.training.progress import Progress
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import METRICS
from semgjax.training.step import Sums
from semgjax.training.tracker import Everywhere, open_trackers


class RunLog(contextlib.ExitStack):
    """The log of a run from step `start` on; metrics written after that step are dropped. Close it to flush trackers.

    Args:
        times: the clock in the checkpoint that the run resumes from.
        progress: bar or lines on stderr.
        trackers: names of engine.trackers.
        teachers: the teachers' shapes, of a distilled run; their cost counts.
        lane: the run's index in the sums of a pack; None where the sums are its own.
    """

    def __init__(
        self,
        config: RunConfig,
        out: Path,
        data: TrainData,
        start: int,
        times: dict[str, float],
        progress: Progress,
        trackers: tuple[str, ...] = (),
        teachers: Sequence[Network] = (),
        lane: int | None = None,
    ) -> None:
        super().__init__()
        self.clock, self._begun, self._first = Clock(times), time.monotonic(), start + 1
        self._progress, self._name = progress, "" if lane is None else f"{out.name}: "
        self._measure = measure_of(config.band)
        file = MetricsFile(out / METRICS)
        on_first(lambda: file.rewind(start))
        before = read_metrics(out / METRICS) if (out / METRICS).exists() else []
        self._plateau = plateau_after(before)
        opened = open_trackers(trackers, out, config, start) if is_first() else []
        for tracker in opened:
            self.callback(tracker.close)
        self._metrics = Everywhere([file, *opened] if is_first() else [])
        self._log = Log(config, self._metrics, self.clock, teachers, before, partial(about_batch, data), lane)

    def add(self, sums: Sums, step: int) -> None:
        """Take the sums of a step that was started; the sums before it are written when they are due.

        Raises:
            Diverged: loss or gradient is not finite, or the loss reports a problem.
        """
        if step == self._first:
            self.clock.restart()  # the first step was compiled
        self._show(self._log.add(sums, step))

    def flush(self, step: int) -> None:
        """Write everything up to `step`: waits for the device.

        Raises:
            Diverged: see `add`.
        """
        self._show(self._log.flush(step))

    def validation(self, step: int, rate: float | None) -> None:
        """Write the pooled validation error rate after `step`; None without keys or events."""
        measure = self._measure
        self._metrics.write({"step": step, "split": "val", "averaging": "pooled", measure.name: rate})
        words = f"(no {measure.things})" if rate is None else f"{rate:.1f} %"
        self._progress.note(f"{self._name}step {step}: validation {measure.words} {words}")

    def end(self) -> int | None:
        """Warn if the run never left the blank plateau; the step at which it did (see semgjax.training.plateau)."""
        words = end_words(self._plateau)
        if words is not None:
            self._progress.note(f"{self._name}{words}")
        return self._plateau.left_at

    def _show(self, line: dict[str, Any] | None) -> None:
        self._progress.show(line, self._name)
        if line is None:
            return
        before, self._plateau = self._plateau, self._plateau.after(line)
        words = change_words(before, self._plateau)
        if words is not None:
            self._progress.note(f"{self._name}{words}")

    @property
    def seconds(self) -> float:
        """Wall time since the log was opened."""
        return time.monotonic() - self._begun
