"""`semgjax.forecast`, `settle` and `forecast_record`: predictions signed before a run, settled after it, and scored."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semgjax.api.fitting import FittedLaw
from semgjax.errors import InputError
from semgjax.scaling.ledger.ledger_entries import at_place, check_new, forecast_body, forecast_to_settle, result_body
from semgjax.scaling.ledger.ledger_file import Entry, append, check_head, open_ledger, read_ledger
from semgjax.scaling.ledger.record import Record, record_of
from semgjax.scaling.profile import LEVEL
from semgjax.scaling.read import read_table
from semgjax.scaling.rows import name_of

if TYPE_CHECKING:
    from semgjax.pages.style import Picture


def forecast(
    law: FittedLaw,
    ledger: str | Path,
    at: Mapping[str, float] | None = None,
    /,
    *,
    level: float = LEVEL,
    note: str = "",
    **inputs: float,
) -> Entry:
    """Write a prediction into a ledger, before the run: dated, hashed, with all its layers.

    What the ledger's settled forecasts missed counts in the quote.

    Args:
        law: the fit.
        ledger: file of your forecasts, JSON Lines; made if it does not exist.
        at: values of the law's inputs in the units of the table; the same as naming them.
        level: of the intervals.
        note: what else to keep, such as the run's name.

    Raises:
        InputError: the number is withheld; a run at this place is in the fit, or a forecast of it is settled; the
            ledger was changed or is being written.

    Example:
        >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
        >>> cer = [30.4, 24.1, 20.1, 16.6, 14.5, 12.9]
        >>> law = semgjax.fit({"params": sizes, "cer": cer}, y="cer", unit="%", N="params")
        >>> entry = semgjax.forecast(law, "forecasts.jsonl", N=6.4e6)
        >>> semgjax.settle("forecasts.jsonl", entry.number, value=11.8, unit="%").body["value"]
        11.8
    """
    path = Path(ledger)
    with open_ledger(path) as entries:
        model = record_of(entries).model
        found = law._predict_with(model, {**(at or {}), **inputs}, level)
        body = forecast_body(law.result, found, model, note)
        check_new(entries, body)
        return append(path, entries, "forecast", body, datetime.now(UTC))


def settle(
    ledger: str | Path,
    number: int,
    table: Any = None,
    /,
    *,
    value: float | None = None,
    unit: str = "",
) -> Entry:
    """Write the result of a forecast into its ledger; it is not replaced later.

    Args:
        number: of the forecast.
        table: results that have the run, as for `semgjax.fit`; the columns and filters are those of the forecast, and
            the mean of the rows at its place counts. A file or run that is older than the forecast is refused.
        value: the result itself, in place of a table, in `unit`.

    Raises:
        InputError: no such forecast; it is settled; the result is older, in another unit, or not in the table.
    """
    if (table is None) == (value is None):
        raise InputError("give a table that has the result, or a value", "conflict")
    path = Path(ledger)
    with open_ledger(path) as entries:
        wanted = forecast_to_settle(entries, number)
        if value is not None:
            body = result_body(wanted, np.array([float(value)]), unit, "by hand")
        else:
            body = _from_table(wanted, table, unit)
        return append(path, entries, "result", body, datetime.now(UTC))


def forecast_record(ledger: str | Path, /, *, head: str | None = None) -> Record:
    """The settled forecasts of a ledger, scored; every line's hash is checked.

    Args:
        head: a hash that was noted earlier: the ledger must still have that line.

    Raises:
        InputError: the ledger was changed.
    """
    entries = read_ledger(Path(ledger))
    if head is not None:
        check_head(entries, head, Path(ledger))
    return record_of(entries)


def plot_record(record: Record, path: str | Path | None = None) -> "Picture":
    """Each settled forecast's intervals around its value, and its result; written to `path` (.png, .svg, .pdf)."""
    from semgjax.pages.law_plot import save_figure
    from semgjax.pages.ledger_figure import ledger_figure

    picture = ledger_figure(record)
    if path is not None:
        save_figure(picture, Path(path))
    return picture


def _from_table(wanted: Entry, source: Any, unit: str) -> dict[str, Any]:
    body, name = wanted.body, name_of(source)
    mapping = {**body["columns"], "y": body["y"], **({"rate": body["rate"]} if body.get("rate") else {})}
    table = read_table(source, mapping, body["where"], unit or None, tuple(body["at"]))
    rows = np.flatnonzero(at_place(table, body["at"]))
    if not len(rows):
        place = ", ".join(f"{mapping.get(key, key)} {value:g}" for key, value in body["at"].items())
        raise InputError(f"{name}: no row at {place}; run it, then collect the results", "no-row")
    runs = [table.runs[row] for row in rows] if table.runs else []
    return result_body(wanted, table.y[rows], table.unit, str(name), _measured(name, runs))


def _measured(table: Path, runs: list[str]) -> datetime | None:
    """When the first of these runs ended: the trials of a sweep's folder, else the table itself; None in memory."""
    ended = [file for run in runs if (file := table.parent / "trials" / run / "result.json").is_file()]
    files = ended or ([table] if table.is_file() else [])
    return min((datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in files), default=None)
