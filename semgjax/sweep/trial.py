"""A trial is one idempotent, resumable run; writes trials/<id>/ and, if it diverged, <id>.fault.json."""

import os
from dataclasses import dataclass
from typing import Any, Literal

from semgjax.errors import Diverged, InputError
from semgjax.files import is_locked, read_json, write_json
from semgjax.sweep.plan import Sweep, Trial
from semgjax.train.metrics import read_metrics
from semgjax.train.run import METRICS, RESULT, read_result

State = Literal["done", "running", "waiting", "failed", "diverged", "damaged"]
_FAULT, _FAULT_VERSION = "semgjax/fault", 1


@dataclass(frozen=True)
class Status:
    """Where a trial stands."""

    trial: Trial
    state: State
    step: int | None
    """last step in its metrics; None when they cannot be read"""
    reason: str = ""
    """why it failed, diverged or is damaged"""

    @property
    def progress(self) -> str:
        """Steps done of all steps, as text."""
        return f"{'?' if self.step is None else self.step}/{self.trial.config.train.steps}"


def run_trial(sweep: Sweep, trial: Trial) -> dict[str, Any]:
    """Train a trial to its end, from wherever it stands; returns its result.

    A finished trial is not trained again, nor is one that diverged: it would do the same again.

    Raises:
        InputError: the sessions are not those of the plan, or the folder is damaged or in use.
        Diverged: now or before; the reason is kept in trials/<id>.fault.json.
        Preempted: SIGTERM came; the state is saved.
    """
    result = result_of(sweep, trial)
    if result is not None:
        return result
    fault = read_fault(sweep, trial)
    if fault is not None and fault[0] == "diverged":
        raise Diverged(f"{fault[1]} (kept in {sweep.fault(trial)}; remove that file to try again)")
    from semgjax.data.corpus import load_corpus
    from semgjax.train.loop import train

    corpus = load_corpus(sweep.data, sweep.split)
    if corpus.hash != trial.config.data:
        raise InputError(
            f"{sweep.data}: the sessions or their split are not those of the plan any more; restore them, "
            "or plan again into another folder"
        )
    sweep.fault(trial).unlink(missing_ok=True)
    try:
        return train(trial.config, corpus, sweep.run_folder(trial))
    except Diverged as error:
        write_fault(sweep, trial, "diverged", str(error))
        raise


def limit_threads(cores: int) -> None:
    """Let XLA compute with `cores` threads on a CPU; before anything is computed, or it has no effect.

    The order of XLA's sums, and with it the last bits of a result, depends on the number of its threads: a
    sweep fixes it, so that neither the machine nor the number of slots shows in the table.
    """
    os.environ["NPROC"] = str(cores)


def result_of(sweep: Sweep, trial: Trial) -> dict[str, Any] | None:
    """The result of a finished trial, None of an unfinished one.

    Raises:
        InputError: the file is damaged or of another run.
    """
    folder = sweep.run_folder(trial)
    try:
        result = read_result(folder)
    except InputError as error:
        # The parameters are safe: a run without its result scores its last checkpoint once more.
        raise InputError(f"{error} (remove it and run the trial again: it only makes its scores anew)") from None
    if result is not None and result.get("config") != trial.config.hash:
        raise InputError(f"{folder / RESULT}: is of another run; move it away and run the trial again")
    return result


def look(sweep: Sweep, trial: Trial) -> Status:
    """Where a trial stands, from its files alone."""
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


def write_fault(sweep: Sweep, trial: Trial, kind: Literal["failed", "diverged"], reason: str) -> None:
    """Keep why a trial ended badly."""
    write_json(sweep.fault(trial), _FAULT, _FAULT_VERSION, {"kind": kind, "reason": reason})


def read_fault(sweep: Sweep, trial: Trial) -> tuple[Literal["failed", "diverged"], str] | None:
    """Kind and reason of a bad end, None without one.

    Raises:
        InputError: the file is damaged.
    """
    path = sweep.fault(trial)
    if not path.exists():
        return None
    document = read_json(path, _FAULT, _FAULT_VERSION)
    kind, reason = document.get("kind"), document.get("reason")
    if kind not in ("failed", "diverged") or not isinstance(reason, str):
        raise InputError(f"{path}: kind {kind!r} is none; remove the file to try the trial again")
    return kind, reason
