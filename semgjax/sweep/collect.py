"""The results of a sweep as one tidy table; writes SWEEP/results.csv, results.jsonl and results.schema.json."""

import dataclasses
import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.cells import protect
from semgjax.errors import InputError
from semgjax.files import write_atomic, write_json
from semgjax.losses.loss import loss_text
from semgjax.measures import MEASURES, Measure
from semgjax.sweep.plan import Sweep, Trial, read_sweep
from semgjax.sweep.trial import State, look, result_of
from semgjax.training.run_config import RunConfig

CSV, JSONL, SCHEMA = "results.csv", "results.jsonl", "results.schema.json"
Columns = dict[str, tuple[str, str]]
_COLUMNS: Columns = {
    "run": ("text", "the trial's id"),
    "kind": ("text", "supervised, distilled or personalised"),
    "loss": ("text", "what training minimised, with the options that differ from the loss's defaults"),
    "preset": ("text", "name of the size"),
    "params": ("integer", "parameters"),
    "users": ("integer", "users trained on"),
    "hours": ("number", "hours of signal trained on, all users together"),
    "epochs": ("number", "passes through the training windows"),
    "steps": ("integer", "optimiser steps"),
    "tokens": ("integer", "target frames"),
    "flops": ("number", "floating-point operations of training"),
    "learning_rate": ("number", "peak learning rate"),
    "seed": ("integer", "seed of parameters, order and augmentation"),
    "teacher": ("text", "id of the teacher's trial; empty without one"),
    "teacher_params": ("integer", "the teacher's parameters; empty without one"),
    "split": ("text", "val or test"),
    "decoder": ("text", "greedy or beam"),
    "averaging": ("text", "macro (mean of the users' rates), pooled (all keys together) or user"),
    "user": ("text", "the user of the row; empty in a row over all users"),
}
_ERRORS: Columns = {
    "substitutions": ("integer", "keys or events read as another"),
    "deletions": ("integer", "keys or events missed"),
    "insertions": ("integer", "keys or events read that were not there"),
}
_COUNTED = {"characters": ("integer", "keys typed"), "events": ("integer", "events of the recording")}
_RATE = {
    "cer": ("number", "character error rate in percent; empty if no key was typed"),
    "event_error_rate": ("number", "edit distance over events in percent; empty if there was no event"),
}
_ABOUT: Columns = {
    "metric": ("text", "the column of the error rate: cer, or event_error_rate for classes that are no keys"),
    "spliced": ("text", "true: real signals in a made-up order; otherwise false"),
    "left_blank_at": (
        "integer",
        "step since which the run emits symbols; empty if it never left the blank plateau (its error rate then says "
        "nothing about size or data), and for a result of an earlier version, which does not say",
    ),
}
_UNLABELLED: Columns = {
    "unlabelled_users": ("integer", "users trained on without labels only"),
    "unlabelled_hours": ("number", "hours of signal trained on without labels"),
}
"""columns of a sweep in which a run learned from unlabelled sessions"""
_DIVERGED: Columns = {
    "diverged_rates": (
        "text",
        "learning rates, separated by spaces, at which a run that differs from this one in learning rate and seed "
        "alone diverged, and so has no row",
    ),
}
"""columns of a sweep in which a run diverged"""
_RUN = ("metric", "kind", "preset", "params", "users", "hours", "epochs", "steps", "tokens", "flops", "seed")


@dataclass(frozen=True)
class Table:
    """Rows of finished trials, and the state of the others by id."""

    rows: tuple[dict[str, Any], ...]
    unfinished: dict[str, State]


