"""Packs: trials of one compiled shape that one process trains together."""

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semgjax.errors import Diverged, InputError, Preempted, SemgjaxError
from semgjax.sweep.forecast_rule import why_held
from semgjax.sweep.plan import Sweep, Trial
from semgjax.sweep.trial import diverged_before, load_sessions, note_start, result_of, write_fault
from semgjax.training.run_config import RunConfig, program_of

if TYPE_CHECKING:
    from semgjax.data.corpus import Corpus


def packs_of(trials: Sequence[Trial], size: int) -> list[tuple[Trial, ...]]:
    """Every trial in a pack of at most `size`: those that differ only in seed, learning rate, weight decay or data.

    Packs depend on the plan, not on the trials' progress: a restarted pack computes the same numbers.
    Students learn from a teacher of their own, and are not packed. Where rates are searched, a pack is of one round.

    Raises:
        InputError: size out of range.
    """
    if size < 1:
        raise InputError(f"pack {size}: give 1 or more", "bad-value")
    groups: dict[tuple[RunConfig, int | None, int], list[Trial]] = {}
    for trial in trials:
        alone = trial.teacher is not None or size == 1
        program = trial.config if alone else program_of(trial.config)
        groups.setdefault((program, trial.rung, trial.round), []).append(trial)
    return [tuple(group[i : i + size]) for group in groups.values() for i in range(0, len(group), size)]


def run_pack(sweep: Sweep, trials: Sequence[Trial]) -> list[dict[str, Any] | SemgjaxError]:
    """Train a pack's trials to their ends, from wherever each stands; the result of each, or why there is none.

    A trial that is done, or that diverged before, keeps its place and is not trained again.

    Raises:
        InputError: the trials are no pack, or the sessions are not those of the plan.
    """
    from semgjax.training.packing import Job, train_pack

    before = [_end_before(sweep, trial) for trial in trials]
    if all(end is not None for end in before):
        return [end for end in before if end is not None]
    corpora = {trial.config.data: load_sessions(sweep, trial) for trial in {t.config.data: t for t in trials}.values()}
    before = [
        _held(sweep, t, corpora[t.config.data]) if end is None else end for t, end in zip(trials, before, strict=True)
    ]
    waiting = [trial for trial, end in zip(trials, before, strict=True) if end is None]
    for trial in waiting:
        note_start(sweep, trial)
        sweep.fault(trial).unlink(missing_ok=True)
    jobs = [
        Job(trial.config, corpora[trial.config.data], sweep.run_folder(trial), end)
        for trial, end in zip(trials, before, strict=True)
    ]
    try:
        ends = train_pack(jobs)
    except SemgjaxError:
        raise
    except Exception as error:
        tail = traceback.format_exc().splitlines()
        for trial in waiting:
            if result_of(sweep, trial) is None:
                write_fault(sweep, trial, "failed", f"{type(error).__name__}: {error}".splitlines()[0], tail)
        raise
    for trial, end in zip(trials, ends, strict=True):
        if trial in waiting and isinstance(end, Diverged):
            write_fault(sweep, trial, "diverged", str(end))
    return ends


def exit_code(ends: Sequence[dict[str, Any] | SemgjaxError]) -> int:
    """That of a pack: run it again; else bad input; else diverged; else done."""
    codes = {end.exit_code for end in ends if isinstance(end, SemgjaxError)}
    ranked = (Preempted.exit_code, InputError.exit_code, Diverged.exit_code)
    return next((code for code in ranked if code in codes), 0)


def _held(sweep: Sweep, trial: Trial, corpus: "Corpus | None" = None) -> SemgjaxError | None:
    """Why a trial may not run yet."""
    why = why_held(sweep, trial, corpus)
    return None if why is None else InputError(f"{trial.id}: {why}", "no-forecast")


def _end_before(sweep: Sweep, trial: Trial) -> dict[str, Any] | SemgjaxError | None:
    """How a trial ended before this start; a damaged one counts as ended."""
    try:
        return result_of(sweep, trial) or diverged_before(sweep, trial) or _held(sweep, trial)
    except InputError as error:
        return error
