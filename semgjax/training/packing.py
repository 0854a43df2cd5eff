"""Packs: several runs of one compiled shape trained together, with the same pieces as the loop of one run.

A layer over semgjax.training.loop, which knows nothing of it. Each run has its own folder and its own end.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from semgjax.data.batching.batches import stream, train_data
from semgjax.data.corpus import Corpus
from semgjax.errors import InputError, Preempted, SemgjaxError
from semgjax.parallel.mesh import make_mesh
from semgjax.parallel.runtime import check_started, is_first
from semgjax.training.checkpoint import Checkpoints
from semgjax.training.compiles import report_recompiles, use_cache
from semgjax.training.engine import Engine
from semgjax.training.mixture import ignored
from semgjax.training.packed_states import PackedStates
from semgjax.training.preemption import termination
from semgjax.training.progress import Progress
from semgjax.training.result import write_result
from semgjax.training.resume import open_run, restore_newest
from semgjax.training.run_config import RunConfig, program_of
from semgjax.training.run_folder import CHECKPOINTS
from semgjax.training.run_log import RunLog
from semgjax.training.step import State, Sums, read_params
from semgjax.training.validate import Validate, make_validate, pooled_rate
from semgjax.training.watchdog import watchdog

_ENGINE = Engine()
End = dict[str, Any] | SemgjaxError
"""How a run ended: its result, or the error that ended it."""


@dataclass(frozen=True)
class Job:
    """A run to be trained in a pack."""

    config: RunConfig
    corpus: Corpus
    out: Path
    end: End | None = None
    """of a run that ended before: it keeps its lane, for the others' last bits depend on the whole pack"""


