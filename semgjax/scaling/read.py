"""Reads points to fit: a sweep's table, any table with named columns in a file, or one in memory."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.cell_numbers import check_column, factors_of, is_number, matching, numbers_in
from semgjax.scaling.rate_columns import beside, diverged_at, judged_by, rates_in
from semgjax.scaling.rows import SWEEP_COLUMNS, Row, name_of, rows_of, sweep_error
from semgjax.scaling.rungs import SWEEP_RUNG, Rung, best_rates, rung_numbers
from semgjax.scaling.table import Table

SWEEP_MAPPING = {"N": "params", "U": "users", "H": "hours/users", "D": "hours", "C": "flops"}
SWEEP_WHERE = {"split": "test", "averaging": "macro"}
# Rows of a sweep that differ in one of these do not lie on one curve.
ONE_CURVE = ("kind", "loss", "split", "decoder", "averaging", "user", "spliced")
# Columns beside the inputs that can be mapped: relative noise, id of a run, rows with shared noise, tested keys, and
# learning rates.
EXTRA = ("sd", "run", "cluster", "keys", "rate")
# Columns that say how the runs were trained: read along, in lower case, to see whether residuals move with them.
COVARIATES = ("steps", "tokens", "hours", "rate", "learning_rate", "lr")
# Inputs that count whole things.
_WHOLE = ("N", "U")


def read_table(
    source: Any,
    mapping: Mapping[str, str],
    where: Mapping[str, str],
    unit: str | None = None,
    inputs: Sequence[str] = ("N",),
    defaults: Mapping[str, str] | None = None,
    every_rate: bool = False,
) -> Table:
    """Read the points of one surface, ordered as in the table; of each rung those at its best learning rate.

    source: path of a .csv or .jsonl file or of a sweep's folder, a dict of columns, or a pandas or polars frame (see
    `semgjax.scaling.rows`). inputs: of the law. mapping: {input: column, "y": column}, and "sd", "run", "cluster",
    "keys", "rate" (learning rates; learning_rate and lr are known) where there are such columns; a column may be a
    product or quotient of columns and numbers, "flops/6/params". A sweep's table needs none (N params, U users, H
    hours/users, D hours, y its error rate). where: column -> the value that a row must have; in a sweep's table test
    rows averaged over users ("macro") unless chosen otherwise. unit: of y; "%" for the error rate of a sweep's table by
    default, else none. defaults: input -> the input whose value an empty cell takes. every_rate: rows
    at all learning rates, unjudged (for what does not depend on them, such as a cost).

    Raises:
        InputError: no such file or column, a value that is not a finite number above 0, no row left, a run twice,
            or rows of several curves (decoders, users, amounts of data) mixed.
    """
    path, rows = name_of(source), rows_of(source)
    columns = tuple(rows[0][1])
    error = sweep_error(columns)
    sweep = error is not None
    mapping, where = _complete(path, columns, error, mapping, where, (*inputs, "y"))
    every = rows
    rows = _select(path, rows, columns, where)
    if sweep:
        _check_one_curve(path, rows, columns, [mapping[name] for name in inputs])
    x: dict[str, np.ndarray] = {}
    for name in inputs:
        stand_in = x.get((defaults or {}).get(name, ""))
        if name in _WHOLE and mapping[name] in columns:
            _check_whole(path, rows, mapping[name])
        x[name] = numbers_in(path, rows, mapping[name], zero=name == "M", instead=stand_in)
    y = numbers_in(path, rows, mapping["y"])
    if unit is None:
        unit = "%" if sweep and mapping["y"] == error else ""
    run = mapping.get("run", "run" if "run" in columns else "")
    _check_runs(path, rows, run)
    rate, rates = ("", None) if every_rate else rates_in(path, rows, columns, mapping, inputs)
    rungs: tuple[Rung, ...] | None = () if rates is None and (rate or every_rate) else None
    rung_of = None
    if rates is not None:
        numbers = rung_numbers([cells for _, cells in rows], x, SWEEP_RUNG if sweep else beside(columns, rate))
        errors = judged_by(path, rows, every, where, mapping["y"], y) if sweep else y
        diverged = [diverged_at(path, row) for row in rows]
        rungs, kept = best_rates(x, numbers, rates, errors, diverged)
        rows = [row for row, used in zip(rows, kept, strict=True) if used]
        x, y, rung_of = {name: values[kept] for name, values in x.items()}, y[kept], numbers[kept]
    runs = tuple(cells[run] for _, cells in rows) if run else ()
    users, users_y = _users(path, rows, every, where, mapping["y"]) if sweep else ((), None)
    clusters = None
    if "cluster" in mapping:
        for line, cells in rows:
            if not cells[mapping["cluster"]]:
                text = f"column {mapping['cluster']} is empty; name the cluster of every row"
                raise InputError(f"{path}: {line}: {text}", "bad-row")
        clusters = np.unique([cells[mapping["cluster"]] for _, cells in rows], return_inverse=True)[1]
    return Table(
        x,
        y,
        unit,
        mapping["y"],
        {name: mapping[name] for name in inputs},
        path.name,
        dict(where),
        numbers_in(path, rows, mapping["sd"]) if "sd" in mapping else None,
        runs,
        users,
        users_y,
        clusters,
        _covariates(rows, columns, [mapping[name] for name in (*inputs, "y")]),
        numbers_in(path, rows, mapping["keys"]) if "keys" in mapping else None,
        sweep and any(cells.get("spliced") == "true" for _, cells in rows),
        rungs,
        rung_of,
        rate,
    )


def _covariates(rows: list[Row], columns: tuple[str, ...], mapped: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of known names that are no input, hold a number above 0 in every row."""
    used = {part for text in mapped for _, part in factors_of(columns, text)}
    found = {}
    for name in columns:
        cells = [row[1][name] for row in rows]
        if name.lower() in COVARIATES and name not in used and all(map(is_number, cells)):
            values = np.array(cells, np.float64)
            if (values > 0).all():
                found[name] = values
    return found


