"""The table of a study that is made piece by piece: a stopped study resumes at the piece that its table lacks."""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from semgjax.files import write_atomic

Row = dict[str, str]


class Named(Protocol):
    """A piece of a study."""

    @property
    def name(self) -> str:
        """What its row in the table has in the column "piece"."""
        ...


One = TypeVar("One", bound=Named)


def make_rows(
    path: Path,
    columns: Sequence[str],
    pieces: Iterable[One],
    only: str,
    make: Callable[[One], dict[str, Any]],
    measure: str = "error",
) -> list[Row]:
    """The rows of a table, after making those that it lacks; the table is written after every piece.

    Args:
        path: of the table, which has the columns "piece" and `measure`; may not exist yet.
        only: the pieces whose name contains this.
        make: the row of a piece, without its name; a column that is missing or None stays empty.
        measure: column that is said of each piece.
    """
    rows = {row["piece"]: row for row in read_rows(path)} if path.exists() else {}
    for piece in pieces:
        if only in piece.name and piece.name not in rows:
            made = {"piece": piece.name, **make(piece)}
            rows[piece.name] = {name: cell(made.get(name)) for name in columns}
            write_rows(path, columns, list(rows.values()))
            print(f"{piece.name}: {measure} {rows[piece.name][measure]}", file=sys.stderr, flush=True)
    return list(rows.values())


def read_rows(path: Path) -> list[Row]:
    """The rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def cell(value: Any) -> str:
    """A value of a table as text."""
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write a table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(path, text.getvalue())
