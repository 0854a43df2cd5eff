"""A trial: one idempotent, resumable run; writes trials/<id>/, <id>.starts.jsonl and, on failure, <id>.fault.json."""

import dataclasses
import json
import os
import shlex
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semgjax.errors import Diverged, InputError, Preempted, SemgjaxError
from semgjax.files import is_locked, read_json, write_json
from semgjax.sweep.forecast_rule import check_forecast
from semgjax.sweep.plan import Sweep, Trial
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import METRICS, RESULT, read_result

if TYPE_CHECKING:
    from semgjax.data.corpus import Corpus

State = Literal["done", "running", "waiting", "failed", "diverged", "damaged"]
PLACE = "SEMGJAX_PLACE"
"""environment variable: where an engine runs a trial, for display ("slot 0", "Slurm job 12_3")"""
_FAULT, _FAULT_VERSION = "semgjax/fault", 1
_TAIL = 15  # lines of a log or a traceback


@dataclass(frozen=True)
class Status:
    """The state of a trial."""

    trial: Trial
    state: State
    step: int | None
    """last step in its metrics; None if they cannot be read"""
    reason: str = ""
    """why it failed, diverged, is damaged, or waits"""

    @property
    def progress(self) -> str:
        """Steps done of all steps, as text."""
        return f"{'?' if self.step is None else self.step}/{self.trial.config.train.steps}"


def run_trial(sweep: Sweep, trial: Trial) -> dict[str, Any]:
    """Train a trial to its end, resuming it if it was begun; returns its result.

    A finished trial is not trained again, nor is one that diverged, which would diverge again.

    Raises:
        InputError: the sessions are not those of the plan, the folder is damaged or in use, or the teacher diverged
            or is damaged, or the trial needs a forecast first.
        Diverged: now or before; the reason is kept in trials/<id>.fault.json.
        Preempted: SIGTERM arrived and the state is saved; or the teacher is not finished yet.
    """
    result = result_of(sweep, trial)
    if result is not None:
        return result
    diverged = diverged_before(sweep, trial)
    if diverged is not None:
        raise diverged
    _check_teacher(sweep, trial)
    check_forecast(sweep, trial)
    from semgjax.distilling.cache import cached
    from semgjax.distilling.teachers import lineage_of, load_teacher
    from semgjax.parallel.runtime import is_first
    from semgjax.training.loop import train

    corpus = load_sessions(sweep, trial)
    check_forecast(sweep, trial, corpus)
    teacher = None if trial.teacher is None else load_teacher(sweep.run_folder(trial.teacher))
    if is_first():
        note_start(sweep, trial)
        sweep.fault(trial).unlink(missing_ok=True)
    try:
        if teacher is None:
            return train(trial.config, corpus, sweep.run_folder(trial))
        teachers, lineage = ((teacher.config.model, teacher.params),), lineage_of([teacher], corpus)
        targets = cached(sweep.data, trial.config, teachers, corpus)
        known = () if targets else teachers
        return train(trial.config, corpus, sweep.run_folder(trial), known, lineage=lineage, cached=targets)
    except Diverged as error:
        if is_first():
            write_fault(sweep, trial, "diverged", str(error))
        raise
    except SemgjaxError:
        raise
    except Exception as error:
        # Not every engine sees the end of a trial's log, so the reason is kept in its folder.
        tail = traceback.format_exc().splitlines() if is_first() else []
        write_fault(sweep, trial, "failed", f"{type(error).__name__}: {error}".splitlines()[0], tail)
        raise


def load_sessions(sweep: Sweep, trial: Trial) -> "Corpus":
    """The sessions of a trial.

    Raises:
        InputError: the sessions are damaged, or not those of the plan.
    """
    # Imported here: reading the state of a trial needs no sessions.
    from semgjax.data.corpus import load_corpus

    corpus = load_corpus(sweep.data, sweep.split_file(trial))
    if corpus.hash != trial.config.data:
        raise InputError(
            f"{sweep.data}: the sessions differ from those of the plan; restore them, or plan again into another "
            "folder",
            "changed",
        )
    return corpus


def check_sessions(sweep: Sweep, trials: Sequence[Trial], data: Path | None = None) -> None:
    """Check the sessions of the unfinished trials once, before each trial would fail separately.

    Args:
        data: folder of the sessions if it differs from the plan's.

    Raises:
        InputError: as `load_sessions`, for the first that fails.
    """
    place = sweep if data is None else dataclasses.replace(sweep, data=data.resolve())
    ended = ("done", "diverged", "damaged", "running")
    of_data = {trial.config.data: trial for trial in reversed(trials) if look(sweep, trial).state not in ended}
    for trial in of_data.values():
        load_sessions(place, trial)


