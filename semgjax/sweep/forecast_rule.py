"""A plan's rule that its largest trials run only after a forecast of them was signed (semgjax.scaling.ledger)."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semgjax.errors import InputError
from semgjax.scaling.cell_numbers import factors_of, is_number
from semgjax.scaling.ledger.ledger_file import Entry, read_ledger
from semgjax.sweep.trial_cost import parameters_of
from semgjax.training.run_folder import RESULT

if TYPE_CHECKING:
    from semgjax.data.corpus import Corpus
    from semgjax.sweep.plan import Sweep, Trial

_SAME = 1.01  # inputs within this factor are one place, as in the ledger
By = Literal["params", "flops"]


@dataclass(frozen=True)
class ForecastRule:
    """Which trials need a forecast.

    Attributes:
        ledger: file of the forecasts; a relative path is taken from the sweep's folder.
        largest: trials of so many of the largest sizes.
        by: what is large: parameters, or operations of training.
    """

    ledger: str
    largest: int = 1
    by: By = "params"

    def __post_init__(self) -> None:
        """Raises InputError: no name of a ledger, or a number below 1 ("bad-value")."""
        if not self.ledger.strip():
            raise InputError('forecast.ledger is empty; name the file, such as "forecasts.jsonl"', "bad-value")
        if self.largest < 1:
            raise InputError(f"forecast.largest {self.largest}: give 1 or more sizes", "bad-value")


def ledger_of(sweep: "Sweep") -> Path:
    """The ledger of a sweep with a rule."""
    assert sweep.forecast is not None
    return sweep.folder / sweep.forecast.ledger


def required(sweep: "Sweep") -> tuple["Trial", ...]:
    """The trials that need a forecast."""
    if sweep.forecast is None:
        return ()
    values = {trial.id: size_of(sweep, trial) for trial in sweep.trials}
    levels = levels_of(values.values())
    least = levels[min(sweep.forecast.largest, len(levels)) - 1]
    return tuple(trial for trial in sweep.trials if values[trial.id] >= least / _SAME)


def levels_of(values: Iterable[float]) -> list[float]:
    """Different values, the largest first; those within 1 % count as one."""
    found: list[float] = []
    for value in sorted(values, reverse=True):
        if not found or value < found[-1] / _SAME:
            found.append(value)
    return found


def why_held(sweep: "Sweep", trial: "Trial", corpus: "Corpus | None" = None) -> str | None:
    """Why a trial may not run yet, with what to do; None where it may.

    A forecast counts that is of this trial's place, was signed before the first result there and before the trial's own
    first start, and was open when the first trial there started.

    Args:
        corpus: the trial's sessions; without them users and hours of a forecast are not compared.

    Raises:
        InputError: the ledger was changed.
    """
    wanted = {one.id: one for one in required(sweep)}
    if trial.id not in wanted:
        return None
    path, known = ledger_of(sweep), _columns(sweep, trial, corpus)
    entries = read_ledger(path) if path.exists() else ()
    found = [entry for entry in entries if entry.kind == "forecast" and _is_of(entry, trial, known)]
    settled = {int(entry.body["forecast"]) for entry in entries if entry.kind == "result"}
    there = [one for one in wanted.values() if _is_there(one, trial)]
    begun = any(_started(sweep, one) is not None for one in there)
    latest = min((time for time in (_ended(sweep, there), _started(sweep, trial)) if time is not None), default=None)
    early = [entry for entry in found if latest is None or entry.time <= latest]
    if any(begun or entry.number not in settled for entry in early):
        return None
    if early:
        why = f"forecast {early[-1].number} in {path} is settled: its result exists"
    elif found and latest is not None:
        signed = found[-1].time.isoformat()
        why = f"forecast {found[-1].number} in {path} was signed at {signed}, after the run ({latest.isoformat()})"
    else:
        why = f"needs an open forecast in {path} before it runs"
    place = f"N={parameters_of(trial.config.model)}"
    command = f"semgjax scaling forecast FIT --at {place} --ledger {shlex.quote(str(path))}"
    return f"{why}; fit the smaller trials and sign one: {command}"


def check_forecast(sweep: "Sweep", trial: "Trial", corpus: "Corpus | None" = None) -> None:
    """
    Raises:
        InputError: the trial may not run yet ("no-forecast"), or the ledger was changed.
    """
    why = why_held(sweep, trial, corpus)
    if why is not None:
        raise InputError(f"{trial.id}: {why}", "no-forecast")


def size_of(sweep: "Sweep", trial: "Trial") -> float:
    """What a trial is ranked by."""
    by = "params" if sweep.forecast is None else sweep.forecast.by
    return _columns(sweep, trial, None)[by]


def _columns(sweep: "Sweep", trial: "Trial", corpus: "Corpus | None") -> dict[str, float]:
    """Columns of the sweep's table whose value at this trial's place is known before it runs.

    A shorter run that searches a learning rate belongs to the place of its rung's full length.
    """
    steps = trial.config.train.steps
    full = steps if trial.rung is None else sweep.rungs[trial.rung].config.train.steps
    found = {
        "params": float(parameters_of(trial.config.model)),
        "flops": trial.flops * full / steps,
        "steps": float(full),
    }
    return found if corpus is None else {**found, "users": float(corpus.train_users), "hours": corpus.train_hours}


def _is_of(entry: Entry, trial: "Trial", known: Mapping[str, float]) -> bool:
    """Whether a forecast is of the error rate of this trial: at least one input is known, and none differs."""
    body, config = entry.body, trial.config
    if config.band.metric not in {part for _, part in factors_of((), body["y"])}:
        return False
    kind = "supervised" if config.distill is None else "distilled"
    if any(body["where"].get(name, own) != own for name, own in (("preset", config.preset), ("kind", kind))):
        return False
    compared = 0
    for name, asked in body["at"].items():
        factors = factors_of((), body["columns"].get(name, name))
        if not all(part in known or is_number(part) for _, part in factors):
            continue
        value = 1.0
        for operator, part in factors:
            value = value * _value(part, known) if operator == "*" else value / _value(part, known)
        if not asked / _SAME <= value <= asked * _SAME:
            return False
        compared += 1
    return compared > 0


def _value(part: str, known: Mapping[str, float]) -> float:
    return known[part] if part in known else float(part)


def _is_there(one: "Trial", trial: "Trial") -> bool:
    """Whether two trials are at one place: the same network, length, data and teacher."""
    a, b = one.config, trial.config
    same = (a.model, a.data, a.distill) == (b.model, b.data, b.distill)
    return same and a.train.steps * a.train.batch == b.train.steps * b.train.batch


def _started(sweep: "Sweep", trial: "Trial") -> datetime | None:
    """When a trial was first started, to the second as the ledger's times."""
    path = sweep.starts(trial)
    first = path.read_text().partition("\n")[0] if path.exists() else ""
    if not first:
        return None
    try:
        return datetime.fromtimestamp(json.loads(first)["time"], UTC)
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{path}: is not valid JSON; move it away (it only records when the trial started)", "damaged"
        ) from None


def _ended(sweep: "Sweep", trials: Sequence["Trial"]) -> datetime | None:
    """When the first result of some trials was there."""
    files = [file for one in trials if (file := sweep.run_folder(one) / RESULT).exists()]
    return min((datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in files), default=None)