def collect(folder: Path) -> Table:
    """Write the table of a sweep: one row per run, split, decoder, and average or user.

    Rows follow the order of the plan. Equal results give equal bytes, independent of where and when they were made.

    Raises:
        InputError: no sweep, no finished trial, or a damaged result.
    """
    sweep = read_sweep(folder)
    columns = columns_of(sweep)
    results = {trial.id: result_of(sweep, trial) for trial in sweep.trials}
    if any(result is not None and "unlabelled_hours" in result for result in results.values()):
        columns |= _UNLABELLED
    rows: list[dict[str, Any]] = []
    unfinished: dict[str, State] = {
        t.id: look(sweep, t).state for t in sweep.trials if results[t.id] is None and t.stage != "short"
    }
    diverged = _diverged(trial for trial in sweep.trials if unfinished.get(trial.id) == "diverged")
    columns |= _DIVERGED if diverged else {}
    for trial in sweep.trials:
        if trial.stage == "short":  # of other steps, and for the search alone
            continue
        result = results[trial.id]
        if result is None:
            continue
        try:
            rows += _rows(sweep, trial, result, columns, diverged.get(rung_of(trial.config), ""))
        except KeyError as error:
            where = sweep.run_folder(trial)
            raise InputError(f"{where}: result.json lacks {error}; was it edited?", "bad-field") from None
    if not rows:
        raise InputError(
            f"{folder}: no trial is finished; run them with: semgjax sweep run {shlex.quote(str(folder))}",
            "not-finished",
        )
    described = [{"name": name, "type": kind, "meaning": meaning} for name, (kind, meaning) in columns.items()]
    write_json(sweep.folder / SCHEMA, "semgjax/results", 4, {"columns": described})
    write_atomic(sweep.folder / CSV, _csv(rows, tuple(columns)))
    write_atomic(sweep.folder / JSONL, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows))
    return Table(tuple(rows), unfinished)


def columns_of(sweep: Sweep) -> Columns:
    """The columns of a sweep's table: name -> (type, meaning); those of the error rate follow its sessions' classes.

    Raises:
        InputError: its trials have different error rates.
    """
    metrics = dict.fromkeys(trial.config.band.metric for trial in sweep.trials)
    if len(metrics) > 1:
        raise InputError(
            f"{sweep.folder}: its trials are measured by {' and '.join(metrics)}; plan them as two sweeps", "conflict"
        )
    return columns_for(MEASURES[next(iter(metrics))])


def columns_for(measure: Measure) -> Columns:
    """The columns of a table of one error rate: name -> (type, meaning)."""
    counted, rate = {measure.counted: _COUNTED[measure.counted]}, {measure.name: _RATE[measure.name]}
    return {**_COLUMNS, **counted, **_ERRORS, **rate, **_ABOUT}


def rung_of(config: RunConfig) -> RunConfig:
    """What the runs of one rung share: everything but learning rate and seed."""
    optimizer = dataclasses.replace(config.optimizer, learning_rate=1.0)
    return dataclasses.replace(config, optimizer=optimizer, train=dataclasses.replace(config.train, seed=0))


def _diverged(trials: Iterable[Trial]) -> dict[RunConfig, str]:
    """The rates of diverged trials, by rung."""
    found: dict[RunConfig, set[float]] = {}
    for trial in trials:
        found.setdefault(rung_of(trial.config), set()).add(trial.config.optimizer.learning_rate)
    return {rung: " ".join(repr(rate) for rate in sorted(rates)) for rung, rates in found.items()}


def _rows(sweep: Sweep, trial: Trial, result: dict[str, Any], columns: Columns, diverged: str) -> list[dict[str, Any]]:
    teacher = None if trial.teacher is None else result_of(sweep, trial.teacher)
    head = {
        "run": trial.id,
        **{name: result[name] for name in _RUN},
        **{name: result.get(name, 0) for name in _UNLABELLED},
        "spliced": "true" if result["spliced"] else "false",
        "left_blank_at": result.get("left_blank_at"),
        "loss": loss_text(trial.config.loss),  # not from the result, which lacks it in version 1
        "learning_rate": trial.config.optimizer.learning_rate,
        "diverged_rates": diverged,
        "teacher": "" if trial.teacher is None else trial.teacher.id,
        "teacher_params": None if teacher is None else teacher["params"],
    }
    scores = [{"user": "", **score} for score in result["scores"]]
    scores += [{"averaging": "user", **score} for score in result["users_scores"]]
    # The head comes last: a score also has "users", the number averaged over.
    return [{name: {**score, **head}[name] for name in columns} for score in scores]


def _csv(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """The CSV text: numbers in full precision, an empty cell for a rate without keys, no spreadsheet formulas."""
    lines = [",".join(columns), *(",".join(_cell(row[name]) for name in columns) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _cell(value: Any) -> str:
    """One cell; text is protected (semgjax.cells) and quoted where necessary."""
    if not isinstance(value, str):
        return "" if value is None else repr(value)
    text = protect(value)
    # The csv module does not quote a lone carriage return, which readers take for the end of a row.
    return '"' + text.replace('"', '""') + '"' if re.search('[,"\r\n]', text) else text
