"""Real runs on a device: a training with its validation curve, a distillation, a sweep; each resumes after a stop."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks._device_figures import Figure, outcome_of
from benchmarks._train_packed import planned, seconds_of, write_sessions
from semgjax.data.simulate import simulate
from semgjax.data.splitting.splits import leave_users_out, write_split
from semgjax.files import write_atomic
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import METRICS

BATCH = 64
MINUTES = {"train": 8.0, "teacher": 10.0, "student": 8.0}
"""of training, by what the kit measured of this device's steps and of its feed"""
UNKNOWN = 2000
"""steps where nothing was measured yet"""
LIMIT = int(os.environ.get("SEMGJAX_DEVICE_LIMIT", "480"))
"""seconds after which a command is asked to save and to stop"""


class Unfinished(Exception):
    """A run has saved its state and is to be continued by the next call of the kit."""


def sessions(folder: Path, small: bool) -> Path:
    """Simulated people who differ, four of them held out; in small three people with a minute each."""
    place = folder / "sessions"
    if (place / "splits.json").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)  # of a call that ended while it wrote them
    if small:
        write_sessions(place)
        return place
    simulate(place, users=32, sessions=2, minutes=5.0, seed=0, people="varied")
    names = [(path.stem, path.stem.split("-")[1]) for path in sorted(place.glob("*.hdf5"))]
    write_split(place / "splits.json", leave_users_out(names, test_users=4, val_share=0.1, seed=0))
    return place


def train(small: bool, folder: Path) -> list[Figure]:
    """A training of `small` in bfloat16: its validation curve, final error and speed."""
    out = folder / "runs" / "train"
    _command(["train", *_options(folder, small, out, "ladder-16" if small else "small")], folder)
    return _curve(out)


def distill(small: bool, folder: Path) -> list[Figure]:
    """A teacher (`large`) and its student (`tiny`), with the student's curve."""
    teacher, out = folder / "runs" / "teacher", folder / "runs" / "student"
    sizes = ("ladder-32", "ladder-16") if small else ("large", "tiny")
    _command(["train", *_options(folder, small, teacher, sizes[0])], folder)
    _command(["distill", "--teacher", str(teacher), *_options(folder, small, out, sizes[1])], folder)
    return [*(_named("teacher", row) for row in _curve(teacher)), *(_named("student", row) for row in _curve(out))]


def sweep(small: bool, folder: Path) -> list[Figure]:
    """A sweep of 24 trials of the smallest ladder model by one slot, packed and apart."""
    trials, found = 2 if small else 24, []
    place = folder / "short_sessions"
    shutil.rmtree(place, ignore_errors=True)
    write_sessions(place)
    for key, options in (("packed", ("--pack", str(trials if small else 12))), ("apart", ()))[: 1 if small else 2]:
        out = folder / "runs" / f"sweep_{key}"
        shutil.rmtree(out, ignore_errors=True)  # only a whole sweep has a time
        seconds = seconds_of(planned(place, out, trials), "--slots", "1", *options)
        found.append(Figure(f"{key}.trials", 3600 * trials / seconds, "1/h", note=f"{trials} trials, one slot"))
    return found


def _options(folder: Path, small: bool, out: Path, network: str) -> list[str]:
    amounts = {"steps": 6, "batch": 4, "evaluate-every": 3}
    if not small:
        steps = planned_steps(folder, out.name, network)
        amounts = {"steps": steps, "batch": BATCH, "evaluate-every": max(1, steps // 16)}
        amounts["checkpoint-every"] = amounts["evaluate-every"]
    words = [word for name, value in amounts.items() for word in (f"--train.{name}", str(value))]
    half = [] if small else ["--train.compute", "bfloat16"]
    return ["--preset", network, "--data", str(sessions(folder, small)), "--out", str(out), *words, *half]


def planned_steps(folder: Path, run: str, network: str) -> int:
    """Steps that take this run's share of `MINUTES`, decided once: a run that resumes has to know its end.

    By the slower of the network's steps (a student's teacher takes about as long again) and the feed of windows.
    """
    file = folder / "runs" / f"{run}.steps.json"
    if file.exists():
        return int(json.loads(file.read_text()))
    rates = [_measured(folder, check) for check in (f"speed.step.{network}", "speed.feed")]
    known = [rate for rate in rates if rate is not None]
    steps = round(60 * MINUTES[run] * min(known) / BATCH) if known else UNKNOWN
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, json.dumps(max(steps, 100)))
    return max(steps, 100)


def _measured(folder: Path, check: str) -> float | None:
    """Windows a second of a check that is done."""
    file = folder / "state" / f"{check}.json"
    if not file.exists():
        return None
    figures = outcome_of(json.loads(file.read_text())).figures
    return next((figure.value for figure in figures if figure.key == "windows"), None)


def _command(words: list[str], folder: Path) -> None:
    """Run semgjax; after LIMIT seconds ask it to save.

    Raises:
        Unfinished: it has saved and stopped.
        RuntimeError: it failed.
    """
    with (folder / "commands.log").open("a") as log:
        process = subprocess.Popen([sys.executable, "-m", "semgjax", *words], stdout=log, stderr=log)
        try:
            code = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            code = process.wait(100)
    if code == 75:
        raise Unfinished(f"semgjax {words[0]} saved its state")
    if code:
        raise RuntimeError(f"semgjax {' '.join(words)} ended with {code}; see {folder / 'commands.log'}")


def _curve(run: Path) -> list[Figure]:
    """Validation error at each step, and the test error of the result."""
    rows: list[dict[str, Any]] = [row for row in read_metrics(run / METRICS) if row.get("split") == "val"]
    result = json.loads((run / "result.json").read_text())
    found = [Figure(f"val.step_{row['step']}", row["cer"], "%") for row in rows if row["cer"] is not None]
    for row in result["scores"]:
        if row["averaging"] == "macro" and row["cer"] is not None:
            found.append(Figure(f"final.{row['split']}", row["cer"], "%"))
    return [*found, Figure("seconds", result["seconds"], "s", note="since the last start of the run")]


def _named(word: str, row: Figure) -> Figure:
    return Figure(f"{word}.{row.key}", row.value, row.unit, note=row.note)
