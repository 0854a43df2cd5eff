"""`semgjax scaling forecast`, `settle`, `ledger`, `verify`: predictions signed before a run and scored after it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from semgjax.cli.scaling_words import WITHHELD, Words, check_output, point_of, print_json
from semgjax.cli.terminal import say
from semgjax.errors import InputError
from semgjax.scaling.ends import number, place_text, span

_PLACE = arg(metavar="VALUE|INPUT=VALUE")


def forecast(
    fit: Positional[Path],
    *,
    at: Annotated[Words, _PLACE],
    ledger: Path,
    law: str | None = None,
    level: float = 0.95,
    note: str = "",
    json: bool = False,
) -> int:
    """Write a prediction into a ledger before the run: dated, hashed, with its layers.

    Args:
        fit: fit.json, written by `semgjax scaling fit --out`
        at: the point, in the units of the table: a number for a law of one input, else N=VALUE and so on
        ledger: file of your forecasts (JSON Lines); made if it does not exist
        law: file.py:NAME, where the fit has a law of your own
        level: of the intervals
        note: what else to keep, such as the name of the run
        json: print the line as one JSON object
    """
    from semgjax.api.fitting import load_fit
    from semgjax.api.forecasts import forecast as write

    fitted = load_fit(fit, law)
    try:
        entry = write(fitted, ledger, point_of(at, fitted.law.input_names), level=level, note=note)
    except InputError as error:
        if error.code != "not-identified":
            raise
        say(str(error))
        return WITHHELD
    body = entry.body
    if json:
        print_json({"number": entry.number, "time": entry.time.isoformat(), "sha256": entry.sha256, **body})
        return 0
    place = place_text(fitted.table.column, body["at"])
    say(f"forecast {entry.number}: {body['y']} at {place}: {number(body['value'])} {body['unit']}".rstrip())
    say(f"  {'quote':<14}{_range(body['quote'])} (the {level:.3g} interval to quote)")
    for layer in ("sampling", "users", "choice", "extrapolation"):
        if body[layer] is not None:
            say(f"  {layer:<14}{_range(body[layer])}")
    say(f"  {entry.time.isoformat()}, hash {entry.sha256}: note it elsewhere, and `verify --head` shows a cut ledger")
    return 0


def settle(
    ledger: Positional[Path],
    number: Positional[int],
    *,
    table: Path | None = None,
    value: float | None = None,
    unit: str = "",
    json: bool = False,
) -> int:
    """Write the result of a forecast, and say how it fared.

    Args:
        ledger: file of your forecasts
        number: of the forecast
        table: results that have the run: a sweep's folder, results.csv or any table of the fit's columns
        value: the result itself, in place of a table
        unit: of the result, with --value ("%" for error rates)
        json: print the score as one JSON object
    """
    from semgjax.api.forecasts import forecast_record
    from semgjax.api.forecasts import settle as write
    from semgjax.scaling.ledger.record import as_json

    write(ledger, number, table, value=value, unit=unit)
    (line,) = [row for row in as_json(forecast_record(ledger))["settled"] if row["forecast"] == number]
    if json:
        print_json(line)
        return 0
    say(f"forecast {number}: {line['value']:.4g}, result {line['result']:.4g} {line['unit']}".rstrip())
    say(f"  in {_inside(line['inside'])}; CRPS {line['crps']:.3g} {line['unit']}".rstrip())
    return 0


def ledger(
    ledger: Positional[Path],
    *,
    plot: Path | None = None,
    json: bool = False,
) -> int:
    """The calibration record: every settled forecast with its score, and how often each layer held.

    Args:
        ledger: file of your forecasts
        plot: draw forecasts and results here (.png, .svg or .pdf)
        json: print one JSON object
    """
    from semgjax.api.forecasts import forecast_record, plot_record
    from semgjax.scaling.ledger.record import as_json

    check_output(plot, ledger)
    record = forecast_record(ledger)
    body = as_json(record)
    if plot is not None:
        if not record.scores:
            raise InputError(f"{ledger}: no forecast is settled; there is nothing to draw", "no-row")
        plot_record(record, plot)
    if json:
        print_json(body)
        return 0
    head = ("number", "beyond", "forecast", "quote", "result", "in", "CRPS", "log error/distance")
    rows = []
    for one, line in zip(record.scores, body["settled"], strict=True):
        said = one.forecast.body
        far = "-" if one.per_distance is None else f"{one.per_distance:+.2g}"
        rows.append(
            (
                str(line["forecast"]), f"{said['beyond']:.3g}x", number(line["value"]), _range(said["quote"]),
                number(line["result"]), _inside(line["inside"]), f"{line['crps']:.2g}", far,
            )
        )  # fmt: skip
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows) if rows else ():
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for layer, found in body["cover"].items():
        share = f"{100 * found['low']:.0f} to {100 * found['high']:.0f} % of forecasts"
        say(f"  {layer:<14}holds {found['inside']} of {found['of']} ({share})")
    if record.mean_crps is not None:
        say(f"  mean CRPS {100 * record.mean_crps:.2g} % of the result")
    if record.per_distance is not None:
        say(f"  log error per log distance: root mean square {record.per_distance:.2g}")
    say(f"  open: {', '.join(map(str, body['open'])) or 'none'}")
    share = f"{record.model:.2g} of the slope; published sweeps {body['published_model']:.2g}"
    say(f"  what laws miss beyond their sweeps, for the next forecast: {share}")
    return 0


def verify(ledger: Positional[Path], *, head: str | None = None) -> int:
    """Check every line's hash and the chain of them.

    Args:
        ledger: file of your forecasts
        head: a hash that was noted earlier: the ledger must still have that line
    """
    from semgjax.scaling.ledger.ledger_file import check_head, read_ledger

    entries = read_ledger(ledger)
    if head is not None:
        check_head(entries, head, ledger)
    newest = f", newest hash {entries[-1].sha256}" if entries else ""
    say(f"{ledger}: {len(entries)} lines hold{newest}")
    return 0


def _range(ends: list[float | None]) -> str:
    low, high = ends
    return span((0.0 if low is None else low, float("inf") if high is None else high))


def _inside(inside: dict[str, bool]) -> str:
    return ", ".join(layer for layer, held in inside.items() if held) or "no layer"


COMMANDS: dict[str, Callable[..., Any]] = {"forecast": forecast, "settle": settle, "ledger": ledger, "verify": verify}
