"""Cells of a table as numbers: products and quotients of columns, and filters by value."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.rows import Row

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def factors_of(columns: Sequence[str], text: str) -> list[tuple[str, str]]:
    """(operator, column or number) of a column or of a product and quotient of columns."""
    if text in columns:
        return [("*", text)]
    # A column whose name holds * or / stands in double quotes: "val/cer"/100
    parts = re.findall(r'([*/])\s*("[^"]*"|[^*/]*)', "*" + text)
    return [(operator, part.strip().strip('"')) for operator, part in parts]


def is_number(text: str) -> bool:
    """Whether a text is a finite number as a table writes it: no digits of other scripts, no "1_000", no "inf"."""
    return bool(_NUMBER.fullmatch(text) and np.isfinite(float(text)))


def check_column(path: Path, columns: tuple[str, ...], name: str) -> None:
    if name in columns:
        return
    near = difflib.get_close_matches(name, columns, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(columns)}"
    raise InputError(f"{path}: no column {name!r}; {hint}", "no-column")


def matching(rows: list[Row], column: str, wanted: str) -> list[Row]:
    """The rows whose cell is `wanted`: as text or, where no cell is that text, as a number.

    "7" is not "007" where both are there, but finds "7.0" in a column of numbers.
    """
    exact = [row for row in rows if row[1][column] == wanted]
    if exact or not is_number(wanted) or _is_padded(wanted):
        return exact
    return [
        row
        for row in rows
        if is_number(text := row[1][column]) and not _is_padded(text) and float(text) == float(wanted)
    ]


def _is_padded(text: str) -> bool:
    """Whether a number has leading zeros: a name, such as user 007."""
    return bool(re.fullmatch(r"[+-]?0\d.*", text))


def numbers_in(
    path: Path, rows: list[Row], text: str, zero: bool = False, instead: np.ndarray | None = None
) -> np.ndarray:
    values = np.ones(len(rows))
    factors = factors_of(tuple(rows[0][1]), text)
    for operator, part in factors:
        for i, (line, cells) in enumerate(rows):
            value = (
                number_in(path, line, part, cells[part], zero, instead is not None) if part in cells else float(part)
            )
            if np.isnan(value) and instead is not None:
                value = float(instead[i])
            if operator == "*":
                values[i] *= value
            else:
                values[i] /= value
    return values


def number_in(path: Path, line: str, column: str, text: str, zero: bool, empty: bool) -> float:
    if empty and not text:
        return float("nan")
    if not _NUMBER.fullmatch(text):
        shown = repr(text) if text else "empty"
        raise InputError(
            f"{path}: {line}: column {column} is {shown}, not a number; correct or remove that row", "bad-number"
        )
    value = float(text)
    if not (np.isfinite(value) and (value > 0 or zero and value == 0)):
        raise InputError(
            f"{path}: {line}: column {column} is {text}; a law on a log scale needs finite values "
            "above 0: correct or remove that row",
            "bad-number",
        )
    return value
