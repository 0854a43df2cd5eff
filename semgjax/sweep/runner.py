"""The scheduler of a sweep's trials, for any launcher; writes trials/<id>.fault.json.

It only decides when each trial starts. The state of a trial lies in its folder, so that the same call resumes after any
kind of stop.
"""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from semgjax.errors import InputError, Preempted
from semgjax.files import is_locked
from semgjax.measures import SPLICED, measure_in, rate_in
from semgjax.sweep.forecast_rule import why_held
from semgjax.sweep.launcher import Job, Launcher
from semgjax.sweep.pack import packs_of
from semgjax.sweep.plan import Sweep, Trial
from semgjax.sweep.stopping import stop_requests
from semgjax.sweep.trial import look, result_of, write_fault
from semgjax.training.plateau import result_words

RETRIES = 2
DIVERGED, AGAIN, BAD_INPUT = 70, 75, 2
_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_BETWEEN_LINES = 30.0

Report = Callable[[str], object]
Order = Literal["cheapest", "longest"]


@dataclass(frozen=True)
class Outcome:
    """How the trials of a sweep ended: ids, with the reason of those that diverged or failed.

    Attributes:
        probed: diverged at a rate that the search of a rung with a best rate tried: an answer, no failure.
        held: need a forecast before they run (semgjax.sweep.forecast_rule).
    """

    done: tuple[str, ...]
    diverged: dict[str, str]
    failed: dict[str, str]
    probed: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many trials have ended."""
        return len(self.done) + len(self.diverged) + len(self.failed) + len(self.probed) + len(self.held)

    @property
    def exit_code(self) -> int:
        """0 if all are done, 70 if the others diverged, 2 if any is held, 1 if any failed."""
        return 1 if self.failed else BAD_INPUT if self.held else DIVERGED if self.diverged else 0


def no_tick() -> None:
    """The default tick: nothing."""


def no_more() -> Sequence[Trial]:
    """The default of `more`: a plan whose trials are all known."""
    return ()


def supervise(
    sweep: Sweep,
    trials: Sequence[Trial],
    launcher: Launcher,
    order: Order,
    retries: int,
    report: Report,
    tick: Callable[[], object],
    pack: int = 1,
    more: Callable[[], Sequence[Trial]] = no_more,
) -> Outcome:
    """Run `trials` until each is done, diverged or failed.

    Cheapest first: mistakes show after the shortest trial, and a curve has points early. Longest first: short trials
    fill the gaps, and slots finish at nearly the same time. A student waits for its teacher.

    Exit codes of a trial: 0 done; 70 diverged, not retried; 2 bad input, not retried; 75 preempted, resumed (if it
    made no step it counts as a failure, so that it cannot loop forever); any other code is a failure, retried
    `retries` times.

    Args:
        report: called with one line per start and end, and with progress now and then.
        tick: called a few times a second.
        pack: largest number of trials that train together in one process (semgjax.sweep.pack).
        more: called when trials have ended: the trials that their results call for (semgjax.sweep.grow).

    Raises:
        Preempted: SIGINT, SIGTERM or SIGHUP arrived; the running trials received it and have saved.
    """
    if retries < 0:
        raise InputError(f"retries {retries}: give 0 or more", "bad-value")
    with stop_requests() as asked:
        engine = _Engine(sweep, launcher, retries, report, order, pack)
        try:
            engine.run(trials, more, asked, tick)
        finally:
            engine.kill()
    outcome = engine.outcome()
    left = engine.count - outcome.count
    if left:
        raise Preempted(f"{sweep.folder}: stopped with {left} of {engine.count} trials left; the same command resumes")
    return outcome


@dataclass(frozen=True)
class _Running:
    trials: tuple[Trial, ...]
    job: Job
    steps: dict[str, int]
    begun: float = field(default_factory=time.monotonic)


class _Engine:
    """The queue, the running trials, and the outcomes."""

    def __init__(
        self,
        sweep: Sweep,
        launcher: Launcher,
        retries: int,
        report: Report,
        order: Order,
        pack: int,
    ) -> None:
        self._sweep, self._launcher, self._retries, self._report = sweep, launcher, retries, report
        self._order, self._pack = order, pack
        self._trials: list[Trial] = []
        self._pack_of: dict[str, tuple[Trial, ...]] = {}
        self._queue: list[Trial] = []
        self._running: list[_Running] = []
        self._elsewhere: list[Trial] = []
        self._failures: dict[str, int] = {}
        self._done: set[str] = set()
        self._diverged: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._held: dict[str, str] = {}

    @property
    def count(self) -> int:
        """Number of trials so far."""
        return len(self._trials)

    def run(
        self,
        trials: Sequence[Trial],
        more: Callable[[], Sequence[Trial]],
        asked: Callable[[], bool],
        tick: Callable[[], object],
    ) -> None:
        """Run until all trials have ended or, after a request to stop, until the running ones have saved."""
        self._add(trials)
        self._add(more())
        if self._done:
            self._report(f"{self._count()} already")
        stopping, last_line = False, time.monotonic()
        while self._running or ((self._queue or self._elsewhere) and not stopping):
            if asked() and not stopping:
                stopping = True
                count = sum(len(child.trials) for child in self._running)
                self._report(f"asked to stop; waiting for {count} trials to save")
                for child in self._running:
                    child.job.stop()
            for child in list(self._running):
                code = child.job.poll()
                if code is not None:
                    self._running.remove(child)
                    for trial in child.trials:
                        self._settle(child, trial, self._code_of(child, trial, code), stopping)
                    self._add(() if stopping else more())
            if not stopping:
                if self._welcome():
                    self._add(more())
                self._fill()
            tick()
            if time.monotonic() - last_line > _SECONDS_BETWEEN_LINES:
                last_line = time.monotonic()
                self._report(self._line())
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        if stopping:
            self._add(more())  # what the last results call for is left to do

    def kill(self) -> None:
        """Kill what still runs, which happens only after an error of the engine itself."""
        for child in self._running:
            child.job.kill()

    def outcome(self) -> Outcome:
        """The outcome so far."""
        done = tuple(trial.id for trial in self._trials if trial.id in self._done)
        answered = {trial.rung for trial in self._trials if trial.id in self._done} - {None}
        probed = {t.id for t in self._trials if t.rung in answered and t.stage != "seeds"} & set(self._diverged)
        diverged = {name: reason for name, reason in self._diverged.items() if name not in probed}
        tried = {name: self._diverged[name] for name in sorted(probed)}
        return Outcome(done, diverged, dict(self._failed), tried, dict(self._held))

    def _add(self, trials: Sequence[Trial]) -> None:
        """Take trials in, those that start first by the order."""
        self._trials += trials
        self._pack_of |= {trial.id: pack for pack in packs_of(trials, self._pack) for trial in pack}
        for trial in sorted(trials, key=lambda t: t.flops if self._order == "cheapest" else -t.flops):
            self._admit(trial)

    def _admit(self, trial: Trial) -> None:
        """Sort a trial by its files: ended, running in another process, or waiting."""
        status = look(self._sweep, trial)
        if status.state == "done":
            self._done.add(trial.id)
        elif status.state == "diverged":
            self._diverged[trial.id] = status.reason
            self._report(f"{trial.id} diverged before: {status.reason}")
        elif status.state == "damaged":
            self._failed[trial.id] = status.reason
            self._report(f"{trial.id} is skipped: {status.reason}")
        elif status.state == "running":
            self._elsewhere.append(trial)
            self._report(f"{trial.id} is running in another process; waiting for it")
        elif (why := why_held(self._sweep, trial)) is not None:
            self._held[trial.id] = why
            self._report(f"{trial.id} is not run: {why}")
        else:
            self._queue.append(trial)

    def _welcome(self) -> bool:
        """Admit the trials that another process no longer holds; whether there are any."""
        ended = [t for t in self._elsewhere if not is_locked(self._sweep.run_folder(t))]
        for trial in ended:
            self._elsewhere.remove(trial)
            self._admit(trial)
            self._report(f"{trial.id} has ended in the other process; {self._count()}")
        return bool(ended)

    def _fill(self) -> None:
        """Start waiting trials while there is room; a trial in another process takes room too."""
        for trial in list(self._queue):
            teacher = trial.teacher
            if teacher is not None and teacher.id in self._held:
                self._queue.remove(trial)
                self._held[trial.id] = f"its teacher {teacher.id} needs a forecast first"
            elif teacher is not None and teacher.id in {**self._diverged, **self._failed}:
                self._queue.remove(trial)
                self._failed[trial.id] = f"not run: its teacher {teacher.id} did not finish"
                self._report(f"{trial.id} {self._failed[trial.id]}")
            elif trial in self._queue and (teacher is None or self._has(teacher)) and self._room():
                pack = self._pack_of[trial.id]
                if not any(member in self._elsewhere for member in pack):  # they join once the other process ends
                    self._start(pack)

    def _start(self, pack: tuple[Trial, ...]) -> None:
        """Start the waiting trials of a pack; the others keep their lanes."""
        waiting = tuple(trial for trial in pack if trial in self._queue)
        self._queue = [trial for trial in self._queue if trial not in waiting]
        found = {trial.id: look(self._sweep, trial) for trial in waiting}
        job = self._launcher.start(pack)
        self._running.append(_Running(waiting, job, {name: status.step or 0 for name, status in found.items()}))
        where = job.where if len(pack) == 1 else f"{job.where}, pack of {len(pack)}"
        for name, status in found.items():
            failures = self._failures.get(name, 0)
            again = f", attempt {failures + 1} of {self._retries + 1}" if failures else ""
            self._report(f"{name} starts at step {status.progress} ({where}{again})")

    def _has(self, teacher: Trial) -> bool:
        """Whether a teacher is finished; one outside this share is read from its folder."""
        mine = any(teacher.id == trial.id for trial in self._trials)
        return teacher.id in self._done if mine else look(self._sweep, teacher).state == "done"

    def _room(self) -> bool:
        elsewhere = {self._pack_of[trial.id] for trial in self._elsewhere}
        return len(self._running) + len(elsewhere) < self._launcher.size

    def _code_of(self, child: _Running, trial: Trial, code: int) -> int:
        """The exit code of one trial; within a pack its files decide whether it is done or has diverged."""
        state = "" if len(self._pack_of[trial.id]) == 1 else look(self._sweep, trial).state
        return {"done": 0, "diverged": DIVERGED}.get(state, code)

    def _settle(self, child: _Running, trial: Trial, code: int, stopping: bool) -> None:
        """Decide on a trial whose process has ended: done, retry, or failed."""
        if code == 0:
            self._settle_done(child, trial)
        elif is_locked(self._sweep.run_folder(trial)):
            # Another process holds its folder, or its launcher died and left it running.
            self._admit(trial)
        elif code == DIVERGED:
            self._diverged[trial.id] = self._last_words(child, trial)
            self._report(f"{trial.id} diverged: {self._diverged[trial.id]}")
        elif code == BAD_INPUT:
            self._fail(child, trial, self._last_words(child, trial))
        elif code == AGAIN and (stopping or (look(self._sweep, trial).step or 0) > child.steps[trial.id]):
            self._again(trial, code)
        else:
            self._failures[trial.id] = self._failures.get(trial.id, 0) + 1
            if self._failures[trial.id] > self._retries and not stopping:
                self._fail(child, trial, f"{_stopped(code)}; {self._last_words(child, trial)}")
            else:
                self._again(trial, code)

    def _again(self, trial: Trial, code: int) -> None:
        self._queue.insert(0, trial)
        self._report(f"{trial.id} {_stopped(code)} at step {look(self._sweep, trial).progress}")

    def _settle_done(self, child: _Running, trial: Trial) -> None:
        try:
            result = result_of(self._sweep, trial)
        except InputError as error:
            self._fail(child, trial, str(error))
            return
        if result is None:
            self._fail(child, trial, "ended without a result.json")
            return
        self._done.add(trial.id)
        seconds = time.monotonic() - child.begun
        self._report(f"{trial.id} done in {seconds:.0f} s{_score(result)}; {self._count()}")

    def _fail(self, child: _Running, trial: Trial, reason: str) -> None:
        self._failed[trial.id] = reason
        tail = self._said(child)[-15:]
        write_fault(self._sweep, trial, "failed", reason, tail)
        lines = [f"    {line}" for line in tail]
        self._report("\n".join([f"{trial.id} failed: {reason}; the end of {child.job.log}:", *lines]))

    def _said(self, child: _Running) -> list[str]:
        """The output of this attempt, without empty lines."""
        if not child.job.log.exists():
            return []
        with open(child.job.log, "rb") as log:
            log.seek(child.job.log_start)
            text = log.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()]

    def _last_words(self, child: _Running, trial: Trial) -> str:
        """The last line about this trial of a pack, or else the last line."""
        lines = [line.removeprefix("semgjax: error: ") for line in self._said(child)]
        own = [line.removeprefix(f"{trial.id}: ") for line in lines if line.startswith(f"{trial.id}: ")]
        return [*lines, *own][-1] if lines else "no output"

    def _line(self) -> str:
        trials = [trial for child in self._running for trial in child.trials] + self._elsewhere
        steps = [f"{trial.id} {look(self._sweep, trial).progress}" for trial in trials]
        return "; ".join([self._count(), *steps])

    def _count(self) -> str:
        return f"{len(self._done)} of {len(self._trials)} trials done"


def _stopped(code: int) -> str:
    if code == AGAIN:
        return "stopped and saved"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _score(result: dict[str, Any]) -> str:
    rows = {row["split"]: row for row in result["scores"] if row["averaging"] == "macro"}
    row = rows.get("test") or rows.get("val")
    if row is None or rate_in(row) is None:
        return ""
    order = f", {SPLICED}" if result["spliced"] else ""
    stuck = f", {result_words(result)}" if result.get("left_blank_at", 0) is None else ""
    return f", {row['split']} {measure_in(row).words} {rate_in(row):.1f} %{order}{stuck}"
