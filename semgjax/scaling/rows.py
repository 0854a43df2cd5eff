"""Rows of a table as text cells: of a CSV or JSON Lines file, a sweep's folder, a dict of columns or a frame."""

import csv
import io
import numbers
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from semgjax.cells import unprotect
from semgjax.errors import InputError
from semgjax.files import parse_json, read_text
from semgjax.measures import MEASURES

Row = tuple[str, dict[str, str]]  # place in the table ("line 3"), cells by column

RESULTS = "results.csv"
"""the table that `semgjax sweep collect` writes into a sweep's folder"""
SWEEP_COLUMNS = ("run", "split", "decoder", "averaging", "user")
"""A table with all of these and an error rate was written by `semgjax sweep collect`: its meaning is known."""
_MEMORY = Path("table")
# How columns of pandas, NumPy and JAX, of polars, and of Arrow give a list of plain Python values.
_TO_LIST = ("tolist", "to_list", "to_pylist")


def sweep_error(columns: Iterable[str]) -> str | None:
    """The column of the error rate of a sweep's table: cer or event_error_rate; None if it is another table."""
    found = set(columns)
    return next((name for name in MEASURES if {*SWEEP_COLUMNS, name} <= found), None)


def name_of(source: Any) -> Path:
    """What messages call a table: the path of its file, or "table" of one in memory.

    Raises:
        InputError: a folder without results.csv.
    """
    if not isinstance(source, str | Path):
        return _MEMORY
    path = Path(source)
    if not path.is_dir():
        return path
    if not (path / RESULTS).exists():
        raise InputError(
            f"{path}: is a folder without {RESULTS}; give a table, or a sweep's folder after `semgjax sweep collect`",
            "not-a-file",
        )
    return path / RESULTS


def rows_of(source: Any) -> list[Row]:
    """The rows of a table, at least one, every cell as a file would hold it; None and NaN are empty cells.

    Args:
        source: a path (.jsonl: one JSON object a line; a folder: its results.csv; else CSV), a mapping of column names
            to equally many values, or a frame with `columns` (pandas, polars) or `column_names` (Arrow).

    Raises:
        InputError: no such file, no table, no row, or a column that is there twice or has another length.
    """
    if isinstance(source, str | Path):
        return _file_rows(name_of(source))
    return _column_rows(_columns_of(source))


def _columns_of(source: Any) -> dict[str, list[str]]:
    if isinstance(source, Mapping):
        names = list(source)
    else:
        found = getattr(source, "columns", None)
        # An Arrow table's `columns` are the columns themselves.
        found = getattr(source, "column_names", found)
        if found is None or callable(found) or not hasattr(source, "__getitem__"):
            raise InputError(
                f"table: is {type(source).__name__}; give a path, a dict of columns, or a pandas or polars frame",
                "bad-value",
            )
        names = list(found)
    columns: dict[str, list[str]] = {}
    for name in names:
        if str(name) in columns:
            raise InputError(f"table: column {str(name)!r} is there twice; rename one", "bad-row")
        columns[str(name)] = [_cell(value) for value in _values(str(name), _column(source, name))]
    return columns


def _column(source: Any, name: Any) -> Any:
    try:
        return source[name]
    except (KeyError, IndexError, TypeError, ValueError) as error:  # a polars LazyFrame, say
        raise InputError(
            f"table: column {name!r} of {type(source).__name__} cannot be read ({type(error).__name__}); "
            "give a frame that holds its rows",
            "bad-value",
        ) from None


def _values(name: str, column: Any) -> list[Any]:
    for method in _TO_LIST:
        if hasattr(column, method):
            values = getattr(column, method)()
            break
    else:
        values = list(column) if hasattr(column, "__iter__") and not isinstance(column, str | bytes | Mapping) else None
    if not isinstance(values, list):
        raise InputError(
            f"table: column {name!r} is one {type(column).__name__}; give a value for every row", "bad-shape"
        )
    return values


def _column_rows(columns: dict[str, list[str]]) -> list[Row]:
    lengths = {name: len(values) for name, values in columns.items()}
    first = next(iter(lengths), None)
    if first is None or not any(lengths.values()):
        raise InputError("table: no rows; expected named columns and at least one row of results", "no-row")
    for name, length in lengths.items():
        if length != lengths[first]:
            raise InputError(
                f"table: column {name!r} has {length} values, {first!r} has {lengths[first]}; make them equally long",
                "bad-shape",
            )
    rows = zip(*columns.values(), strict=True)
    return [(f"row {number}", dict(zip(columns, cells, strict=True))) for number, cells in enumerate(rows)]


def _file_rows(path: Path) -> list[Row]:
    text = read_text(path, "a table, .csv or .jsonl", "utf-8-sig")
    if "\0" in text:
        raise InputError(f"{path}: holds NUL characters (UTF-16, or no text); save the table as UTF-8", "bad-encoding")
    rows = _jsonl_rows(path, text) if path.suffix == ".jsonl" else _csv_rows(path, text)
    if not rows:
        raise InputError(f"{path}: no rows; expected a header and at least one row of results", "no-row")
    return rows


def _csv_rows(path: Path, text: str) -> list[Row]:
    # Lines end where CSV's do, not at every character that Unicode calls a line end.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines, begin = [], 1
    try:
        for cells in reader:
            lines.append((begin, [cell.strip() for cell in cells]))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path}: the row that begins in line {begin} is no CSV ({error}); close its quotes", "bad-row"
        ) from None
    if lines and lines[0][1] == ["sep=", ""]:
        lines = lines[1:]  # a spreadsheet's hint that cells end at commas, as they do here
    header = lines[0][1] if lines else []
    if len(header) == 1 and header[0].lower().startswith("sep="):
        raise InputError(
            f"{path}: line 1: says that cells end at {header[0][4:]!r}; save the table with commas", "bad-row"
        )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"{path}: line 1: column {twice!r} is there twice; rename one", "bad-row")
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise InputError(f"{path}: line 1 has no comma but another separator; write the table with commas", "bad-row")
    written_here = sweep_error(header) is not None
    rows = []
    for number, cells in lines[1:]:
        if not cells:
            continue
        if len(cells) != len(header):
            raise InputError(f"{path}: line {number} has {len(cells)} cells, the header has {len(header)}", "bad-row")
        # In a table of another program an apostrophe may be part of the text.
        values = [unprotect(cell) for cell in cells] if written_here else cells
        rows.append((f"line {number}", dict(zip(header, values, strict=True))))
    return rows


def _jsonl_rows(path: Path, text: str) -> list[Row]:
    objects: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        value = parse_json(line, f"{path}: line {number}")
        if not isinstance(value, dict):
            raise InputError(f"{path}: line {number} is no JSON object; expected one per line", "bad-row")
        objects.append((number, value))
    columns = dict.fromkeys(name for _, value in objects for name in value)
    return [(f"line {number}", {name: _cell(value.get(name)) for name in columns}) for number, value in objects]


def _cell(value: object) -> str:
    """A value as a file would hold it; numbers in full precision."""
    if isinstance(value, str):
        return value
    if _is_missing(value):
        return ""
    if hasattr(value, "item"):  # a NumPy scalar within a list
        value = value.item()
    return repr(value) if isinstance(value, numbers.Real) else str(value)


def _is_missing(value: object) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN, of any library
    except TypeError:  # pandas.NA is neither true nor false
        return True
    except ValueError:  # an array: no missing value, and no number either
        return False
