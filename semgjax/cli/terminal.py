"""Where text reaches a terminal: streams that take every character, lines and columns that no name can break."""

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
    """Make the standard streams fit for whatever is printed; a closed one is as good as /dev/null.

    Any encoding will do: characters that it lacks are written as \\xe9, \\u4e00 and the like. A width that no help
    page fits into (COLUMNS=1) is taken as the narrowest that one does.
    """
    # A closed stream's number would go to the next file that is opened, and what is printed into that file.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            # Kept for the life of the process.
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # a stand-in without an encoding
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # A notebook's kernel gives its children a backend that they may not have; we draw without one, and never on screen.
    if os.environ.get("MPLBACKEND", "agg").lower() not in ("", "agg"):
        os.environ["MPLBACKEND"] = "agg"
    width = shutil.get_terminal_size().columns
    if "COLUMNS" in os.environ or width < _NARROWEST:
        os.environ["COLUMNS"] = str(min(max(width, _NARROWEST), _WIDEST))


def reader_is_gone() -> bool:
    """Whether who read our output or our errors went away (`semgjax ... | head`); drops what is still buffered then."""
    gone = False
    for number in (1, 2):
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
            drop(number)
            gone = True
    return gone


def drop(number: int) -> None:
    """Send the rest of a stream nowhere, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def say(text: object, lines: bool = False, error: bool = False) -> None:
    """Print text that may hold names from files, controls written out; `lines`: it is meant to have several."""
    print(printable(text, keep="\n" if lines else ""), file=sys.stderr if error else sys.stdout, flush=error)


def say_columns(rows: Sequence[Sequence[str]], texts: Sequence[int] = (0, 1)) -> None:
    """Print rows of a table, the first its heading: columns `texts` to the left, the others to the right.

    A column without a heading is printed as it is, unpadded.
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
    """How many places of a terminal a printable text takes: East Asian letters two, accents of their own none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)
