"""Events from a list: a table beside the signal, or arrays of the signal's own file; placed on its samples."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semgjax.data.tabular.array_files import opened_arrays, value_name
from semgjax.data.tabular.clean_text import chunks
from semgjax.data.tabular.declaration import Column, EventsPart, LabelsPart
from semgjax.data.tabular.delimited import header_cells
from semgjax.data.tabular.label_runs import Event, class_of
from semgjax.errors import InputError

_NEAR = 0.01
"""A time within a hundredth of a sample's length of a sample is that sample's: text and float32 round."""


@dataclass(frozen=True)
class Listed:
    """A row of a list of events, in the list's unit; `end` is NaN where there is none.

    Attributes:
        place: "line 7", for messages.
        slack: how far, in the list's unit, the numbers are rounded by their type.
    """

    onset: float
    end: float
    label: str
    place: str
    slack: float = 0.0


def listed_in_table(path: Path, part: EventsPart) -> list[Listed]:
    """The rows of a table of events.

    Raises:
        InputError: no such file, a missing column ("no-column"), or a row that cannot be used ("bad-row",
            "bad-number").
    """
    rows = _rows(path, part)
    header: Sequence[str] = ()
    if part.header:
        line, header = next(rows, (1, []))
        if part.columns and len(header) != part.columns:
            raise _ragged(path, line, len(header), part.columns)
    width = len(header) or part.columns
    found = []
    for line, cells in rows:
        width = width or len(cells)
        if len(cells) != width:
            raise _ragged(path, line, len(cells), width)

        def number(column: Column, cells: list[str] = cells, line: int = line) -> float:
            cell = cells[_place(path, column, header, len(cells))]
            try:
                value = float(cell) if "_" not in cell else math.nan
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise InputError(
                    f"{path}: line {line}, column {column!r} is {cell[:40]!r}, expected a number; correct it",
                    "bad-number",
                )
            return value

        label = cells[_place(path, part.label, header, len(cells))]
        onset = number(part.onset)
        end = number(part.end) if part.end else onset + number(part.duration) if part.duration else math.nan
        found.append(Listed(onset, end, _plain(label), f"line {line}"))
    return found


def _plain(label: str) -> str:
    """3.0 is the label 3, as in a column of numbers."""
    text = label.strip()
    whole, _, zeros = text.partition(".")
    return whole if zeros and not zeros.strip("0") and whole.lstrip("+-").isdigit() else text


def _rows(path: Path, part: EventsPart) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of all lines that are not blank."""
    for chunk in chunks(path):
        for offset, text in enumerate(chunk.data.decode().split("\n")):
            if text.strip():
                if text.count('"') % 2:
                    raise InputError(
                        f"{path}: line {chunk.first + offset} has a quote that is not closed; close it", "bad-row"
                    )
                yield chunk.first + offset, header_cells(text, part.delimiter)


def _ragged(path: Path, line: int, count: int, expected: int) -> InputError:
    return InputError(
        f"{path}: line {line} has {count} cells, expected {expected}; correct it, or events.delimiter", "bad-row"
    )


def _place(path: Path, column: Column, header: Sequence[str], width: int) -> int:
    if isinstance(column, int) and 1 <= column <= width:
        return column - 1
    if isinstance(column, str) and list(header).count(column) == 1:
        return list(header).index(column)
    have = ", ".join(map(repr, list(header)[:40])) or f"numbers 1 to {width}"
    raise InputError(
        f"{path}: has no single column {column!r}; it has {have}; correct semgjax.toml or the file", "no-column"
    )


def listed_in_arrays(path: Path, part: EventsPart) -> list[Listed]:
    """The events in arrays of a .npz or .mat file.

    Raises:
        InputError: an array is missing ("no-column"), or they differ in length ("bad-shape").
    """
    with opened_arrays(path) as arrays:
        names = [str(c) for c in (part.onset, part.label, part.end or part.duration) if c]
        found = [arrays.vector(name) for name in names]
    if len({len(values) for values in found}) > 1:
        sizes = ", ".join(f"{name} {len(values)}" for name, values in zip(names, found, strict=True))
        raise InputError(f"{path}: the arrays of events differ in length ({sizes}); correct the file", "bad-shape")
    numbers = [values for index, values in enumerate(found) if index != 1]
    for values in numbers:
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise InputError(f"{path}: the times of events are not all finite numbers; correct the file", "bad-number")
    onsets = numbers[0].astype(np.float64)
    ends = numbers[1].astype(np.float64) if len(numbers) > 1 else np.full(len(onsets), np.nan)
    if part.duration:
        ends = onsets + ends
    rounding = max((np.finfo(values.dtype).eps if values.dtype.kind == "f" else 0.0) for values in numbers)
    return [
        Listed(
            float(onset), float(end), value_name(label), f"event {number}", float(rounding * max(abs(onset), abs(end)))
        )
        for number, (onset, end, label) in enumerate(zip(onsets, ends, found[1], strict=True), 1)
    ]


def placed(
    path: Path, listed: Sequence[Listed], part: EventsPart, labels: LabelsPart, rate: float, samples: int
) -> list[Event]:
    """The events on the samples of a signal.

    Raises:
        InputError: an event outside of the signal ("outside-signal"), one that ends before it begins ("bad-row"), or a
            label that is no class ("unknown-class").
    """
    found = []
    for event in listed:
        where = f"{path}: {event.place}"
        label = class_of(labels, event.label, lambda where=where: where)  # type: ignore[misc]
        if label is None:
            continue
        before, first = _samples_at(event.onset, event.slack, part, rate)
        last = -1
        if not math.isnan(event.end):
            last, after = _samples_at(event.end, event.slack, part, rate)
            if part.end_is == "after":
                last = after - 1
            if last < first:
                raise InputError(
                    f"{where} ends at {event.end:g}, before the sample of its start at {event.onset:g}; correct it, "
                    "or leave it out",
                    "bad-row",
                )
        if before < 0 or max(first, last) >= samples:
            raise InputError(
                f"{where} is from {event.onset:g} to {event.end:g} {part.unit}, outside of the signal's {samples} "
                f"samples ({samples / rate:g} s); correct it, events.unit or signal.rate",
                "outside-signal",
            )
        found.append(Event(label, first, before, last))
    return found


def _samples_at(value: float, slack: float, part: EventsPart, rate: float) -> tuple[int, int]:
    """(last sample at or before a time, first sample at or after it)."""
    scale = part.tick * rate
    place = value * scale if scale else value - part.first_sample
    near = round(place)
    if abs(place - near) <= max(_NEAR, 2 * slack * (scale or 1.0)):
        return near, near
    return math.floor(place), math.ceil(place)
