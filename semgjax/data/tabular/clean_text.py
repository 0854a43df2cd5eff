"""Blocks of a text file, and the same lines in a form that parses fast: one kind of line end, no quotes, no comments.

Every block ends with a whole line, so that memory does not grow with the file.
"""

import codecs
import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semgjax.data.tabular.declaration import TextPart
from semgjax.errors import InputError, system_fault

BLOCK = 1 << 22
"""Bytes of text that are read at once."""
LONGEST_LINE = 1 << 20
"""Bytes. A longer line means that the file is no text."""
CUT = "\x1f"
"""Delimiter of lines whose quoted cells hold the file's own delimiter."""

_NEWLINE, _QUOTE = 10, 34
_BLANKS = np.zeros(256, bool)
_BLANKS[[32, 9]] = True


@dataclass(frozen=True)
class Chunk:
    """Some whole lines of a file, as they are, with \n at their ends.

    Attributes:
        first: number of the first line, from 1.
    """

    path: Path
    first: int
    data: bytes


def chunks(path: Path, encoding: str = "utf-8", size: int = BLOCK) -> Iterator[Chunk]:
    """The lines of a file in order, as UTF-8 without a byte order mark.

    Raises:
        InputError: not readable, not text of this encoding ("bad-encoding"), or a line of more than a megabyte
            ("too-large").
    """
    number = 1
    try:
        with open(path, "rb") as file:
            rest = file.read(size)
            if rest.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise InputError(f"{path}: is UTF-16 text; save it as UTF-8", "bad-encoding")
            rest = rest.removeprefix(codecs.BOM_UTF8)
            while rest:
                more = file.read(size)
                # A \r at the end may be half of a line end.
                end = len(rest) if not more else max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1)) + 1
                whole, rest = rest[:end], rest[end:] + more
                if not whole and len(rest) > LONGEST_LINE + size:
                    raise InputError(
                        f"{path}: line {number} is longer than {LONGEST_LINE:,} bytes; is this a table?", "too-large"
                    )
                if whole:
                    yield (chunk := Chunk(path, number, _as_utf8(path, number, whole, encoding)))
                    number += chunk.data.count(b"\n")
    except OSError as error:
        raise system_fault(error, path) or InputError(f"{path}: {error.strerror}", "unreadable") from None


def _as_utf8(path: Path, number: int, data: bytes, encoding: str) -> bytes:
    if b"\0" in data:
        line = number + data[: data.index(b"\0")].count(b"\n")
        raise InputError(f"{path}: line {line} holds a zero byte; is this a text file?", "bad-encoding")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if encoding == "utf-8":
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line = number + data[: error.start].count(b"\n")
            raise InputError(
                f"{path}: line {line} is not UTF-8 (byte {data[error.start]:#04x}); set text.encoding to 'latin-1' if "
                "it is that, or save the file as UTF-8",
                "bad-encoding",
            ) from None
        return data
    return data.decode(encoding).encode()


@dataclass(frozen=True)
class Lines:
    """The lines of a chunk that hold samples: no comments, no blank lines, no quotes, each of the same number of cells.

    Attributes:
        delimiter: what stands between cells; None for any blanks.
    """

    text: str
    delimiter: str | None


def clean(chunk: Chunk, part: TextPart) -> Lines:
    """The samples' lines of a chunk, checked for their number of cells.

    Raises:
        InputError: the first line that has another number of cells, or a quote that is not closed ("bad-row").
    """
    data = chunk.data
    if part.comment and part.comment.encode() in data:
        data = _without_comments(data, part.comment.encode())
    if not data.endswith(b"\n"):
        data += b"\n"
    delimiter = None if part.delimiter == "space" else part.delimiter
    buffer = np.frombuffer(data, np.uint8)
    if _QUOTE in buffer:
        inside = (np.cumsum(buffer == _QUOTE) & 1).astype(bool)
        open_at = np.flatnonzero(inside & (buffer == _NEWLINE))
        if len(open_at):
            line = line_of_row(chunk, part, int(np.count_nonzero(_line_starts(buffer)[: open_at[0] + 1])) - 1)
            raise InputError(f"{chunk.path}: line {line} has a quote that is not closed; close it", "bad-row")
        cuts = _BLANKS[buffer] if delimiter is None else buffer == ord(delimiter)
        if (inside & cuts).any() or not _encloses_cells(buffer, cuts):
            return _recut(chunk, part, data)
        data = data.translate(None, b'"')
        buffer = np.frombuffer(data, np.uint8)
    _check_cells(chunk, part, buffer, delimiter)
    text = data.decode()
    return Lines(text.replace(",", ".") if part.decimal == "," else text, delimiter)


