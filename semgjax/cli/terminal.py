"""Output to a terminal: any encoding, and lines and columns that names from files cannot break."""

import contextlib
import os
import select
import shutil
import sys
import unicodedata
from collections.abc import Sequence

from semgjax.printable import printable

_NARROWEST, _WIDEST = 40, 1000


def prepare() -> None:
    """Prepare the standard streams; a closed one behaves like /dev/null.

    Characters that the encoding lacks are written as \\xe9, \\u4e00 and the like. A width that is too small for a help
    page (COLUMNS=1) is raised to the smallest usable one.
    """
    # Otherwise the next opened file would get the closed stream's number, and the output would go into it.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            # Open for the life of the process.
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # a replacement stream without an encoding
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # A notebook kernel passes its own backend to child processes, which may lack it; figures are drawn without one.
    if os.environ.get("MPLBACKEND", "agg").lower() not in ("", "agg"):
        os.environ["MPLBACKEND"] = "agg"
    width = shutil.get_terminal_size().columns
    if "COLUMNS" in os.environ or width < _NARROWEST:
        os.environ["COLUMNS"] = str(min(max(width, _NARROWEST), _WIDEST))


def reader_is_gone() -> bool:
    """Whether the reader of stdout or stderr closed the pipe (`semgjax ... | head`); then drops what is buffered."""
    gone = False
    for number in (1, 2):
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
            drop(number)
            gone = True
    return gone


def drop(number: int) -> None:
    """Redirect a stream to /dev/null, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def say(text: object, lines: bool = False, error: bool = False) -> None:
    """Print text that may contain names from files, with control characters escaped; `lines` keeps line breaks."""
    print(printable(text, keep="\n" if lines else ""), file=sys.stderr if error else sys.stdout, flush=error)


def say_columns(rows: Sequence[Sequence[str]], texts: Sequence[int] = (0, 1)) -> None:
    """Print a table, first row as heading: the columns `texts` left-aligned, the others right-aligned.

    A column without a heading is not padded.
    """
    table = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = []
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blanks = " " * (width - width_of(cell))
            if index in texts:
                cells.append(cell + blanks)
            elif not table[0][index]:
                cells.append(cell)
            else:
                cells.append(blanks + cell)
        print("  ".join(cells).rstrip())


def width_of(text: str) -> int:
    """The width of a printable text on a terminal: East Asian letters take two cells, combining accents none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)
