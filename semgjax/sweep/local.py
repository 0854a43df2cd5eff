"""The local engine: trials as processes on this machine; writes trials/<id>.log and trials/<id>.fault.json.

It only decides which trial runs where and when. Whatever happens to it, the trials' folders tell the truth,
and the same call goes on from there.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semgjax.errors import InputError, Preempted
from semgjax.files import folder_lock, is_locked
from semgjax.sweep.plan import Sweep, Trial, read_sweep
from semgjax.sweep.trial import look, result_of, write_fault

ATTEMPTS = 3
_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_BETWEEN_LINES = 30.0
_TAIL = 15  # lines of a log
_DIVERGED, _AGAIN = 70, 75

Report = Callable[[str], object]
Command = Callable[[Path, str, int], list[str]]
"""(sweep folder, trial id, cores) -> the words of the process that runs the trial"""


@dataclass(frozen=True)
class Outcome:
    """How the trials of a sweep ended: ids, with the reason where it was bad."""

    done: tuple[str, ...]
    diverged: dict[str, str]
    failed: dict[str, str]

    @property
    def exit_code(self) -> int:
        """0 all done, 70 the others diverged, 1 something failed."""
        return 1 if self.failed else _DIVERGED if self.diverged else 0


def trial_command(folder: Path, trial: str, cores: int) -> list[str]:
    """The command of one trial."""
    program = [sys.executable, "-m", "semgjax"]
    return [*program, "sweep", "run", str(folder), "--trial", trial, "--cores", str(cores)]


def run_local(
    folder: Path,
    slots: int | None = None,
    cores: int = 1,
    report: Report = print,
    command: Command = trial_command,
) -> Outcome:
    """Run the trials of a sweep that are not done, `slots` at a time, each on `cores` processor cores.

    The most expensive starts first: the short ones then fill the gaps, and the slots end at nearly the same
    time instead of waiting together for a long trial that began last. `cores` decides the last bits of the
    results (see limit_threads), `slots` only how long it takes (None: as many as there are cores for). Every
    trial gets cores of its own where the system can pin a process.

    Args:
        report: gets one line per start and end, and one now and then.
        command: what starts a trial; exit code 0 is done, 70 diverged, 75 or death by a signal are run again.

    Raises:
        InputError: no sweep, another engine at work on it, or slots or cores out of range.
        Preempted: SIGINT, SIGTERM or SIGHUP came; it was passed on and the running trials have saved.
    """
    sweep = read_sweep(folder)
    places = _places(slots, cores, len(sweep.trials))
    with folder_lock(sweep.folder), _stop_requests() as asked:
        engine = _Engine(sweep, places, cores, report, command)
        try:
            engine.run(asked)
        finally:
            engine.kill()
    outcome = engine.outcome()
    left = len(sweep.trials) - len(outcome.done) - len(outcome.diverged) - len(outcome.failed)
    if left:
        count = len(sweep.trials)
        raise Preempted(f"{folder}: stopped with {left} of {count} trials left; the same command goes on")
    return outcome


@dataclass(frozen=True)
class _Child:
    trial: Trial
    attempt: int
    process: subprocess.Popen[bytes]
    log_start: int
    begun: float = field(default_factory=time.monotonic)


class _Engine:
    """What waits, what runs in which slot, and how the rest ended."""

    def __init__(self, sweep: Sweep, places: list[set[int]], cores: int, report: Report, command: Command) -> None:
        self._sweep, self._places, self._cores = sweep, places, cores
        self._report, self._command = report, command
        self._queue: list[tuple[Trial, int]] = []
        self._running: dict[int, _Child] = {}
        self._elsewhere: list[Trial] = []
        self._done: list[str] = []
        self._diverged: dict[str, str] = {}
        self._failed: dict[str, str] = {}

    def run(self, asked: Callable[[], bool]) -> None:
        """Until everything has ended, or, when asked to stop, until what runs has saved."""
        for trial in sorted(self._sweep.trials, key=lambda trial: -trial.flops):
            self._admit(trial)
        if self._done:
            self._report(f"{self._count()} already")
        stopping, last_line = False, time.monotonic()
        while self._running or ((self._queue or self._elsewhere) and not stopping):
            if asked() and not stopping:
                stopping = True
                self._report(f"asked to stop; waiting for {len(self._running)} trials to save")
                for child in self._running.values():
                    child.process.terminate()
            for slot, child in list(self._running.items()):
                if child.process.poll() is not None:
                    del self._running[slot]
                    self._settle(child, stopping)
            if not stopping:
                self._welcome()
                self._fill()
            if time.monotonic() - last_line > _SECONDS_BETWEEN_LINES:
                last_line = time.monotonic()
                self._report(self._line())
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def kill(self) -> None:
        """End what still runs; nothing does, unless the engine itself met a fault."""
        for child in self._running.values():
            child.process.kill()
            child.process.wait()

    def outcome(self) -> Outcome:
        """How it ended."""
        done = tuple(trial.id for trial in self._sweep.trials if trial.id in self._done)
        return Outcome(done, dict(self._diverged), dict(self._failed))

    def _admit(self, trial: Trial) -> None:
        """Put a trial where its files say: to those that ended, those in other processes, or in the queue."""
        status = look(self._sweep, trial)
        if status.state == "done":
            self._done.append(trial.id)
        elif status.state == "diverged":
            self._diverged[trial.id] = status.reason
            self._report(f"{trial.id} diverged before: {status.reason}")
        elif status.state == "damaged":
            self._failed[trial.id] = status.reason
            self._report(f"{trial.id} is left alone: {status.reason}")
        elif status.state == "running":
            self._elsewhere.append(trial)
            self._report(f"{trial.id} runs in another process; waiting for that")
        else:
            self._queue.append((trial, 1))

    def _welcome(self) -> None:
        """Trials that another process has let go of."""
        for trial in [t for t in self._elsewhere if not is_locked(self._sweep.run_folder(t))]:
            self._elsewhere.remove(trial)
            self._admit(trial)
            self._report(f"{trial.id} has left the other process; {self._count()}")

    def _fill(self) -> None:
        """Start what waits while there are slots; a trial in another process fills one, too."""
        while self._queue and len(self._running) + len(self._elsewhere) < len(self._places):
            slot = next(i for i in range(len(self._places)) if i not in self._running)
            trial, attempt = self._queue.pop(0)
            self._running[slot] = self._start(trial, attempt, self._places[slot])
            where = f"slot {slot}" + (f", attempt {attempt} of {ATTEMPTS}" if attempt > 1 else "")
            self._report(f"{trial.id} starts at step {look(self._sweep, trial).progress} ({where})")

    def _start(self, trial: Trial, attempt: int, place: set[int]) -> _Child:
        words = self._command(self._sweep.folder, trial.id, self._cores)
        path = self._sweep.log(trial)
        path.parent.mkdir(exist_ok=True)
        with open(path, "ab") as log, _pinned(place):
            log_start = log.tell()
            # A session of its own: Ctrl-C on the terminal reaches the engine alone, which lets trials save.
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            return _Child(trial, attempt, process, log_start)

    def _settle(self, child: _Child, stopping: bool) -> None:
        """A trial's process has ended: done, again, or a bad end."""
        trial, code = child.trial, child.process.returncode
        if code == 0:
            self._settle_done(child)
        elif code == 2 and is_locked(self._sweep.run_folder(trial)):
            self._admit(trial)
        elif code == _DIVERGED:
            self._diverged[trial.id] = self._last_words(child)
            self._report(f"{trial.id} diverged: {self._diverged[trial.id]}")
        elif (code == _AGAIN or code < 0) and (stopping or child.attempt < ATTEMPTS):
            self._queue.insert(0, (trial, child.attempt + 1))
            self._report(f"{trial.id} {_stopped(code)} at step {look(self._sweep, trial).progress}")
        else:
            self._fail(child, f"{_stopped(code)}; {self._last_words(child)}")

    def _settle_done(self, child: _Child) -> None:
        try:
            result = result_of(self._sweep, child.trial)
        except InputError as error:
            self._fail(child, str(error))
            return
        if result is None:
            self._fail(child, "ended without a result.json")
            return
        self._done.append(child.trial.id)
        seconds = time.monotonic() - child.begun
        self._report(f"{child.trial.id} done in {seconds:.0f} s{_score(result)}; {self._count()}")

    def _fail(self, child: _Child, reason: str) -> None:
        self._failed[child.trial.id] = reason
        write_fault(self._sweep, child.trial, "failed", reason)
        log = self._sweep.log(child.trial)
        tail = [f"    {line}" for line in self._said(child)[-_TAIL:]]
        self._report("\n".join([f"{child.trial.id} failed: {reason}; the end of {log}:", *tail]))

    def _said(self, child: _Child) -> list[str]:
        """What a child printed, without empty lines."""
        with open(self._sweep.log(child.trial), "rb") as log:
            log.seek(child.log_start)
            text = log.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()]

    def _last_words(self, child: _Child) -> str:
        lines = self._said(child)
        return lines[-1].removeprefix("semgjax: error: ") if lines else "it printed nothing"

    def _line(self) -> str:
        trials = [child.trial for _, child in sorted(self._running.items())] + self._elsewhere
        steps = [f"{trial.id} {look(self._sweep, trial).progress}" for trial in trials]
        return "; ".join([self._count(), *steps])

    def _count(self) -> str:
        return f"{len(self._done)} of {len(self._sweep.trials)} trials done"


