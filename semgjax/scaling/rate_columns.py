"""The learning rates of a table's rows, and the errors that they are judged by."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from semgjax.scaling.cell_numbers import factors_of, is_number, matching, number_in, numbers_in
from semgjax.scaling.rows import Row
from semgjax.scaling.rungs import DIVERGED, OTHER_RUNG, RATES


def rates_in(
    path: Path, rows: list[Row], columns: tuple[str, ...], mapping: Mapping[str, str], inputs: Sequence[str]
) -> tuple[str, np.ndarray | None]:
    """The column of learning rates ("": none) and their values [n]; None where they are no part of the recipe."""
    text = mapping.get("rate") or next((name for name in columns if name.lower() in RATES), "")
    used = {part for name in (*inputs, "y") for _, part in factors_of(columns, mapping[name])}
    if not text or used & {part for _, part in factors_of(columns, text)} or "L" in inputs:
        return text, None  # an input of the law; or the law goes from loss to error, whatever the rate
    if "rate" not in mapping and not all(is_number(cells[text]) and float(cells[text]) > 0 for _, cells in rows):
        return "", None
    return text, numbers_in(path, rows, text)


def beside(columns: tuple[str, ...], rate: str) -> list[str]:
    """Columns that tell the rungs of a foreign table apart, beside the inputs of the law."""
    return [name for name in columns if name.lower() in OTHER_RUNG and name != rate]


def diverged_at(path: Path, row: Row) -> tuple[float, ...]:
    """The rates at which a run of this row's rung diverged."""
    line, cells = row
    return tuple(number_in(path, line, DIVERGED, word, False, False) for word in cells.get(DIVERGED, "").split())


def judged_by(
    path: Path, rows: list[Row], every: list[Row], where: Mapping[str, str], y: str, errors: np.ndarray
) -> np.ndarray:
    """Errors [n] that a sweep's rates are judged by: on the validation part where every run has one, else `errors`.

    A rate that was chosen on the test part would make its error there look better than that of another run.
    """
    if where.get("split") != "test":
        return errors
    chosen = {**where, "split": "val"}
    if chosen.get("averaging") == "user":
        chosen = {name: value for name, value in chosen.items() if name != "user"} | {"averaging": "macro"}
    for name, value in chosen.items():
        every = matching(every, name, value)
    found = {
        (cells["run"], cells["decoder"]): numbers_in(path, [(line, cells)], y, zero=True)[0]
        for line, cells in every
        if all(cells[part] for _, part in factors_of(tuple(cells), y) if part in cells)
    }
    keys = [(cells["run"], cells["decoder"]) for _, cells in rows]
    return np.array([found[key] for key in keys]) if all(key in found for key in keys) else errors
