"""A first look at a text table: delimiter, header, and which columns are time, label and electrodes."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from semgjax.data.tabular.clean_text import chunks
from semgjax.data.tabular.declaration import Column, TextPart
from semgjax.data.tabular.delimited import header_cells
from semgjax.errors import InputError

_LINES = 2000  # of the first file that are looked at
_DELIMITERS = ("\t", ";", ",", "|", "space")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.ASCII | re.IGNORECASE)
_TIME = re.compile(r"(time|timestamp|times|t|ms|sec|seconds|us|zeit|temps|tempo|tiempo)\b|.*\btime\b", re.IGNORECASE)
_LABEL = re.compile(
    r"(re)?stimulus|label|labels|class|gesture|target|movement|trajectory_gt|y|pose|action|geste|klasse|traj(ectory)?_gt",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"(acc|gyr|mag|quat|imu|index|idx|frame|sample|counter|packet|rep|rerep|subject|user|session|trial|battery|temp|video)",
    re.IGNORECASE,
)
_EMG = re.compile(r"(s?emg|ch|channel|kanal|canal|electrode|sensor|e|c)[ _\-]*\d+", re.IGNORECASE)


@dataclass(frozen=True)
class TextLook:
    """What the first lines of a text table show.

    Attributes:
        header: names of the columns; () if there are none.
        time: column of the times, or ""; likewise `label`.
        passed: columns that are neither.
        step: the median difference of times; 0 without times.
        unit: of the times, if the header says it; likewise of the signal.
    """

    text: TextPart
    header: tuple[str, ...]
    channels: tuple[Column, ...]
    time: Column
    label: Column
    passed: tuple[str, ...]
    step: float = 0.0
    time_unit: str = ""
    unit: str = ""


def look_at_text(path: Path) -> TextLook:
    """Look at a file's first lines.

    Raises:
        InputError: not readable, empty ("empty"), or no table of numbers ("bad-row").
    """
    encoding, lines = _first_lines(path)
    comment = next((mark for mark in ("#", "%", "//") if any(line.lstrip().startswith(mark) for line in lines)), "")
    rows = [
        (n, line)
        for n, line in enumerate(lines)
        if line.strip() and not (comment and line.lstrip().startswith(comment))
    ]
    if not rows:
        raise InputError(f"{path}: holds no samples; leave it out", "empty")
    best = max((_score(rows, delimiter) for delimiter in _DELIMITERS), key=lambda score: score[:2])
    _, _, delimiter, width, first = best
    cells = [header_cells(line, delimiter) for _, line in rows[first:]]
    cells = [row for row in cells if len(row) == width]
    header = [] if _numeric(cells[0]) * 2 > width else cells.pop(0)
    if not cells or not any(map(_is_number, cells[0])):
        raise InputError(f"{path}: no lines of numbers in its first {len(lines)} lines; is this a table?", "bad-row")
    commas = delimiter != "," and any("," in cell and _is_number(cell) for row in cells[:50] for cell in row)
    part = TextPart(
        columns=width,
        delimiter=delimiter,
        header=bool(header),
        skip=rows[first][0] if first or comment == "" else 0,
        comment=comment,
        decimal="," if commas else ".",
        encoding="latin-1" if encoding == "latin-1" else "utf-8",
    )
    if comment and part.skip:
        part = replace(part, skip=rows[first][0])
    with np.errstate(invalid="ignore"):  # differences of infinite values
        return _roles(part, header, cells)


def _first_lines(path: Path) -> tuple[str, list[str]]:
    """(encoding, the first lines), without a last line that may be cut off."""
    for encoding in ("utf-8", "latin-1"):
        try:
            for chunk in chunks(path, encoding, size=1 << 18):
                return encoding, chunk.data.decode().split("\n")[:_LINES]
        except InputError as error:
            if error.code != "bad-encoding" or encoding == "latin-1" or "UTF-16" in str(error) or "zero" in str(error):
                raise
        else:
            break
    raise InputError(f"{path}: holds no samples; leave it out", "empty")


def _score(rows: Sequence[tuple[int, str]], delimiter: str) -> tuple[float, int, str, int, int]:
    """(share of lines of the commonest width with a number in them, width, delimiter, width, first such line)."""
    widths = [len(header_cells(line, delimiter)) for _, line in rows]
    width = Counter(widths[len(widths) // 2 :]).most_common(1)[0][0]
    first = next(index for index, found in enumerate(widths) if found == width)
    good = 0.0
    for _, line in rows[first:]:
        cells = header_cells(line, delimiter)
        good += len(cells) == width and _numeric(cells) * 2 >= len([cell for cell in cells if cell])
    return good / len(rows) if width > 1 else 0.0, width, delimiter, width, first


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell))


def _numeric(cells: Sequence[str]) -> int:
    return sum(map(_is_number, cells))


def _roles(part: TextPart, header: list[str], cells: list[list[str]]) -> TextLook:
    columns: list[Column] = list(range(1, part.columns + 1))
    if header:
        columns = [name if name and header.count(name) == 1 else n for n, name in enumerate(header, 1)]
    values = {
        n: [row[n].replace(",", ".") if part.decimal == "," else row[n] for row in cells] for n in range(part.columns)
    }
    numbers = {n: np.array([float(v) for v in found]) for n, found in values.items() if all(map(_is_number, found))}
    time = _time_place(header, numbers)
    label = _label_place(header, values, numbers, time)
    rest = [n for n, found in numbers.items() if n not in (time, label) and not _is_counter(found)]
    named = [n for n in rest if header and _EMG.match(header[n]) and not _OTHER.match(header[n])]
    electrodes = named or [n for n in rest if not (header and _OTHER.match(header[n]))]
    steps = np.diff(numbers[time]) if time is not None else np.zeros(0)
    shown = header or [f"column {n}" for n in columns]
    units = [match[1] for n in electrodes if header and (match := re.search(r"[(\[]\s*(\S+?)\s*[)\]]", header[n]))]
    clock = (
        re.search(r"[(\[_ ](ms|us|s|sec|seconds)[)\]]?$", header[time], re.IGNORECASE)
        if header and time is not None
        else None
    )
    return TextLook(
        text=part,
        header=tuple(header),
        channels=tuple(columns[n] for n in electrodes),
        time="" if time is None else columns[time],
        label="" if label is None else columns[label],
        passed=tuple(shown[n] for n in range(part.columns) if n not in (*electrodes, time, label) and shown[n]),
        step=float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0,
        time_unit={"sec": "s", "seconds": "s"}.get(clock[1].lower(), clock[1].lower()) if clock else "",
        unit=units[0] if units else "",
    )


def _is_counter(found: np.ndarray) -> bool:
    """Whether a column counts or times the samples: no electrode rises by the same step all the time."""
    steps = np.diff(found)
    return len(steps) > 10 and steps[0] > 0 and bool(np.allclose(steps, steps[0], rtol=1e-3))


def _time_place(header: Sequence[str], numbers: dict[int, np.ndarray]) -> int | None:
    rising = [
        n for n, found in numbers.items() if len(found) > 2 and (np.diff(found) >= 0).all() and found[-1] > found[0]
    ]
    named = [n for n in rising if header and _TIME.match(header[n])]
    if named or (header and header[0]):
        return named[0] if named else None
    return 0 if 0 in rising and (np.diff(numbers[0]) > 0).mean() > 0.4 else None


def _label_place(
    header: Sequence[str], values: dict[int, list[str]], numbers: dict[int, np.ndarray], time: int | None
) -> int | None:
    named = [n for n in values if header and _LABEL.fullmatch(re.sub(r"\s*[(\[].*", "", header[n])) and n != time]
    if named:
        return named[-1]
    texts = [n for n, found in values.items() if n not in numbers and len(set(found)) <= 50 and all(found)]
    if texts:
        return texts[-1]
    last = max(numbers, default=None)
    if header or last is None or last == time or len(numbers) < 2:
        return None
    found = numbers[last]
    changes = int((np.diff(found) != 0).sum())
    return last if (found % 1 == 0).all() and changes <= max(len(found) // 20, 1) else None