def _places(slots: int | None, cores: int, trials: int) -> list[set[int]]:
    """The cores of each slot; more slots than there are cores for share them."""
    pins = hasattr(os, "sched_getaffinity")
    usable = sorted(os.sched_getaffinity(0)) if pins else list(range(os.cpu_count() or 1))
    if not 1 <= cores <= len(usable):
        raise InputError(f"--cores {cores}: a trial can have 1 to {len(usable)} cores here")
    if slots is not None and slots < 1:
        raise InputError(f"--slots {slots}: give 1 or more")
    count = min(slots or len(usable) // cores, trials)
    return [{usable[(slot * cores + i) % len(usable)] for i in range(cores)} for slot in range(count)]


@contextlib.contextmanager
def _pinned(cores: set[int]) -> Iterator[None]:
    """Within the block this thread, and so every process it starts, runs on these cores only."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Within the block SIGINT, SIGTERM and SIGHUP only set a flag; the yielded function tells it.

    A signal that is ignored (nohup) stays so. Outside the main thread no handler can be set.
    """
    asked = threading.Event()
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in wanted}
        before = {n: handler for n, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopped(code: int) -> str:
    if code == _AGAIN:
        return "stopped and saved"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _score(result: dict[str, Any]) -> str:
    rows = {row["split"]: row for row in result["scores"] if row["averaging"] == "macro"}
    row = rows.get("test") or rows.get("val")
    return "" if row is None or row["cer"] is None else f", {row['split']} CER {row['cer']:.1f} %"
