"""Simulated sessions on disk: writes OUT/<session>.hdf5, OUT/metadata.csv and OUT/simulation.json."""

import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import h5py
import numpy as np

from semgjax.data.simulate import alike, varied
from semgjax.data.simulate.person import Person
from semgjax.data.simulate.session_names import session_name
from semgjax.data.simulate.signal import RATE, emg_blocks, time_blocks
from semgjax.data.simulate.signal_settings import DISTURBANCES, Severity
from semgjax.data.simulate.typist import Press, Prompt, type_session
from semgjax.errors import InputError, SemgjaxError, fault_code
from semgjax.files import write_json

People = Literal["alike", "varied"]
PEOPLE: dict[People, Callable[[np.random.Generator, np.random.Generator], Person]] = {
    "alike": alike.draw_person,
    "varied": varied.draw_person,
}
GROUP = "emg2qwerty"
ROW = np.dtype([("emg_right", "<f4", (16,)), ("time", "<f8"), ("emg_left", "<f4", (16,))])
COLUMNS = ("user", "session", "duration_mins", "num_keystrokes", "num_prompts", "quality_check_tags")
SHORTEST, LONGEST = 0.1, 240.0  # minutes of a session
EPOCH = 1_600_000_000  # unix second before which no simulated session starts
_USER, _SESSION = 1, 2  # first words of the seeds, which separate the draws of users and sessions


@dataclass(frozen=True)
class Job:
    """One session to make."""

    path: Path
    seed: int
    user: int
    session: int
    samples: int
    severity: Severity
    people: People


