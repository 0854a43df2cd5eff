"""Read a text table in blocks: the signal, labels and times of some samples at once."""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.data.tabular.block import Block
from semgjax.data.tabular.clean_text import Chunk, Lines, chunks, clean, line_of_row, text_of_line
from semgjax.data.tabular.declaration import Column, TextPart
from semgjax.errors import InputError

MOST_LABELS = 10_000
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Columns:
    """Places of the columns in a line, from 0; None where there is none."""

    channels: tuple[int, ...]
    label: int | None = None
    time: int | None = None


class Labels:
    """Names of labels that are text, numbered as they are met."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def __call__(self, cell: str) -> float:
        name = cell.strip()
        return self._codes.setdefault(name, len(self._codes))

    def __len__(self) -> int:
        return len(self._codes)

    def name(self, code: object) -> str:
        """The text of a code."""
        return list(self._codes)[int(code)]  # type: ignore[call-overload]


def read_blocks(path: Path, part: TextPart, channels: Sequence[Column], label: Column, time: Column) -> Iterator[Block]:
    """The samples of a file, float64, in order.

    Args:
        label: column of the labels; 0 or "" for none. Likewise `time`.

    Raises:
        InputError: a missing column ("no-column"), a line of another number of cells ("bad-row"), a cell that is no
            number ("bad-number") or not finite ("not-finite"), a file without samples ("empty").
    """
    start = _Start(path, part)
    columns = None
    names = Labels()
    textual = False
    done = 0
    for whole in chunks(path, part.encoding):
        chunk = start.cut(whole)
        if chunk is None:
            continue
        lines = clean(chunk, part)
        if not lines.text.strip("\n \t"):
            continue
        if columns is None:
            columns = columns_of(path, part, start.header, channels, label, time)
            textual = columns.label is not None and not _NUMBER.fullmatch(_first_cell(lines, columns.label))
        values = _values(chunk, part, lines, columns, names if textual else None)
        block = _block(chunk, part, columns, values, done, names if textual else None)
        done += block.samples
        yield block
    if not done:
        raise InputError(f"{path}: holds no samples; leave the file out or write it again", "empty")


def columns_of(
    path: Path, part: TextPart, header: Sequence[str], channels: Sequence[Column], label: Column, time: Column
) -> Columns:
    """Where the columns stand in this file.

    Raises:
        InputError: the header lacks a name, or has it twice ("no-column").
    """

    def place(column: Column) -> int:
        if isinstance(column, int):
            return column - 1
        if header.count(column) != 1:
            have = f"has {header.count(column) or 'no'} column {column!r}; its columns are"
            raise InputError(
                f"{path}: {have} {', '.join(map(repr, header[:40]))}; correct the file or semgjax.toml", "no-column"
            )
        return header.index(column)

    found = Columns(
        tuple(place(column) for column in channels),
        place(label) if label else None,
        place(time) if time else None,
    )
    last = max(*found.channels, found.label or 0, found.time or 0)
    if last >= part.columns:
        raise InputError(f"{path}: column {last + 1} of {part.columns} is asked for; correct semgjax.toml", "no-column")
    return found


class _Start:
    """Removes what stands before the first sample: skipped lines and the header, which is kept."""

    def __init__(self, path: Path, part: TextPart) -> None:
        self._path, self._part = path, part
        self._skip, self._due = part.skip, part.header
        self.header: list[str] = []

    def cut(self, chunk: Chunk) -> Chunk | None:
        """The chunk without these lines; None if nothing is left."""
        if not (self._skip or self._due):
            return chunk
        lines = chunk.data.split(b"\n")
        mark, taken = self._part.comment.encode(), 0
        for taken, line in enumerate(lines, 1):
            if self._skip:
                self._skip -= 1
            elif self._due and line.strip() and not (mark and line.lstrip().startswith(mark)):
                self.header = header_cells(line.decode(), self._part.delimiter)
                self._due = False
                _check_header(self._path, self._part, self.header, chunk.first + taken - 1)
            if not (self._skip or self._due):
                break
        rest = b"\n".join(lines[taken:])
        return Chunk(chunk.path, chunk.first + taken, rest) if rest else None


def header_cells(line: str, delimiter: str) -> list[str]:
    """The names of a header's columns, without quotes and blanks around them."""
    if delimiter == "space":
        cells = next(csv.reader([" ".join(line.split())], delimiter=" "), [])
    else:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    return [cell.strip() for cell in cells]


