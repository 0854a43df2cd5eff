"""The local engine: trials, or packs of them, as processes on slots of this machine; writes trials/<id>.log."""

import contextlib
import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from semgjax.errors import InputError
from semgjax.files import folder_lock
from semgjax.sweep.grow import grow
from semgjax.sweep.plan import Sweep, Trial, read_sweep, share_of
from semgjax.sweep.runner import RETRIES, Order, Outcome, Report, no_tick, supervise
from semgjax.sweep.trial import PLACE, no_check

Command = Callable[[Path, str, int], list[str]]
"""(sweep folder, trial id or comma-separated ids, cores) -> the command line that runs the trials"""

Ready = Callable[[Sweep, Sequence[Trial]], object]


def trial_command(folder: Path, trial: str, cores: int, data: Path | None = None) -> list[str]:
    """The command line of one trial or a pack; `data` is the folder of sessions if it differs from the plan's."""
    program = [sys.executable, "-m", "semgjax"]
    place = [] if data is None else ["--data", str(data)]
    return [*program, "sweep", "run", str(folder), "--trial", trial, "--cores", str(cores), *place]


@dataclass(frozen=True)
class Slot:
    """A place that runs one trial or one pack at a time."""

    name: str
    cores: frozenset[int]
    environment: dict[str, str]


def core_slots(slots: int | None, cores: int) -> list[Slot]:
    """One slot per `cores` processor cores, or `slots` slots, which share cores if there are too few.

    Raises:
        InputError: cores or slots out of range.
    """
    usable = _usable_cores()
    if not 1 <= cores <= len(usable):
        raise InputError(f"cores {cores}: a trial can have 1 to {len(usable)} cores on this machine", "bad-value")
    if slots is not None and slots < 1:
        raise InputError(f"slots {slots}: give 1 or more", "bad-value")
    count = slots or len(usable) // cores
    places = [frozenset(usable[(slot * cores + i) % len(usable)] for i in range(cores)) for slot in range(count)]
    return [Slot(f"slot {number}", place, {}) for number, place in enumerate(places)]


def device_slots(gpus: str | None, chips: str | None) -> list[Slot]:
    """One slot per listed accelerator, such as "0,1,3"; the machine's cores are divided among them.

    Raises:
        InputError: both kinds are given, or a list cannot be parsed.
    """
    if gpus is not None and chips is not None:
        raise InputError(f"gpus {gpus} and chips {chips}: give one of them", "conflict")
    option, words = ("gpus", gpus) if gpus is not None else ("chips", str(chips))
    names = [name.strip() for name in str(words).split(",")]
    if not all(re.fullmatch("[0-9]{1,6}", name) for name in names) or len(set(map(int, names))) < len(names):
        raise InputError(f"{option} {words}: name devices by their numbers, each once, such as 0,1", "bad-option")
    usable = _usable_cores()
    each = max(1, len(usable) // len(names))
    slots = []
    for number, name in enumerate(names):
        cores = frozenset(usable[(number * each + i) % len(usable)] for i in range(each))
        if gpus is not None:
            slots.append(Slot(f"GPU {name}", cores, {"CUDA_VISIBLE_DEVICES": name}))
        else:
            # Each chip is a slice of one process.
            bounds = {"TPU_CHIPS_PER_PROCESS_BOUNDS": "1,1,1", "TPU_PROCESS_BOUNDS": "1,1,1"}
            slots.append(Slot(f"chip {name}", cores, {"TPU_VISIBLE_CHIPS": name, **bounds}))
    return slots


def run_local(
    folder: Path,
    slots: int | Sequence[Slot] | None = None,
    cores: int = 1,
    report: Report = print,
    command: Command = trial_command,
    order: Order = "cheapest",
    retries: int = RETRIES,
    share: tuple[int, int] | None = None,
    tick: Callable[[], object] = no_tick,
    pack: int = 1,
    ready: Ready = no_check,
) -> Outcome:
    """Run the trials of a sweep that are not done, one in each slot.

    `cores` affects the last bits of the results (see limit_threads); `slots` affects only the time. Each trial is
    pinned to its own cores if the system supports it.

    Args:
        slots: number of trials at a time, each on `cores` cores (None: as the cores allow), or a list of slots.
        report: called with one line per start and end, and with progress now and then.
        command: gives the command line of a trial; its exit codes are those of `supervise`.
        share: (part, parts) for one of several workers, see share_of.
        tick: called a few times a second.
        pack: largest number of trials that train together in a slot (semgjax.sweep.pack).
        ready: called before any trial starts; raises if the trials cannot run.

    Raises:
        InputError: no sweep, another engine is running it, or slots, cores or pack out of range.
        Preempted: SIGINT, SIGTERM or SIGHUP arrived; the running trials received it and have saved.
    """
    sweep = read_sweep(folder)
    trials = sweep.trials if share is None else share_of(sweep, *share)
    places = core_slots(slots, cores) if slots is None or isinstance(slots, int) else list(slots)
    guarded = sweep.folder if share is None else sweep.folder / "shares" / f"{share[0]}-of-{share[1]}"
    with folder_lock(guarded):
        if not sweep.rungs:
            places = places[: max(1, len(trials))]
        launcher = _Processes(sweep, places, cores, command)
        ready(sweep, trials)
        rungs = sweep.rungs if share is None else sweep.rungs[share[0] :: share[1]]
        more = functools.partial(grow, sweep, rungs)
        return supervise(sweep, trials, launcher, order, retries, report, tick, pack, more)


@dataclass(frozen=True)
class _Child:
    """The process of a trial (a Job)."""

    where: str
    log: Path
    log_start: int
    process: subprocess.Popen[bytes]
    slot: Slot

    def poll(self) -> int | None:
        return self.process.poll()

    def stop(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class _Processes:
    """Starts trials in free slots (a Launcher)."""

    def __init__(self, sweep: Sweep, slots: Sequence[Slot], cores: int, command: Command) -> None:
        self._sweep, self._slots, self._cores, self._command = sweep, slots, cores, command
        self._children: list[_Child] = []
        self.size = len(slots)

    def start(self, pack: Sequence[Trial]) -> _Child:
        self._children = [child for child in self._children if child.poll() is None]
        taken = [child.slot for child in self._children]
        slot = next(slot for slot in self._slots if slot not in taken)
        words = self._command(self._sweep.folder, ",".join(trial.id for trial in pack), self._cores)
        path = self._sweep.log(pack[0])
        path.parent.mkdir(exist_ok=True)
        with open(path, "ab") as log, _pinned(slot.cores):
            log_start = log.tell()
            # In a new session: Ctrl-C in the terminal reaches only the engine, which lets the trials save.
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **slot.environment, PLACE: slot.name},
            )
        child = _Child(slot.name, path, log_start, process, slot)
        self._children.append(child)
        return child


def _usable_cores() -> list[int]:
    pins = hasattr(os, "sched_getaffinity")
    return sorted(os.sched_getaffinity(0)) if pins else list(range(os.cpu_count() or 1))


@contextlib.contextmanager
def _pinned(cores: frozenset[int]) -> Iterator[None]:
    """Within the block, this thread and the processes that it starts run on these cores only."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