def simulate(
    out: Path,
    users: int,
    sessions: int,
    minutes: float,
    seed: int,
    severity: Severity = "mild",
    people: People = "alike",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `users` x `sessions` simulated sessions of `minutes` each, and their metadata, to folder `out`.

    People who are "alike" are touch typists of nearly one anatomy, on whom error hardly depends on users, size or
    calibration; "varied" ones differ as `semgjax.data.simulate.varied.Variety` says.

    The bytes do not depend on `workers` (threads; None: one per processor), and a corpus with more users or
    sessions holds those of a smaller one unchanged. `progress(done, total)` is called after every session.

    Raises:
        InputError: `out` is a file, is not empty or cannot be made, or a number is out of range.
        SemgjaxError: the disk refused; `out` is as it was.
    """
    _check(out, users, sessions, minutes, seed, severity, people, workers)
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise InputError(
            f"{out}: cannot be made ({error.strerror}); choose another folder", fault_code(error)
        ) from None
    samples = round(minutes * 60 * RATE)
    jobs = [
        Job(draft / f"{session_name(seed, user, session)}.hdf5", seed, user, session, samples, severity, people)
        for user in range(users)
        for session in range(sessions)
    ]
    try:
        rows = _write_all(jobs, workers or os.cpu_count() or 1, progress)
        (draft / "metadata.csv").write_text(_csv(rows))
        body: dict[str, object] = {
            "seed": seed,
            "users": users,
            "sessions": sessions,
            "minutes": minutes,
            "severity": severity,
        }
        if people != "alike":  # the record of people alike keeps its bytes
            body["people"] = people
        write_json(draft / "simulation.json", "semgjax/simulation", 1, body)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(draft, 0o777 & ~umask)  # mkdtemp gives 0700; a shared folder wants the usual mode
        os.replace(draft, out)  # takes the place of an empty folder too
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError):
            raise SemgjaxError(f"{out}: could not be written ({error})") from None
        raise


def _check(
    out: Path, users: int, sessions: int, minutes: float, seed: int, severity: str, people: str, workers: int | None
) -> None:
    for name, value, most in (("users", users, 999), ("sessions", sessions, 99)):
        if not 1 <= value <= most:
            raise InputError(f"{name} is {value}; give a number from 1 to {most}", "bad-value")
    if not SHORTEST <= minutes <= LONGEST:
        raise InputError(f"minutes is {minutes}; give a length from {SHORTEST} to {LONGEST:g}", "bad-value")
    if not 0 <= seed < 2**32:
        raise InputError(f"seed is {seed}; give a number from 0 to 4294967295", "bad-value")
    if severity not in get_args(Severity):
        raise InputError(f"severity is {severity!r}; give one of {', '.join(get_args(Severity))}", "bad-value")
    if people not in get_args(People):
        raise InputError(f"people is {people!r}; give one of {', '.join(get_args(People))}", "bad-value")
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}; give 1 or more", "bad-value")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; give a new or empty folder", "not-a-file")
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out}: is not empty; give a new or empty folder", "out-exists")


def _write_all(jobs: list[Job], workers: int, progress: Callable[[int, int], None] | None) -> list[dict[str, object]]:
    """Write every session; rows of metadata.csv in the order of `jobs`."""
    rows = []
    pool = ThreadPoolExecutor(max_workers=min(workers, len(jobs)))
    try:
        for done, row in enumerate(pool.map(write_session, jobs), start=1):
            rows.append(row)
            if progress is not None:
                progress(done, len(jobs))
    finally:
        pool.shutdown(cancel_futures=True)
    return rows


def write_session(job: Job) -> dict[str, object]:
    """Write the session of `job` to its path; its row of metadata.csv."""
    user_seed = np.random.SeedSequence([_USER, job.seed, job.user])
    session_seed = np.random.SeedSequence([_SESSION, job.seed, job.user, job.session])
    anatomy_rng, habits_rng = map(np.random.default_rng, user_seed.spawn(2))
    typing_rng, signal_rng, clock_rng = map(np.random.default_rng, session_seed.spawn(3))
    duration = job.samples / RATE
    person = PEOPLE[job.people](anatomy_rng, habits_rng)
    presses, prompts = type_session(typing_rng, duration, person.habits, person.words)
    start = EPOCH + float(clock_rng.integers(0, 10**8)) + round(float(clock_rng.random()), 6)
    name, user = session_name(job.seed, job.user, job.session), f"user{job.user:03d}"
    wearing = person.wear(DISTURBANCES[job.severity], signal_rng)
    emg = emg_blocks(presses, job.samples, person, wearing, signal_rng)
    times = time_blocks(start, job.samples, clock_rng)
    with h5py.File(job.path, "w") as file:
        group = file.create_group(GROUP)
        series = group.create_dataset("timeseries", shape=(job.samples,), dtype=ROW)
        written = 0
        for (left, right), time in zip(emg, times, strict=True):
            block = np.empty(len(time), ROW)
            block["emg_left"], block["emg_right"], block["time"] = left.T, right.T, time
            series[written : written + len(block)] = block
            written += len(block)
        group.attrs["session_name"] = name
        group.attrs["user"] = user
        group.attrs["condition"] = "on_keyboard"
        group.attrs["duration_mins"] = duration / 60
        group.attrs["keystrokes"] = json.dumps([_keystroke(press, start) for press in presses])
        group.attrs["prompts"] = json.dumps([_prompt(prompt, start) for prompt in prompts])
    return {
        "user": user,
        "session": name,
        "duration_mins": duration / 60,
        "num_keystrokes": len(presses),
        "num_prompts": len(prompts),
        "quality_check_tags": "[]",
    }


def _keystroke(press: Press, start: float) -> dict[str, object]:
    return {
        "key": press.key,
        "start": round(start + press.start, 6),
        "end": round(start + press.end, 6),
        "ascii": press.ascii,
    }


def _prompt(prompt: Prompt, start: float) -> dict[str, object]:
    return {
        "name": "text_prompt",
        "start": round(start + prompt.start, 6),
        "end": round(start + prompt.end, 6),
        "payload": {"text": prompt.text},
    }


def _csv(rows: list[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
