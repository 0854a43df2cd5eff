"""How a sweep is run: the options, which of them go with which engine, and the call of the engine."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semgjax.errors import InputError, SemgjaxError
from semgjax.sweep import local, pack, slurm
from semgjax.sweep.plan import Sweep, Trial, find_trial, read_sweep
from semgjax.sweep.runner import RETRIES, Order, Outcome, Report, no_tick
from semgjax.sweep.trial import check_sessions, limit_threads, no_check, run_trial

Engine = Literal["local", "slurm", "ray"]
Start = Literal["auto", "one", "tpu"]
Ending = dict[str, Any] | SemgjaxError
"""the result of a trial, or why it has none"""

# Options that go only with some engines, and those that go with single trials in this process.
_OF_ENGINE: dict[str, tuple[Engine, ...]] = {
    "gpus": ("local",),
    "chips": ("local",),
    "order": ("local", "ray"),
    "pack": ("local",),
    "share": ("local",),
    "data": ("local",),
    "start": (),
    "address": ("ray",),
    "resources": ("ray",),
    "sbatch": ("slurm",),
    "print_only": ("slurm",),
}
_OF_TRIAL = ("trial", "cores", "data", "start")


@dataclass(frozen=True)
class RunOptions:
    """Options of `run_sweep`, `run_chosen` and `slurm_scripts`; the help of `semgjax sweep run` describes each.

    Attributes:
        trial: ids or numbers of trials, comma-separated, to run in this process; the engine is not used then.
        share: (I, N): the trials of worker I of N.
        resources: of a Ray task besides cores, by name.
        print_only: the job scripts of Slurm are only printed.
        others: as of `semgjax.sweep.local.run_local`, `semgjax.sweep.ray_tasks.run_ray` and `semgjax.sweep.slurm`.

    Raises:
        InputError: an option that the engine, or a single trial, does not have ("conflict"); or a number out of range.
    """

    trial: str | None = None
    engine: Engine = "local"
    slots: int | None = None
    cores: int = 1
    gpus: str | None = None
    chips: str | None = None
    order: Order = "cheapest"
    retries: int = RETRIES
    pack: int = 1
    share: tuple[int, int] | None = None
    data: Path | None = None
    start: Start = "auto"
    address: str | None = None
    resources: dict[str, float] | None = None
    sbatch: str = ""
    print_only: bool = False

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if value == f.default:
                continue
            if self.trial is not None and f.name not in _OF_TRIAL:
                raise InputError(
                    f"{f.name} {value}: cannot be combined with trial {self.trial}, which runs in this process; "
                    "remove one of them",
                    "conflict",
                )
            engines = _OF_ENGINE.get(f.name)
            if self.trial is None and engines is not None and self.engine not in engines:
                owner = f"engine {' or '.join(engines)}, not {self.engine}" if engines else "trial, which is not given"
                raise InputError(f"{f.name} {value}: belongs to {owner}; remove it", "conflict")
        for name, least in (("cores", 1), ("slots", 1), ("pack", 1), ("retries", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"{name} {value}: give {least} or more", "bad-value")
        if self.slots is not None and (self.gpus is not None or self.chips is not None):
            raise InputError(f"slots {self.slots}: the listed devices are the slots; remove one option", "conflict")


def run_sweep(
    folder: Path, options: RunOptions, report: Report = print, tick: Callable[[], object] = no_tick
) -> Outcome:
    """Run the unfinished trials by the local or the Ray engine; the same call after a stop resumes.

    Args:
        report: called with one line per start and end, and with progress now and then.
        tick: called a few times a second.

    Raises:
        InputError: no sweep, options that cannot be used on this machine, or an engine that is not installed.
        Preempted: SIGINT, SIGTERM or SIGHUP arrived; the running trials have saved.
    """
    if options.engine == "ray":
        try:
            from semgjax.sweep.ray_tasks import run_ray
        except ModuleNotFoundError:
            raise InputError(
                "engine ray needs Ray; install it with: pip install 'semgjax[ray]'", "missing-extra"
            ) from None
        return run_ray(
            folder, options.address, options.slots, options.cores, options.resources, report, order=options.order,
            retries=options.retries, tick=tick, ready=check_sessions if options.address is None else no_check,
        )  # fmt: skip
    on_devices = options.gpus is not None or options.chips is not None
    return local.run_local(
        folder,
        local.device_slots(options.gpus, options.chips) if on_devices else options.slots,
        options.cores,
        report,
        functools.partial(local.trial_command, data=options.data),
        options.order,
        options.retries,
        options.share,
        tick,
        options.pack,
        functools.partial(check_sessions, data=options.data),
    )


def run_chosen(folder: Path, options: RunOptions) -> tuple[Sweep, list[tuple[Trial, Ending]]]:
    """Run the trials that `options.trial` names in this process, several as a pack; how each ended.

    Raises:
        InputError: no sweep or no such trial, one that is named twice, or other sessions than the plan's.
        Diverged, Preempted: see `semgjax.sweep.trial.run_trial`; of a pack, these are among the endings.
    """
    from semgjax.parallel.cores import use_cores
    from semgjax.parallel.runtime import start_processes

    sweep = read_sweep(folder)
    if options.data is not None:
        sweep = dataclasses.replace(sweep, data=options.data.resolve())
    chosen = [find_trial(sweep, each.strip()) for each in (options.trial or "").split(",")]
    if len(set(chosen)) < len(chosen):
        raise InputError(f"trial {options.trial}: names a trial twice; name each trial once", "conflict")
    limit_threads(options.cores)
    first = chosen[0].config.train
    use_cores(first.batch // first.accumulate if len(chosen) == 1 else len(chosen))
    start_processes(options.start)
    endings: Sequence[Ending] = [run_trial(sweep, chosen[0])] if len(chosen) == 1 else pack.run_pack(sweep, chosen)
    return sweep, list(zip(chosen, endings, strict=True))


def slurm_scripts(folder: Path, options: RunOptions) -> list[str]:
    """The job scripts that `slurm_jobs` would submit.

    Raises:
        InputError: no sweep, or options that cannot be used.
    """
    return [array.script for array in slurm.arrays_of(read_sweep(folder), _slurm(options))]


def slurm_jobs(folder: Path, options: RunOptions, report: Report = print) -> list[str]:
    """Submit the unfinished trials to Slurm; the numbers of the jobs.

    Raises:
        InputError: see `semgjax.sweep.slurm.submit`.
    """
    return slurm.submit(folder, _slurm(options), report)


def _slurm(options: RunOptions) -> slurm.Options:
    return slurm.Options(options.slots, options.cores, options.retries, options.sbatch)