def read_user_points(
    source: Any, mapping: Mapping[str, str], where: Mapping[str, str], runs: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """(sizes [m], y [m]) of the single test users in a sweep's table, to see and not to fit; runs: of these alone.

    A user's error is shared by all runs, so these points are no independent measurements. Users who typed no
    key have no error rate and are left out.

    Raises:
        InputError: as `read_table`, or not a sweep's table.
    """
    path, rows = name_of(source), rows_of(source)
    columns = tuple(rows[0][1])
    error = sweep_error(columns)
    if error is None:
        missing = [name for name in (*SWEEP_COLUMNS, "cer") if name not in columns]
        raise InputError(f"{path}: no column {missing[0]!r}; only a sweep's table names its users", "no-column")
    mapping, where = _complete(path, columns, error, mapping, where, ("N", "y"))
    rows = _select(path, rows, columns, {**where, "averaging": "user"})
    rows = [row for row in rows if row[1][mapping["y"]] and (not runs or row[1]["run"] in runs)]
    return numbers_in(path, rows, mapping["N"]), numbers_in(path, rows, mapping["y"], zero=True)


def _users(
    path: Path, rows: list[Row], every: list[Row], where: Mapping[str, str], y: str
) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Errors of the single test users of the chosen runs [n, m]; NaN where one has none."""
    chosen = {**{k: v for k, v in where.items() if k in rows[0][1]}, "averaging": "user"}
    found: dict[tuple[str, str], float] = {}
    for name, value in chosen.items():
        every = matching(every, name, value)
    for line, cells in every:
        if all(cells[part] for _, part in factors_of(tuple(cells), y) if part in cells):
            if (cells["run"], cells["user"]) in found:
                raise InputError(
                    f"{path}: {line}: user {cells['user']} of run {cells['run']} is there twice; keep one row, or "
                    "choose one, where COLUMN=VALUE",
                    "duplicate-run",
                )
            found[cells["run"], cells["user"]] = float(numbers_in(path, [(line, cells)], y, zero=True)[0])
    users = tuple(dict.fromkeys(user for _, user in found))
    table = np.array([[found.get((cells["run"], user), np.nan) for user in users] for _, cells in rows])
    known = len(users) > 1 and bool(np.isfinite(table).any(axis=1).all())
    return (users, table) if known else ((), None)


def _complete(
    path: Path,
    columns: tuple[str, ...],
    error: str | None,
    mapping: Mapping[str, str],
    where: Mapping[str, str],
    needed: Sequence[str],
) -> tuple[dict[str, str], dict[str, str]]:
    """Mapping and filters with a sweep's defaults filled in, every column of them present.

    error: the error rate of a sweep's table, None of another table.
    """
    for name in mapping:
        if name not in (*needed, *EXTRA):
            raise InputError(
                f"{name}={mapping[name]}: no variable {name!r}; this law has {', '.join(needed)} "
                f"(and {', '.join(EXTRA)} may be given)",
                "unknown-name",
            )
    sweep = error is not None
    mapping = {**(SWEEP_MAPPING | {"y": error} if error is not None else {}), **mapping}
    for name in needed:
        if name not in mapping:
            table = "" if sweep else "not a table of `semgjax sweep collect`; "
            raise InputError(
                f"{path}: {table}say which column is {name}, {name}=COLUMN (it has {', '.join(columns)})",
                "no-column",
            )
    mapping = {name: mapping[name] for name in mapping if name in needed or name in EXTRA}
    for name in ("run", "cluster"):
        if name in mapping:
            check_column(path, columns, mapping[name])
    for text in mapping.values():
        for _, part in factors_of(columns, text):
            if not is_number(part):
                check_column(path, columns, part)
    names = [name for name in needed if list(mapping.values()).count(mapping[name]) > 1]
    if len(names) > 1:
        raise InputError(
            f"{path}: {names[0]} and {names[1]} are both column {mapping[names[0]]!r}; map them to two columns",
            "conflict",
        )
    for name in where:
        check_column(path, columns, name)
    return mapping, {**(SWEEP_WHERE if sweep else {}), **where}


def _select(path: Path, rows: list[Row], columns: tuple[str, ...], where: Mapping[str, str]) -> list[Row]:
    for name, wanted in where.items():
        kept = matching(rows, name, wanted)
        if not kept:
            raise InputError(f"{path}: no row has {name}={wanted}; column {name} holds {_values(rows, name)}", "no-row")
        rows = kept
    return rows


def _check_whole(path: Path, rows: list[Row], column: str) -> None:
    """Refuse 60.723 for 60,723: whole numbers whose thousands were marked by points."""
    marked = [line for line, cells in rows if re.fullmatch(r"\d{1,3}\.\d{3}", cells[column], re.ASCII)]
    others = [line for line, cells in rows if re.fullmatch(r"\d+", cells[column], re.ASCII)]
    if marked and len(rows) > 1 and len(marked) + len(others) == len(rows):
        cells = next(cells for line, cells in rows if line == marked[0])
        raise InputError(
            f"{path}: {marked[0]}: column {column} is {cells[column]}: thousands or a fraction? "
            f"Write whole numbers without points, or give a unit, as N={column}*1e6",
            "bad-number",
        )


def _values(rows: list[Row], column: str) -> str:
    found = list(dict.fromkeys(cells[column] or "(nothing)" for _, cells in rows))
    return ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")


def _check_one_curve(path: Path, rows: list[Row], columns: tuple[str, ...], mapped: Sequence[str]) -> None:
    used = {part for text in mapped for _, part in factors_of(columns, text)}
    design = [] if used & {"params", "flops"} else ["params"]
    # Users and hours grow together in many sweeps, so a curve over one of them leaves the other alone.
    design += [] if used & {"users", "hours"} else ["users", "hours"]
    for name in (*ONE_CURVE, *design):
        found = dict.fromkeys(cells[name] for _, cells in rows if name in cells)
        if len(found) > 1 and name not in used:
            raise InputError(
                f"{path}: column {name} holds {_values(rows, name)}: several curves; "
                f"choose one, where {name}={next(iter(found))}",
                "several-curves",
            )


def _check_runs(path: Path, rows: list[Row], run: str) -> None:
    if not run:
        return
    seen: dict[str, str] = {}
    for line, cells in rows:
        if cells[run] in seen:
            raise InputError(
                f"{path}: duplicated-run: run {cells[run]!r} is there twice ({seen[cells[run]]} and {line}); "
                "remove one",
                "duplicate-run",
            )
        seen[cells[run]] = line
