"""The results of a sweep as one tidy table; writes SWEEP/results.csv and SWEEP/results.jsonl."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.sweep.plan import read_sweep
from semgjax.sweep.trial import State, look, result_of

CSV, JSONL = "results.csv", "results.jsonl"
_RUN = ("kind", "preset", "params", "users", "hours", "steps", "tokens", "flops", "seed")
_COUNTS = ("characters", "substitutions", "deletions", "insertions", "cer")
COLUMNS = ("run", *_RUN, "split", "decoder", "averaging", "user", *_COUNTS)
"""users and hours are those trained on; user is the one a row is about ("" in a row over all users)"""


@dataclass(frozen=True)
class Table:
    """Rows of finished trials, and the state of the others by id."""

    rows: tuple[dict[str, Any], ...]
    unfinished: dict[str, State]


def collect(folder: Path) -> Table:
    """Write the table of a sweep: one row per run, split, decoder, and average or user.

    Rows stand in the order of the plan; equal results give equal bytes, whenever and wherever they were made.

    Raises:
        InputError: no sweep, no finished trial, or a damaged result.
    """
    sweep = read_sweep(folder)
    rows: list[dict[str, Any]] = []
    unfinished: dict[str, State] = {}
    for trial in sweep.trials:
        result = result_of(sweep, trial)
        if result is None:
            unfinished[trial.id] = look(sweep, trial).state
            continue
        try:
            rows += _rows(trial.id, result)
        except KeyError as error:
            raise InputError(f"{sweep.run_folder(trial)}: result.json lacks {error}; was it edited?") from None
    if not rows:
        raise InputError(f"{folder}: no trial is finished; run them with: semgjax sweep run {folder}")
    write_atomic(sweep.folder / CSV, _csv(rows))
    write_atomic(sweep.folder / JSONL, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows))
    return Table(tuple(rows), unfinished)


def _rows(run: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    head = {"run": run, **{name: result[name] for name in _RUN}}
    scores = [{"user": "", **score} for score in result["scores"]]
    scores += [{"averaging": "user", **score} for score in result["users_scores"]]
    # The head stands last: a score has "users" too, those averaged over.
    return [{name: {**score, **head}[name] for name in COLUMNS} for score in scores]


def _csv(rows: list[dict[str, Any]]) -> str:
    """Numbers in full precision; a rate without keys is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
