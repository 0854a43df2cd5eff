"""The Slurm engine: job arrays whose tasks run one trial each; writes SWEEP/slurm.json and SWEEP/slurm-*.sh.

Slurm schedules. The index of a task, added to the first trial of its array, gives its trial; a plan longer than Slurm's
MaxArraySize becomes several arrays. A task that is asked to stop saves and is requeued; one that fails is requeued a
number of times; students wait for their teacher's task.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semgjax.errors import InputError
from semgjax.files import folder_lock, read_json, write_atomic, write_json
from semgjax.parallel.hosts import whole_number
from semgjax.sweep.forecast_rule import why_held
from semgjax.sweep.plan import Sweep, Trial, check_fixed, read_sweep
from semgjax.sweep.runner import RETRIES, Report
from semgjax.sweep.trial import PLACE, look

FILE, _SCHEMA, _VERSION = "slurm.json", "semgjax/slurm", 1
_OURS = (
    "--array",
    "-a",
    "--requeue",
    "--no-requeue",
    "--signal",
    "--output",
    "-o",
    "--open-mode",
    "--dependency",
    "-d",
)
_MAX_ARRAY_SIZE = 1001  # Slurm's default
_TIME_TO_SAVE = 120  # seconds between Slurm's signal and its limit


@dataclass(frozen=True)
class Options:
    """Options of the jobs.

    Attributes:
        slots: largest number of tasks at a time; None leaves that to Slurm.
        cores: processor cores of each task.
        retries: how often a failed task is retried.
        sbatch: further options for sbatch, such as "--partition=gpu --gpus-per-task=1 --time=08:00:00".
        program: command that runs `sweep run SWEEP --trial K` on a node.
    """

    slots: int | None = None
    cores: int = 1
    retries: int = RETRIES
    sbatch: str = ""
    program: tuple[str, ...] = (sys.executable, "-m", "semgjax")


@dataclass(frozen=True)
class Array:
    """One job array: trials by index; students run after their teacher's task.

    Attributes:
        first: number of the trial of task 0; above 0 if the plan is longer than an array may be.
        follows: waits for the previous array, so that at most `Options.slots` tasks run at a time.
    """

    script: str
    trials: tuple[Trial, ...]
    after: Trial | None
    first: int = 0
    follows: bool = False


def arrays_of(sweep: Sweep, options: Options) -> list[Array]:
    """The job arrays of the unfinished trials; teachers before students.

    Raises:
        InputError: options that cannot be used.
    """
    _check(sweep, options)
    check_fixed(sweep, "Slurm")
    states = {trial.id: look(sweep, trial).state for trial in sweep.trials}
    open_trials = [t for t in sweep.trials if states[t.id] not in ("done", "diverged", "damaged")]
    waiting = {trial.id for trial in open_trials}
    groups: dict[str, list[Trial]] = {}
    for trial in open_trials:
        blocked = trial.teacher is not None and states[trial.teacher.id] in ("diverged", "damaged")
        if not blocked and why_held(sweep, trial) is None:
            after = trial.teacher.id if trial.teacher is not None and trial.teacher.id in waiting else ""
            groups.setdefault(after, []).append(trial)
    by_id = {trial.id: trial for trial in sweep.trials}
    number = {trial.id: index for index, trial in enumerate(sweep.trials)}
    most = largest_array()
    arrays: list[Array] = []
    # In plan order a teacher's array comes before its students', as its trial does.
    for after, group in groups.items():
        blocks: dict[int, list[Trial]] = {}
        for trial in group:
            blocks.setdefault(number[trial.id] // most * most, []).append(trial)
        for place, (first, trials) in enumerate(blocks.items()):
            script = _script(sweep, trials, first, options)
            follows = place > 0 and options.slots is not None
            arrays.append(Array(script, tuple(trials), by_id.get(after), first, follows))
    return arrays


def largest_array() -> int:
    """The largest length of an array: Slurm's MaxArraySize, or its default if Slurm does not answer.

    Raises:
        InputError: this Slurm does not permit arrays.
    """
    if shutil.which("scontrol") is None:
        return _MAX_ARRAY_SIZE
    try:
        text = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return _MAX_ARRAY_SIZE
    found = re.search(r"^MaxArraySize\s*=\s*([0-9]{1,9})\s*$", text, re.MULTILINE)
    size = _MAX_ARRAY_SIZE if found is None else int(found[1])
    if size < 1:
        raise InputError("Slurm's MaxArraySize is 0, so it runs no arrays; use the local engine", "bad-environment")
    return size


def submit(folder: Path, options: Options, report: Report) -> list[str]:
    """Submit the unfinished trials to Slurm; returns the job numbers.

    Raises:
        InputError: no sweep, no sbatch, jobs of this sweep still in the queue, or Slurm refuses.
    """
    sweep = read_sweep(folder)
    if shutil.which("sbatch") is None:
        raise InputError(
            "sbatch is not installed: run this on a machine with Slurm, or print the script", "bad-environment"
        )
    with folder_lock(sweep.folder):
        _check_queue(sweep)
        jobs: list[dict[str, object]] = []
        task_of: dict[str, str] = {}
        for number, array in enumerate(arrays_of(sweep, options)):
            path = sweep.folder / f"slurm-{number}.sh"
            write_atomic(path, array.script)
            words = ["sbatch", "--parsable", "--kill-on-invalid-dep=yes"]
            before = [] if array.after is None else [f"afterok:{task_of[array.after.id]}"]
            if array.follows:
                before.append(f"afterany:{jobs[-1]['job']}")
            if before:
                words.append(f"--dependency={','.join(before)}")
            job = _call([*words, str(path)]).strip().partition(";")[0]
            if whole_number(job) is None:
                raise InputError(
                    f"sbatch: answered {job[:80]!r}, expected a job's number; see squeue", "bad-environment"
                )
            task_of |= {trial.id: f"{job}_{sweep.trials.index(trial) - array.first}" for trial in array.trials}
            jobs.append({"job": job, "trials": [trial.id for trial in array.trials]})
            write_json(sweep.folder / FILE, _SCHEMA, _VERSION, {"jobs": jobs})
            after = f" after {task_of[array.after.id]}" if array.after is not None else ""
            report(f"Slurm job {job}: {len(array.trials)} trials{after}")
    return [str(job["job"]) for job in jobs]


def _script(sweep: Sweep, trials: Sequence[Trial], first: int, options: Options) -> str:
    """The batch script of an array."""
    number = {trial.id: index for index, trial in enumerate(sweep.trials)}
    indices = ",".join(str(number[trial.id] - first) for trial in trials)
    limit = "" if options.slots is None else f"%{options.slots}"
    log = str(sweep.folder / "trials" / "slurm-%A_%a.log").replace('"', '\\"')
    lines = [
        f"--job-name={re.sub(r'[^A-Za-z0-9_.-]+', '-', sweep.name)}",
        f"--array={indices}{limit}",
        f"--cpus-per-task={options.cores}",
        "--requeue",
        f"--signal=B:TERM@{_TIME_TO_SAVE}",
        "--open-mode=append",
        f'--output="{log}"',
        *shlex.split(options.sbatch),
    ]
    words = [*options.program, "sweep", "run", str(sweep.folder), "--cores", str(options.cores)]
    head = "\n".join(f"#SBATCH {line}" for line in lines)
    return f"""#!/bin/bash
{head}
# A task of a sweep: its index plus {first} is the number of its trial. Exit codes of the trial: 0 done,
# 70 diverged, 2 bad input, 75 stopped and saved; any other is a failure, retried {options.retries} times.
job="${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
export {PLACE}="Slurm job $job"
{shlex.join(words)} --trial "$((SLURM_ARRAY_TASK_ID + {first}))" &
trial=$!
trap 'kill -TERM "$trial"' TERM
wait "$trial"
code=$?
# The signal ends the first wait; the trial then saves and exits.
while kill -0 "$trial" 2>/dev/null; do
  wait "$trial"
  code=$?