def _check_header(path: Path, part: TextPart, header: list[str], line: int) -> None:
    if len(header) != part.columns:
        other = next((d for d in (",", ";", "\t", "|") if len(header_cells("".join(header), d)) == part.columns), "")
        hint = f", or set text.delimiter to {other!r}" if other and len(header) == 1 else ""
        raise InputError(
            f"{path}: line {line}, the header, has {len(header)} cells, expected {part.columns} (text.columns); "
            f"correct it{hint}",
            "bad-row",
        )
    if header and all(_NUMBER.fullmatch(cell) for cell in header if cell):
        raise InputError(
            f"{path}: line {line}, the header, holds numbers only ({header[0]}...); set text.header to false if the "
            "file has none",
            "bad-row",
        )


def _first_cell(lines: Lines, place: int) -> str:
    first = lines.text.lstrip("\n").partition("\n")[0]
    return first.split(lines.delimiter)[place].strip()


def _values(chunk: Chunk, part: TextPart, lines: Lines, columns: Columns, names: Labels | None) -> np.ndarray:
    """float64[samples, channels and then label, time] of a chunk."""
    order = [*columns.channels, *(place for place in (columns.label, columns.time) if place is not None)]
    used = sorted(set(order))
    whole = used == list(range(part.columns))
    converters: Any = {columns.label: names} if names is not None else None
    try:
        found = np.loadtxt(
            io.StringIO(lines.text),
            delimiter=lines.delimiter,
            comments=None,
            usecols=None if whole else used,
            converters=converters,
            ndmin=2,
        )
    except ValueError as error:
        _explain(chunk, part, lines, columns, names is not None)
        line = " ".join(str(error).split())
        raise InputError(f"{chunk.path}: lines from {chunk.first} cannot be read ({line})", "bad-number") from None
    if names is not None and len(names) > MOST_LABELS:
        raise InputError(
            f"{chunk.path}: has more than {MOST_LABELS:,} different labels; is labels.column the column of the class?",
            "bad-field",
        )
    places = [used.index(place) for place in order]
    return found if places == list(range(len(used))) else found[:, places]


def _explain(chunk: Chunk, part: TextPart, lines: Lines, columns: Columns, textual: bool) -> None:
    """Raise an InputError at the first cell that is no number."""
    used = sorted({*columns.channels, *(p for p in (columns.label, columns.time) if p is not None)})
    for row, text in enumerate(line for line in lines.text.split("\n") if line.strip(" \t")):
        cells = text.split(lines.delimiter)
        for place in used:
            cell = cells[place].strip()
            if _is_number(cell) or (textual and place == columns.label):
                continue
            line = line_of_row(chunk, part, row)
            what = f"{cell[:40]!r}, expected a number" if cell else "empty"
            raise InputError(
                f"{chunk.path}: line {line}, column {place + 1} is {what}; "
                f"correct it{_decimal_hint(part, chunk, line)}",
                "bad-number",
            )


def _decimal_hint(part: TextPart, chunk: Chunk, line: int) -> str:
    if part.decimal == "." and part.delimiter != "," and re.search(r"\d,\d", text_of_line(chunk, line)):
        return ", or set text.decimal to ','"
    return ""


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell)) or cell.lower().lstrip("+-") in ("nan", "inf", "infinity")


def _block(
    chunk: Chunk, part: TextPart, columns: Columns, values: np.ndarray, done: int, names: Labels | None
) -> Block:
    """Values as a block, checked to be finite."""
    finite = np.isfinite(values)
    if not finite.all():
        row, place = (int(index) for index in np.argwhere(~finite)[0])
        order = [*columns.channels, *(p for p in (columns.label, columns.time) if p is not None)]
        line = line_of_row(chunk, part, row)
        raise InputError(
            f"{chunk.path}: line {line}, column {order[place] + 1} is {values[row, place]}; repair it or leave the "
            "file out",
            "not-finite",
        )
    width = len(columns.channels)
    label = None if columns.label is None else values[:, width]
    time = None if columns.time is None else values[:, -1]
    return Block(
        values[:, :width],
        label,
        time,
        number_name if names is None else names.name,
        lambda row: f"line {line_of_row(chunk, part, row)}",
        done,
    )


def number_name(value: object) -> str:
    """The name of a label that is a number: 3 for 3, 3.0 and 03; 2.5 for 2.5."""
    number = float(value)  # type: ignore[arg-type]
    return str(int(number)) if math.isfinite(number) and number == int(number) else repr(number)
