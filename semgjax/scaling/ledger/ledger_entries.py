"""What a ledger records of a forecast, before the run, and of its result."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.files import content_hash
from semgjax.scaling.answer import Prediction, quoted_laws
from semgjax.scaling.choices import choice_fits
from semgjax.scaling.drift import beyond, prediction_mixture
from semgjax.scaling.ends import listed
from semgjax.scaling.fit import Fit
from semgjax.scaling.ledger.ledger_file import Entry
from semgjax.scaling.quote import quote_quantiles
from semgjax.scaling.table import Table

SAME = 1.01
"""inputs within this factor are the same place, as levels of a table are"""
_LEVELS = tuple(round(0.05 + 0.1 * step, 2) for step in range(10))  # their ends: 20 quantiles in the middle of 5 % each


def forecast_body(fit: Fit, prediction: Prediction, model: float, note: str = "") -> dict[str, Any]:
    """A forecast as the ledger keeps it: place, value, layers, quantiles of the quote, law and a hash of its points.

    reach: the law's slope times the log distance beyond the sweep; own_sd: of the log value without the law's own
    error beyond the sweep (`semgjax.scaling.drift.MODEL`), which settled forecasts are asked about. model: the share
    of it that the quote allows for.

    Raises:
        InputError: the number is withheld or has no interval to quote ("not-identified"), or a run of the fit is at
            this very place: its result exists ("conflict").
    """
    value, table = prediction.value, fit.table
    if value is None or prediction.quote is None:
        codes = ", ".join(found.code for found in prediction.diagnostics if found.severity == "error")
        raise InputError(
            f"{table.source}: no forecast: {codes or 'too few levels for an interval'}; see `semgjax scaling predict`",
            "not-identified",
        )
    at = dict(prediction.x)
    if at_place(table, at).any():
        raise InputError(
            f"{table.source}: has a run at {_place(at)}: its result exists; a forecast is made before the run",
            "conflict",
        )
    laws = quoted_laws(fit, choice_fits(fit))
    ends = quote_quantiles(laws, at, _LEVELS, prediction.level, prediction.users, prediction.interval, model)
    assert ends is not None  # as there is a quote
    drift = laws[0].drift
    points = {name: np.array([v]) for name, v in at.items()}
    mix = prediction_mixture(drift, points, model=0.0)
    variance = float(mix.shares @ (mix.sampling + mix.drift + mix.means**2)[:, 0])
    choice = prediction.choice
    return {
        "at": at,
        "columns": dict(table.columns),
        "where": dict(table.where),
        "y": table.y_name,
        "rate": table.rate,
        "unit": table.unit,
        "law": fit.law.name,
        "parameters": fit.parameters,
        "points": len(table.y),
        "points_sha256": points_hash(table),
        "value": value,
        "level": prediction.level,
        "quote": listed(prediction.quote),
        "sampling": listed(prediction.interval),
        "users": listed(prediction.users),
        "choice": None if choice is None else listed((choice.low, choice.high)),
        "extrapolation": listed(prediction.extrapolation),
        "quantiles": sorted(end for pair in ends for end in pair),
        "beyond": prediction.beyond,
        "reach": float(beyond(drift, points)[0]),
        "own_sd": math.sqrt(variance),
        "model": model,
        "findings": [found.code for found in prediction.diagnostics],
        "note": note,
    }


def points_hash(table: Table) -> str:
    """SHA-256 of the points of a fit."""
    return content_hash({"x": {name: v.tolist() for name, v in table.x.items()}, "y": table.y.tolist()})


def at_place(table: Table, at: Mapping[str, float]) -> np.ndarray:
    """Which rows of a table lie at a place [n]."""
    same = np.ones(len(table.y), bool)
    for name, value in at.items():
        low, high = min(value / SAME, value * SAME), max(value / SAME, value * SAME)
        same &= (table.x[name] >= low) & (table.x[name] <= high)
    return same


def check_new(entries: tuple[Entry, ...], body: Mapping[str, Any]) -> None:
    """
    Raises:
        InputError: the ledger has a result of the same quantity at this place already ("conflict").
    """
    for entry in entries:
        if entry.kind == "result":
            known = entries[entry.body["forecast"]].body
            if subject_of(known) == subject_of(body) and _near(known["at"], body["at"]):
                raise InputError(
                    f"forecast {known_number(entry)} of {_place(body['at'])} is settled: its result exists; a forecast "
                    "is made before the run",
                    "conflict",
                )


def known_number(result: Entry) -> int:
    """The number of the forecast that a result settles."""
    return int(result.body["forecast"])


def subject_of(body: Mapping[str, Any]) -> tuple[Any, ...]:
    """What is forecast: two forecasts of one subject at one place have one result."""
    return body["y"], body["unit"], tuple(sorted(body["where"].items())), tuple(sorted(body["columns"].items()))


def forecast_to_settle(entries: tuple[Entry, ...], number: int) -> Entry:
    """The forecast of this number.

    Raises:
        InputError: there is none ("unknown-name"), or it is settled ("conflict").
    """
    if not 0 <= number < len(entries) or entries[number].kind != "forecast":
        there = ", ".join(str(entry.number) for entry in entries if entry.kind == "forecast") or "none"
        raise InputError(f"no forecast {number}; the ledger has {there}", "unknown-name")
    for entry in entries:
        if entry.kind == "result" and known_number(entry) == number:
            raise InputError(
                f"forecast {number} was settled by line {entry.number + 1} ({entry.body['value']:g}); "
                "results are not replaced",
                "conflict",
            )
    return entries[number]


def result_body(
    forecast: Entry, values: np.ndarray, unit: str, source: str, measured: datetime | None = None
) -> dict[str, Any]:
    """A result as the ledger keeps it: the mean of the runs at the forecast's place.

    Args:
        values: error of each run [n].
        measured: when the first of them was there, if that is known.

    Raises:
        InputError: another unit than the forecast's, a result from before the forecast ("conflict"), or a value that
            is not above 0 ("bad-number").
    """
    number, body = forecast.number, forecast.body
    if unit != body["unit"]:
        raise InputError(
            f"forecast {number} is in {body['unit'] or 'no unit'!r}, its result in {unit or 'no unit'!r}; use one unit",
            "conflict",
        )
    there = None if measured is None else measured.astimezone(UTC).replace(microsecond=0)
    if there is not None and there < forecast.time:
        raise InputError(
            f"{source}: was there at {there.isoformat()}, before forecast {number} ({forecast.time.isoformat()}); "
            "only a later result settles it",
            "conflict",
        )
    if not (np.isfinite(values) & (values > 0)).all():
        raise InputError(f"{source}: the result {values[0]:g} must be finite and above 0", "bad-number")
    spread = float(np.std(np.log(values), ddof=1)) if len(values) > 1 else None
    return {
        "forecast": number,
        "forecast_sha256": forecast.sha256,
        "value": float(values.mean()),
        "unit": unit,
        "runs": len(values),
        "log_sd": spread,
        "source": source,
    }


def _near(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return set(one) == set(other) and all(
        one[name] == other[name] or (one[name] > 0 and other[name] > 0
        and abs(math.log(one[name] / other[name])) <= math.log(SAME)) for name in one
    )  # fmt: skip


def _place(at: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in at.items())
