"""The state of every trial of a sweep: state, place, step, time left, productive share."""

import dataclasses
import json
import os
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semgjax.errors import InputError
from semgjax.sweep.forecast_rule import why_held
from semgjax.sweep.grow import RungState
from semgjax.sweep.plan import Sweep, Trial
from semgjax.sweep.rate_search import DIVERGED
from semgjax.sweep.trial import Status, look
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import METRICS

_RECENT = 600.0  # seconds: a trial on another machine whose metrics are newer counts as running
_BLOCKS = ("failed", "diverged", "damaged")


@dataclass(frozen=True)
class Row:
    """One trial."""

    status: Status
    where: str
    """place and host of its newest start"""
    seconds_left: float | None
    """seconds left at the speed of its last steps; None if it is not running"""
    productive: float | None
    """share of the wall time since the first start that went into steps that were kept (metrics.jsonl)"""


def rows_of(sweep: Sweep, now: float | None = None) -> list[Row]:
    """Every trial, in the order of the plan.

    Raises:
        InputError: a damaged fault file.
    """
    return [_row(sweep, trial, time.time() if now is None else now) for trial in sweep.trials]


def json_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as plain JSON values."""
    return [
        {
            "id": row.status.trial.id,
            "preset": row.status.trial.config.preset,
            "state": row.status.state,
            "step": row.status.step,
            "steps": row.status.trial.config.train.steps,
            "where": row.where,
            "seconds_left": row.seconds_left,
            "productive": row.productive,
            "reason": row.status.reason,
        }
        for row in rows
    ]


def table_of(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows as text, with a heading; the last column has no heading."""
    cells: list[tuple[str, ...]] = [("trial", "state", "step", "left", "productive", "")]
    for row in rows:
        left = "" if row.seconds_left is None else duration(row.seconds_left)
        share = "" if row.productive is None else f"{row.productive:.0%}"
        note = row.status.reason or (row.where if row.status.state == "running" else "")
        cells.append((row.status.trial.id, row.status.state, row.status.progress, left, share, note))
    return cells


def summary_of(sweep: Sweep, rows: Sequence[Row]) -> str:
    """The number of trials in each state, as text."""
    counts = Counter(row.status.state for row in rows)
    return f"{sweep.name}: " + ", ".join(f"{count} {state}" for state, count in counts.items())


def rungs_json(states: Sequence[RungState]) -> list[dict[str, Any]]:
    """Where the search of each rung's learning rate stands, as plain JSON values; a diverged rate has no error."""

    def errors(tried: dict[float, float]) -> list[dict[str, float | None]]:
        return [{"rate": rate, "error": None if e == DIVERGED else e} for rate, e in sorted(tried.items())]

    return [
        {
            "rung": one.rung.number,
            "preset": one.rung.config.preset,
            "state": one.state,
            "best": one.best,
            "tried": errors(one.tried),
            "short": errors(one.short),
            "reason": one.reason,
        }
        for one in states
    ]


def rung_lines(states: Sequence[RungState]) -> list[str]:
    """The same as lines of text."""
    return [f"rung {one.rung.number:03d}-{one.rung.config.preset}: {one.text}" for one in states]


def duration(seconds: float) -> str:
    """45 s, 12 min, 3.5 h, 2.1 days."""
    for size, unit, digits in ((86400.0, "days", 1), (3600.0, "h", 1), (60.0, "min", 0)):
        if seconds >= size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds:.0f} s"


def _row(sweep: Sweep, trial: Trial, now: float) -> Row:
    status = look(sweep, trial)
    starts = _starts(sweep, trial)
    metrics = sweep.run_folder(trial) / METRICS
    lines = _steps(sweep, trial)
    recent = bool(lines) and now - metrics.stat().st_mtime < _RECENT
    if status.state in ("waiting", "failed") and recent and _is_elsewhere(sweep, trial):
        status = dataclasses.replace(status, state="running", reason="")
    if status.state == "waiting" and sweep.forecast is not None:
        status = dataclasses.replace(status, reason=why_held(sweep, trial) or "")
    if status.state == "waiting" and trial.teacher is not None:
        status = _with_teacher(sweep, trial.teacher, status)
    where = f"{starts[-1]['place']} on {starts[-1]['host']}".removeprefix(" on ") if starts else ""
    batch, steps = trial.config.train.batch, trial.config.train.steps
    left = None
    if status.state == "running" and lines:
        left = (steps - lines[-1]["step"]) * batch / lines[-1]["windows_per_s"]
    productive = lines[-1].get("productive_share") if lines else None
    return Row(status, where, left, productive)


def _with_teacher(sweep: Sweep, teacher: Trial, status: Status) -> Status:
    found = look(sweep, teacher)
    if found.state == "done":
        return status
    why = f"teacher {teacher.id}: {found.state}" if found.state in _BLOCKS else f"waits for teacher {teacher.id}"
    return dataclasses.replace(status, reason=why)


def _starts(sweep: Sweep, trial: Trial) -> list[dict[str, Any]]:
    path = sweep.starts(trial)
    text = path.read_text() if path.exists() else ""
    try:
        return [json.loads(line) for line in text.split("\n")[:-1]]
    except json.JSONDecodeError:
        raise InputError(
            f"{path}: is not valid JSON; move it away (it only records when the trial started)", "damaged"
        ) from None


def _steps(sweep: Sweep, trial: Trial) -> list[dict[str, Any]]:
    """The lines of training steps; empty if they cannot be read, which the step column shows."""
    path = sweep.run_folder(trial) / METRICS
    try:
        return [line for line in read_metrics(path) if line.get("windows_per_s")] if path.exists() else []
    except InputError:
        return []


def _is_elsewhere(sweep: Sweep, trial: Trial) -> bool:
    """Whether another machine held the folder last; its lock may be invisible here (buckets, some network folders)."""
    path = sweep.run_folder(trial) / ".lock"
    owner = re.fullmatch(r"process \d+ on (\S+)", path.read_text()) if path.exists() else None
    return owner is not None and owner[1] != os.uname().nodename