done
echo "$job: exit code $code, restart ${{SLURM_RESTART_COUNT:-0}}"
case "$code" in
  0 | 2 | 70) exit "$code" ;;
  75) scontrol requeue "$job" ;;
  *) if [ "${{SLURM_RESTART_COUNT:-0}}" -lt {options.retries} ]; then scontrol requeue "$job"; fi ;;
esac
exit "$code"
"""


def _check(sweep: Sweep, options: Options) -> None:
    if options.slots is not None and options.slots < 1:
        raise InputError(f"slots {options.slots}: give 1 or more", "bad-value")
    if options.cores < 1 or options.retries < 0:
        raise InputError(
            f"cores {options.cores}, retries {options.retries}: give 1 or more, and 0 or more", "bad-value"
        )
    if "\n" in str(sweep.folder) or "%" in str(sweep.folder):
        raise InputError(
            f"{sweep.folder}: Slurm cannot write logs below a name with % or a line break; rename it", "bad-path"
        )
    try:
        words = shlex.split(options.sbatch)
    except ValueError as error:
        raise InputError(f"sbatch {options.sbatch!r}: {error}", "bad-option") from None
    for word in words:
        if not re.fullmatch(r"--?[a-zA-Z][\w-]*(=[^\s]*)?", word):
            raise InputError(f"sbatch {word!r} is not an option; write each as --name=value", "bad-option")
        if word.partition("=")[0] in _OURS:
            raise InputError(f"sbatch {word!r} is set by the sweep itself; remove it", "conflict")


def _check_queue(sweep: Sweep) -> None:
    """Refuse while earlier jobs of this sweep are in the queue, for each trial would be queued twice."""
    path = sweep.folder / FILE
    if not path.exists():
        return
    known = {str(job["job"]) for job in read_json(path, _SCHEMA, _VERSION)["jobs"]}
    queued = set(_call(["squeue", "--noheader", "--me", "--format=%F"]).split())
    if known & queued:
        some = ", ".join(sorted(known & queued))
        raise InputError(
            f"{sweep.folder}: its jobs are still queued ({some}); wait, or cancel them with: scancel {some}",
            "in-use",
        )


def _call(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        message = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise InputError(f"{words[0]}: {message}", "bad-environment")
    return done.stdout