def _encloses_cells(buffer: np.ndarray, cuts: np.ndarray) -> bool:
    """Whether every quote opens a cell at its start or closes it at its end."""
    edges = np.concatenate([[True], cuts | _BLANKS[buffer] | (buffer == _NEWLINE)])
    quotes = np.flatnonzero(buffer == _QUOTE)
    return bool(edges[quotes[::2]].all() and edges[quotes[1::2] + 2].all())


def _without_comments(data: bytes, mark: bytes) -> bytes:
    return b"\n".join(line for line in data.split(b"\n") if not line.lstrip().startswith(mark))


def _line_starts(buffer: np.ndarray) -> np.ndarray:
    """bool at every byte that begins a line that is not empty."""
    before = np.concatenate([[True], buffer[:-1] == _NEWLINE])
    return before & (buffer != _NEWLINE)


def _check_cells(chunk: Chunk, part: TextPart, buffer: np.ndarray, delimiter: str | None) -> None:
    """Count the cells of every line that is not empty."""
    newlines = np.flatnonzero(buffer == _NEWLINE)
    if delimiter is None:
        blank = _BLANKS[buffer] | (buffer == _NEWLINE)
        cells = np.flatnonzero(~blank & np.concatenate([[True], blank[:-1]]))
        counts = np.diff(np.searchsorted(cells, newlines), prepend=0)
        counts = counts[counts > 0]
    else:
        cuts = np.flatnonzero(buffer == ord(delimiter))
        counts = np.diff(np.searchsorted(cuts, newlines), prepend=0) + 1
        counts = counts[np.diff(newlines, prepend=-1) > 1]
    wrong = np.flatnonzero(counts != part.columns)
    if len(wrong):
        line = line_of_row(chunk, part, int(wrong[0]))
        raise InputError(
            f"{chunk.path}: line {line} has {_cells(int(counts[wrong[0]]))}, expected {part.columns} "
            f"(text.columns) between {part.delimiter!r}; correct it{_other_delimiter(chunk, part, line)}",
            "bad-row",
        )


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _other_delimiter(chunk: Chunk, part: TextPart, line: int) -> str:
    """A hint if another delimiter cuts the line into the expected number of cells."""
    text = text_of_line(chunk, line)
    for other in (",", ";", "\t", "|"):
        if other != part.delimiter and len(text.split(other)) == part.columns > 1:
            return f", or set text.delimiter to {other!r}"
    if part.delimiter != "space" and len(text.split()) == part.columns > 1:
        return ", or set text.delimiter to 'space'"
    return ""


def _recut(chunk: Chunk, part: TextPart, data: bytes) -> Lines:
    """Lines whose quoted cells hold the delimiter, cut by the csv module."""
    lines = data.decode().split("\n")
    blank = part.delimiter == "space"
    kept = [line for line in lines if line.strip()]
    reader = csv.reader(kept, delimiter=" " if blank else part.delimiter, skipinitialspace=blank)
    rows = []
    for row, cells in enumerate(reader):
        cells = [cell for cell in cells if cell] if blank else cells
        if len(cells) != part.columns:
            line = line_of_row(chunk, part, row)
            raise InputError(
                f"{chunk.path}: line {line} has {_cells(len(cells))}, expected {part.columns} (text.columns); "
                "correct it",
                "bad-row",
            )
        rows.append(CUT.join(cells))
    text = "\n".join(rows) + "\n"
    return Lines(text.replace(",", ".") if part.decimal == "," else text, CUT)


def line_of_row(chunk: Chunk, part: TextPart, row: int) -> int:
    """The number of the line that holds a chunk's sample, from the sample's number in the chunk."""
    mark = part.comment.encode()
    numbers = (
        chunk.first + index
        for index, line in enumerate(chunk.data.split(b"\n"))
        if (line.strip() if part.delimiter == "space" else line) and not (mark and line.lstrip().startswith(mark))
    )
    return next(itertools.islice(numbers, row, None))


def text_of_line(chunk: Chunk, line: int) -> str:
    """A line of a chunk by its number."""
    return chunk.data.split(b"\n")[line - chunk.first].decode()