def no_check(sweep: Sweep, trials: Sequence[Trial]) -> None:
    """No check: the trials need no sessions, or this process cannot see them."""


def diverged_before(sweep: Sweep, trial: Trial) -> Diverged | None:
    """The error of a trial that diverged in an earlier run; None if it did not.

    Raises:
        InputError: its fault file is damaged.
    """
    fault = read_fault(sweep, trial)
    if fault is None or fault[0] != "diverged":
        return None
    return Diverged(f"{fault[1]} (recorded in {sweep.fault(trial)}; remove that file to retry)")


def _check_teacher(sweep: Sweep, trial: Trial) -> None:
    if trial.teacher is None:
        return
    teacher = look(sweep, trial.teacher)
    if teacher.state in ("diverged", "damaged"):
        what = f"{_is(teacher.state)}: {teacher.reason}"
        raise InputError(f"{trial.id}: its teacher {teacher.trial.id} {what}", "conflict")
    if teacher.state != "done":
        raise Preempted(
            f"{trial.id}: its teacher {teacher.trial.id} is not finished ({teacher.state}, step {teacher.progress}); "
            f"run that first: semgjax sweep run {shlex.quote(str(sweep.folder))} --trial {teacher.trial.id}"
        )


def _is(state: State) -> str:
    return state if state == "diverged" else f"is {state}"


def limit_threads(cores: int) -> None:
    """Let XLA compute with `cores` threads on a CPU; it has an effect only before the first computation.

    The order of XLA's sums, and so the last bits of a result, depend on the number of threads. A sweep fixes it, so
    that the table depends neither on the machine nor on the number of slots.
    """
    os.environ["NPROC"] = str(cores)


def result_of(sweep: Sweep, trial: Trial) -> dict[str, Any] | None:
    """The result of a finished trial; None if it is unfinished.

    Raises:
        InputError: the file is damaged or belongs to another run.
    """
    folder = sweep.run_folder(trial)
    try:
        result = read_result(folder)
    except InputError as error:
        # The parameters are safe: a run without a result evaluates its last checkpoint again.
        remedy = "move it away and run the trial again, which only repeats its evaluation"
        raise InputError(f"{error} ({remedy})", error.code) from None
    if result is not None and result.get("config") != trial.config.hash:
        raise InputError(f"{folder / RESULT}: belongs to another run; move it away and run the trial again", "conflict")
    return result


def look(sweep: Sweep, trial: Trial) -> Status:
    """The state of a trial, read from its files."""
    done = _steps_done(sweep, trial)
    try:
        result = result_of(sweep, trial)
    except InputError as error:
        return Status(trial, "damaged", done, str(error))
    if result is not None:
        return Status(trial, "done", trial.config.train.steps)
    if is_locked(sweep.run_folder(trial)):
        return Status(trial, "running", done)
    fault = read_fault(sweep, trial)
    return Status(trial, "waiting", done) if fault is None else Status(trial, fault[0], done, fault[1])


def _steps_done(sweep: Sweep, trial: Trial) -> int | None:
    path = sweep.run_folder(trial) / METRICS
    if not path.exists():
        return 0
    try:
        return max((line["step"] for line in read_metrics(path)), default=0)
    except InputError:
        return None


def write_fault(
    sweep: Sweep, trial: Trial, kind: Literal["failed", "diverged"], reason: str, tail: Sequence[str] = ()
) -> None:
    """Record why a trial failed or diverged, and the last lines of its output."""
    body = {"kind": kind, "reason": reason, "tail": list(tail)[-_TAIL:]}
    write_json(sweep.fault(trial), _FAULT, _FAULT_VERSION, body)


def read_fault(sweep: Sweep, trial: Trial) -> tuple[Literal["failed", "diverged"], str] | None:
    """Kind and reason of a recorded failure; None without one.

    Raises:
        InputError: the file is damaged.
    """
    path = sweep.fault(trial)
    if not path.exists():
        return None
    document = read_json(path, _FAULT, _FAULT_VERSION)
    kind, reason = document.get("kind"), document.get("reason")
    if kind not in ("failed", "diverged") or not isinstance(reason, str):
        raise InputError(f"{path}: kind {kind!r} is unknown; remove the file to retry the trial", "bad-field")
    return kind, reason


def note_start(sweep: Sweep, trial: Trial) -> None:
    """Record when and where a trial was started."""
    host, place = os.uname().nodename, os.environ.get(PLACE, "")
    line = {"time": time.time(), "host": host, "process": os.getpid(), "place": place}
    with open(sweep.starts(trial), "a") as file:
        file.write(json.dumps(line) + "\n")
