"""A run while it is trained, alone or in a pack: its batches, metrics.jsonl, checkpoints, result.json."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax

from semgjax.data.batching.batches import Batch, stream, train_data
from semgjax.data.corpus import Corpus
from semgjax.errors import Preempted, SemgjaxError
from semgjax.evaluate.error_rates import Counts
from semgjax.files import folder_lock, write_json
from semgjax.model.config import Network
from semgjax.parallel.runtime import is_first, on_first
from semgjax.training.broken_batch import about_batch
from semgjax.training.checkpoint import Checkpoints, Kept, check_or_sign
from semgjax.training.clock import Clock
from semgjax.training.engine import Engine
from semgjax.training.log import Log
from semgjax.training.metrics import MetricsFile, read_metrics
from semgjax.training.progress import Progress
from semgjax.training.result import build_result
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import CHECKPOINTS, METRICS, RESULT, claim, read_result
from semgjax.training.step import State, Sums, read_params
from semgjax.training.tracker import Everywhere, open_trackers
from semgjax.training.validate import Validate

End = dict[str, Any] | SemgjaxError
"""How a run ended: its result, or why there is none."""


@dataclass(frozen=True)
class Job:
    """A run to be trained."""

    config: RunConfig
    corpus: Corpus
    out: Path
    end: End | None = None
    """of a run that ended before: it keeps its place in a pack, for the others' last bits depend on the whole"""
    publish: Callable[[], None] | None = None
    """called when a checkpoint is whole on disk: where the folder mirrors an address (see semgjax.training.mirror)"""


class Member:
    """One run in the loop. Its folder is locked from `open` to `close`.

    Args:
        lane: its place among the states.
        packed: whether others are trained beside it.
        teacher: the teacher's shape, of a distilled run.
    """

    def __init__(
        self, job: Job, engine: Engine, lane: int = 0, packed: bool = False, teacher: Network | None = None
    ) -> None:
        self.config, self.corpus, self.out = job.config, job.corpus, job.out
        self.end, self.lane, self.step = job.end, lane, 0
        self._publish = job.publish
        self._engine, self._packed, self._teacher = engine, packed, teacher
        self._stack = contextlib.ExitStack()
        self._steps = self._stack.enter_context(contextlib.ExitStack())
        self._name = f"{job.out.name}: " if packed else ""
        config, hosts = job.config, (jax.process_index(), jax.process_count())
        self.data = train_data(
            job.corpus.train, config.window, config.augment, config.train.batch, config.train.seed, *hosts
        )

    def attempt(self, work: Callable[[], object]) -> None:
        """Do a part of this run's own work; a bad end closes this run, and those beside it go on."""
        try:
            work()
        except SemgjaxError as error:
            self.end = error
            self.close()

    def open(self) -> None:
        """Lock and claim the folder; of a finished run the result is the end.

        Raises:
            InputError: the folder is in use or holds something else, or its checkpoint is damaged.
        """
        on_first(lambda: self._stack.enter_context(folder_lock(self.out)))
        on_first(lambda: claim(self.out, self.config))
        self.end = read_result(self.out)
        if self.end is not None:
            on_first(lambda: check_or_sign(self.out / CHECKPOINTS))

    def close(self) -> None:
        """Let go of everything; the run's files stay."""
        self._stack.close()

    def restore(self, like: State) -> State | None:
        """The newest checkpoint, placed as `like` is; None at the beginning. Metrics after it are dropped.

        Raises:
            InputError: the checkpoint is damaged or of another run.
        """
        engine = self._engine
        kept = Kept(engine.keep_last, engine.keep_best, engine.keep_every)
        self._checkpoints = Checkpoints(self.out / CHECKPOINTS, kept, self._publish)
        self._steps.callback(self._checkpoints.close)
        state, times = self._checkpoints.restore(like, self.config.hash) or (None, {})
        self.step = 0 if state is None else int(state["step"])
        self._file, self._clock = MetricsFile(self.out / METRICS), Clock(times)
        on_first(lambda: self._file.rewind(self.step))
        return state

    def begin(self, progress: Progress) -> None:
        """Open what the steps from here on need."""
        before = read_metrics(self.out / METRICS) if (self.out / METRICS).exists() else []
        self._progress, self._begun, self._first = progress, time.monotonic(), self.step + 1
        trackers = open_trackers(self._engine.trackers, self.out, self.config, self.step) if is_first() else []
        for tracker in trackers:
            self._stack.callback(tracker.close)
        self._metrics = Everywhere([self._file, *trackers] if is_first() else [])
        lane = self.lane if self._packed else None
        self._log = Log(
            self.config, self._metrics, self._clock, self._teacher, before, partial(about_batch, self.data), lane
        )
        self._batches = stream(self.data, self.step)
        self._steps.callback(self._batches.close)

    def batch(self) -> Batch:
        """The next step's."""
        return next(self._batches)

    def took(self, sums: Sums) -> None:
        """A step was started.

        Raises:
            Diverged: loss or gradient stopped being finite.
        """
        self.step += 1
        self._cer: float | None = None
        if self.step == self._first:
            self._clock.restart()  # the first step was compiled
        self._progress.show(self._log.add(sums, self.step), self._name)
        if self.validates or self.saves:
            self.flush()  # a state that is not finite is not worth a validation, nor may it replace the last good one

    def flush(self) -> None:
        """Write what the steps so far told.

        Raises:
            Diverged: see `took`.
        """
        self._progress.show(self._log.flush(self.step), self._name)

    def apart(self) -> contextlib.AbstractContextManager[None]:
        """Time within the block is not the steps'."""
        return self._clock.apart()

    @property
    def goes_on(self) -> bool:
        """Whether there are steps to take."""
        return self.end is None and self.step < self.config.train.steps

    @property
    def validates(self) -> bool:
        """Whether the state after this step is validated."""
        train = self.config.train
        return bool(self.step % train.evaluate_every == 0 and self.corpus.val and self.step < train.steps)

    @property
    def saves(self) -> bool:
        """Whether it is saved."""
        return self.step % self.config.train.checkpoint_every == 0 or self.step == self.config.train.steps

    def validate(self, state: State, validate: Validate) -> None:
        """Score the state on the validation sessions."""
        total = sum(validate(read_params(state), self.corpus.val).values(), Counts())
        cer = self._cer = total.cer if total.characters else None
        self._metrics.write({"step": self.step, "split": "val", "averaging": "pooled", "cer": cer})
        words = "(no keys)" if cer is None else f"{cer:.1f} %"
        self._progress.note(f"{self._name}step {self.step}: validation CER {words}")

    def save(self, state: State) -> None:
        """Write a checkpoint."""
        self._checkpoints.save(state, self.config.hash, self._clock.record, self._cer)

    def stop(self) -> None:
        """The state is saved: end here.

        Raises:
            Preempted: always.
        """
        raise Preempted(f"{self.out}: asked to stop at step {self.step}; saved, run the same command to go on")

    def finish(self, state: State, validate: Validate) -> None:
        """After the last step: scores and result.json."""
        self._steps.close()
        params, corpus = read_params(state), self.corpus
        scores = {part: validate(params, corpus.part(part)) for part in ("val", "test") if corpus.part(part)}
        seconds = time.monotonic() - self._begun
        body = build_result(self.config, corpus, self.data, params, scores, seconds, self._teacher)
        on_first(lambda: write_json(self.out / RESULT, "semgjax/result", 1, body))
        self.end = body
