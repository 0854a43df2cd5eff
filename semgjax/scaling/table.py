"""Reads points to fit: results.csv or results.jsonl of a sweep, or any CSV with named columns."""

import csv
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError

Row = tuple[int, dict[str, str]]  # line in the file, cells by column

# A table with all of these was written by `semgjax sweep collect`: its meaning is known.
SWEEP_COLUMNS = ("run", "split", "decoder", "averaging", "user", "cer")
SWEEP_MAPPING = {"N": "params", "y": "cer"}
SWEEP_WHERE = {"split": "test", "averaging": "macro"}
# Rows of a sweep that differ in one of these do not lie on one curve of size. Users and hours grow together
# in many sweeps, so a curve over one of them leaves the other alone.
ONE_CURVE = ("kind", "split", "decoder", "averaging", "user")
DESIGN = {"params": ("users", "hours"), "users": ("params",), "hours": ("params",)}


@dataclass(frozen=True, eq=False)
class Table:
    """Points of one curve.

    sizes [n] > 0 and y [n] > 0, float64. size_name, y_name: their columns. unit: of y, "%" for an error rate
    in percent. source: name of the file. where: the filters that chose the rows.
    """

    sizes: np.ndarray
    y: np.ndarray
    size_name: str = "N"
    y_name: str = "y"
    unit: str = ""
    source: str = "arrays"
    where: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises InputError: no points, lengths that differ, or a value that is not finite and above 0."""
        for name, values in (("sizes", self.sizes), ("y", self.y)):
            if values.ndim != 1 or not len(values):
                raise InputError(f"{self.source}: {name} has shape {values.shape}, expected one row")
            wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
            if len(wrong):
                raise InputError(f"{self.source}: {name}[{wrong[0]}] is {values[wrong[0]]}, must be finite and above 0")
        if len(self.sizes) != len(self.y):
            raise InputError(f"{self.source}: {len(self.sizes)} sizes but {len(self.y)} values of y")


def table_of(sizes: ArrayLike, y: ArrayLike, unit: str = "") -> Table:
    """A table from two rows of n numbers.

    Raises:
        InputError: see Table.
    """
    return Table(np.array(sizes, np.float64), np.array(y, np.float64), unit=unit)


def read_table(path: Path, mapping: Mapping[str, str], where: Mapping[str, str], unit: str | None = None) -> Table:
    """Read the points of one curve, ordered as in the file.

    mapping: {"N": size column, "y": error column}; a sweep's table needs none (params and cer). where: column
    -> value that a row must have; in a sweep's table test rows averaged over users ("macro") unless told
    otherwise. unit: of y; by default "%" for the error rate of a sweep's table, else none.

    Raises:
        InputError: no such file or column, a value that is not a finite number above 0, no row left, a run
        twice,
            or rows of several curves (decoders, users, amounts of data) mixed.
    """
    rows = _read_rows(path)
    columns = tuple(rows[0][1])
    sweep = set(SWEEP_COLUMNS) <= set(columns)
    mapping, where = _complete(path, columns, sweep, mapping, where)
    rows = _select(path, rows, columns, where)
    if sweep:
        _check_one_curve(path, rows, mapping["N"])
    sizes, y = _numbers(path, rows, mapping["N"]), _numbers(path, rows, mapping["y"])
    if unit is None:
        unit = "%" if sweep and mapping["y"] == "cer" else ""
    return Table(sizes, y, mapping["N"], mapping["y"], unit, Path(path).name, dict(where))


def read_user_points(path: Path, mapping: Mapping[str, str], where: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """(sizes [m], y [m]) of the single test users in a sweep's table, to see and not to fit.

    A user's error is shared by all runs, so these points are no independent measurements. Users who typed no
    key have no error rate and are left out.

    Raises:
        InputError: as `read_table`, or not a sweep's table.
    """
    rows = _read_rows(path)
    columns = tuple(rows[0][1])
    if not set(SWEEP_COLUMNS) <= set(columns):
        missing = [name for name in SWEEP_COLUMNS if name not in columns]
        raise InputError(f"{path}: no column {missing[0]!r}; only a sweep's table names its users")
    mapping, where = _complete(path, columns, True, mapping, where)
    rows = _select(path, rows, columns, {**where, "averaging": "user"})
    rows = [row for row in rows if row[1][mapping["y"]]]
    return _numbers(path, rows, mapping["N"]), _numbers(path, rows, mapping["y"], zero=True)


def _read_rows(path: Path) -> list[Row]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (expected a table, .csv or .jsonl)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error})") from None
    rows = _jsonl_rows(path, text) if Path(path).suffix == ".jsonl" else _csv_rows(path, text)
    if not rows:
        raise InputError(f"{path}: no rows; expected a header and at least one row of results")
    return rows


def _csv_rows(path: Path, text: str) -> list[Row]:
    reader = csv.reader(text.splitlines())
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num} is no CSV ({error})") from None
    header = lines[0][1] if lines else []
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"{path}: line 1: column {twice!r} is there twice; rename one")
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise InputError(f"{path}: line 1 has no comma but another separator; write the table with commas")
    rows = []
    for number, cells in lines[1:]:
        if not cells:
            continue
        if len(cells) != len(header):
            raise InputError(f"{path}: line {number} has {len(cells)} cells, the header has {len(header)}")
        rows.append((number, dict(zip(header, cells, strict=True))))
    return rows


def _jsonl_rows(path: Path, text: str) -> list[Row]:
    objects: list[tuple[int, dict]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}: line {number} is no JSON ({error.msg}); write the table again") from None
        if not isinstance(value, dict):
            raise InputError(f"{path}: line {number} is no JSON object; expected one per line")
        objects.append((number, value))
    columns = dict.fromkeys(name for _, value in objects for name in value)
    return [(number, {name: _cell(value.get(name)) for name in columns}) for number, value in objects]


def _cell(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)


def _check_column(path: Path, columns: tuple[str, ...], name: str) -> None:
    if name in columns:
        return
    near = difflib.get_close_matches(name, columns, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(columns)}"
    raise InputError(f"{path}: no column {name!r}; {hint}")


def _complete(
    path: Path, columns: tuple[str, ...], sweep: bool, mapping: Mapping[str, str], where: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Mapping and filters with a sweep's defaults filled in, every column of them present."""
    for name in mapping:
        if name not in SWEEP_MAPPING:
            raise InputError(f"--map {name}={mapping[name]}: no variable {name!r}; a law of size has N and y")
    mapping = {**(SWEEP_MAPPING if sweep else {}), **mapping}
    for name in SWEEP_MAPPING:
        if name not in mapping:
            raise InputError(
                f"{path}: not a table of `semgjax sweep collect`; say which column is {name}: "
                f"--map {name}=COLUMN (it has {', '.join(columns)})"
            )
        _check_column(path, columns, mapping[name])
    if mapping["N"] == mapping["y"]:
        raise InputError(f"{path}: N and y are both column {mapping['N']!r}; map them to two columns")
    for name in where:
        _check_column(path, columns, name)
    return mapping, {**(SWEEP_WHERE if sweep else {}), **where}