def train_pack(jobs: Sequence[Job]) -> list[End]:
    """Train runs of one compiled shape together and return how each ended; runs that were stopped resume.

    All take one jitted step, side by side on a device and split over the devices of this process. A run that diverges,
    whose folder is damaged or whose disk is full ends alone. The same jobs in the same order end with the same bits
    after a kill.

    Raises:
        InputError: the jobs' shapes differ, one has a teacher, or there are several processes ("conflict").
    """
    check_started()
    _check(jobs)
    devices = jax.device_count()
    count = -(-len(jobs) // devices) * devices
    lanes = [_Lane(job, index) for index, job in enumerate(jobs)]
    room = max(lane.data.label_room for lane in lanes)
    use_cache(_ENGINE.cache)
    with contextlib.ExitStack() as stack:
        for lane in lanes:
            stack.callback(lane.close)
            if lane.end is None:
                lane.attempt(lane.open)
        if _running(lanes):
            _train(lanes, PackedStates([job.config for job in jobs], make_mesh(count), count, room))
        return [lane.end for lane in lanes if lane.end is not None]


def _train(lanes: Sequence["_Lane"], states: PackedStates) -> None:
    """The loop of `semgjax.training.loop.train` over all runs that have not ended."""
    with contextlib.ExitStack() as stack:
        # -- states: fresh, or the newest checkpoints -----------------------------------------------------------
        like = states.like()
        for lane in _running(lanes):
            lane.attempt(lane.restore, like)
        running = _running(lanes)
        if not running:
            return
        states.begin([lane.restored for lane in lanes])
        for lane in lanes:
            lane.restored = None

        # -- log, and what watches the steps --------------------------------------------------------------------
        config, start = running[0].config, min(lane.step for lane in running)
        name = config.preset if len(lanes) == 1 else f"{len(lanes)} x {config.preset}"
        beat = stack.enter_context(watchdog(_ENGINE.watchdog))
        progress = stack.enter_context(Progress(name, config.train.steps, start, is_first()))
        advance = stack.enter_context(report_recompiles(progress.note, start))(states.advance)
        validate = make_validate(config, states.mesh, beat)
        for lane in running:
            lane.attempt(lane.begin, progress)

        # -- the loop -------------------------------------------------------------------------------------------
        terminated = stack.enter_context(termination())
        while running := [lane for lane in lanes if lane.end is None and lane.step < config.train.steps]:
            sums = advance({lane.index: next(lane.batches) for lane in running})
            progress.advance(None)
            for lane in running:
                lane.attempt(lane.add, sums)
            for lane in _running(running):
                if lane.validates:
                    with _apart(running):
                        lane.attempt(lane.validate, states.state(lane.index), validate)
            stop = terminated(running[0].step)  # asked once: a signal between two runs' saves would leave one unsaved
            for lane in _running(running) if stop else ():
                lane.attempt(lane.log.flush, lane.step)
            for lane in _running(running):
                if stop or lane.saves:
                    with _apart(running):
                        lane.attempt(lane.save, states.state(lane.index))
                if stop and lane.end is None and lane.step < config.train.steps:
                    lane.attempt(lane.stop)
            beat()

        # -- scores and results ---------------------------------------------------------------------------------
        for lane in _running(lanes):
            lane.attempt(lane.finish, states.state(lane.index), validate)


class _Lane:
    """One run of a pack. Its folder is locked from `open` to `close`."""

    def __init__(self, job: Job, index: int) -> None:
        self.config, self.corpus, self.out, self.end = job.config, job.corpus, job.out, job.end
        self.index, self.step = index, 0
        self.restored: State | None = None
        self._rate: float | None = None
        self._stack = contextlib.ExitStack()
        train = job.config.train
        job.config.check_band(job.corpus.band)
        self.data = train_data(job.corpus.train, job.config.window, job.config.augment, train.batch, train.seed, 0, 1)

    def attempt(self, work: Callable[..., object], *arguments: Any) -> None:
        """Do a part of this run's own work; an error ends this run, and the others continue."""
        try:
            work(*arguments)
        except SemgjaxError as error:
            self.end = error
            # What a full disk stopped, it stops once more while the run is closed: the first error says it.
            with contextlib.suppress(SemgjaxError):
                self.close()

    def open(self) -> None:
        self.end = open_run(self.out, self.config, self._stack)

    def close(self) -> None:
        self._stack.close()

    def restore(self, like: State) -> None:
        self._checkpoints = Checkpoints(self.out / CHECKPOINTS)
        self._saving = self._stack.enter_context(contextlib.ExitStack())
        self._saving.callback(self._checkpoints.close)
        self.restored, self.step, self._times = restore_newest(self._checkpoints, like, self.config)

    def begin(self, progress: Progress) -> None:
        for line in ignored(self.config, self.corpus):
            progress.note(f"{self.out.name}: warning: {line}")
        self.log = self._stack.enter_context(
            RunLog(self.config, self.out, self.data, self.step, self._times, progress, lane=self.index)
        )
        self.batches = self._saving.enter_context(contextlib.closing(stream(self.data, self.step)))

    def add(self, sums: Sums) -> None:
        self.step, self._rate = self.step + 1, None
        self.log.add(sums, self.step)
        if self.validates or self.saves:
            self.log.flush(self.step)

    @property
    def validates(self) -> bool:
        return bool(self.corpus.val) and self.config.train.validates(self.step)

    @property
    def saves(self) -> bool:
        return self.config.train.saves(self.step)

    def validate(self, state: State, validate: Validate) -> None:
        self._rate = pooled_rate(validate(read_params(state), self.corpus.val))
        self.log.validation(self.step, self._rate)

    def save(self, state: State) -> None:
        self._checkpoints.save(state, self.config.hash, self.log.clock.record, self._rate)

    def stop(self) -> None:
        raise Preempted(f"{self.out}: stopped at step {self.step} and saved; run the same command to resume")

    def finish(self, state: State, validate: Validate) -> None:
        self._saving.close()
        params, corpus = read_params(state), self.corpus
        scores = {part: validate(params, corpus.part(part)) for part in ("val", "test") if corpus.part(part)}
        log = self.log
        self.end = write_result(self.out, self.config, corpus, self.data, params, scores, log.seconds, log.end())


def _check(jobs: Sequence[Job]) -> None:
    for job in jobs:
        if job.config.distill is not None:
            raise InputError(
                f"{job.out}: is distilled, and only supervised runs are packed; run it on its own", "conflict"
            )
        if job.config.personal is not None:
            raise InputError(f"{job.out}: is personalised, which is not packed; run it on its own", "conflict")
        if program_of(job.config) != program_of(jobs[0].config):
            raise InputError(
                f"{job.out}: differs from {jobs[0].out} in more than seed, learning rate, weight decay and data; "
                "pack runs that differ only in these",
                "conflict",
            )
    if jax.process_count() > 1:
        raise InputError(
            f"a pack runs in one process, and there are {jax.process_count()}; start it with one", "conflict"
        )


def _running(lanes: Sequence[_Lane]) -> list[_Lane]:
    return [lane for lane in lanes if lane.end is None]


@contextlib.contextmanager
def _apart(lanes: Sequence[_Lane]) -> Iterator[None]:
    """Time within the block counts as no run's steps."""
    with contextlib.ExitStack() as stack:
        for lane in lanes:
            if lane.end is None:
                stack.enter_context(lane.log.clock.apart())
        yield