def _same(cell: str, wanted: str) -> bool:
    if cell == wanted:
        return True
    try:
        return float(cell) == float(wanted)
    except ValueError:
        return False


def _select(path: Path, rows: list[Row], columns: tuple[str, ...], where: Mapping[str, str]) -> list[Row]:
    for name, wanted in where.items():
        kept = [row for row in rows if _same(row[1][name], wanted)]
        if not kept:
            raise InputError(f"{path}: no row has {name}={wanted}; column {name} holds {_values(rows, name)}")
        rows = kept
    return rows


def _values(rows: list[Row], column: str) -> str:
    found = list(dict.fromkeys(cells[column] or "(nothing)" for _, cells in rows))
    return ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")


def _check_one_curve(path: Path, rows: list[Row], size_column: str) -> None:
    for name in (*ONE_CURVE, *DESIGN.get(size_column, ())):
        found = dict.fromkeys(cells[name] for _, cells in rows if name in cells)
        if len(found) > 1 and name != size_column:
            raise InputError(
                f"{path}: column {name} holds {_values(rows, name)}: several curves; "
                f"choose one with --where {name}={next(iter(found))}"
            )
    seen: dict[str, int] = {}
    for line, cells in rows:
        if cells["run"] in seen:
            raise InputError(
                f"{path}: run {cells['run']!r} is there twice (lines {seen[cells['run']]} and {line}); remove one"
            )
        seen[cells["run"]] = line


def _numbers(path: Path, rows: list[Row], column: str, zero: bool = False) -> np.ndarray:
    values = []
    for line, cells in rows:
        text = cells[column]
        try:
            value = float(text)
        except ValueError:
            shown = repr(text) if text else "empty"
            raise InputError(
                f"{path}: line {line}: column {column} is {shown}, not a number; mend or remove that row"
            ) from None
        if not (np.isfinite(value) and (value > 0 or zero and value == 0)):
            raise InputError(
                f"{path}: line {line}: column {column} is {text}; a law on a log scale needs finite values "
                "above 0: mend or remove that row"
            )
        values.append(value)
    return np.array(values, np.float64)
