"""The calibration record of a ledger: each settled forecast scored, and what they say of the owner's laws."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semgjax.scaling.drift import MODEL
from semgjax.scaling.ends import Interval
from semgjax.scaling.ledger.ledger_entries import known_number
from semgjax.scaling.ledger.ledger_file import Entry
from semgjax.scaling.quantiles import binomial_interval

LAYERS = ("sampling", "users", "choice", "extrapolation", "quote")
_MODELS = np.geomspace(0.01, 2.0, 200)  # candidates for the owner's share
_PRIOR_SPREAD = math.log(2.0)  # of the owner's share around the published one (log): a factor of two
_LEAST_REACH = 0.02  # a forecast nearer to its sweep says nothing of the law beyond it


@dataclass(frozen=True)
class Score:
    """A settled forecast.

    Attributes:
        inside: layer -> whether the result lies in it; a layer that the forecast lacks is missing.
        crps: continuous ranked probability score of the quote's distribution, in the unit of the result.
        log_error: log of result over forecast.
        per_distance: the same over the log distance beyond the sweep; None inside it.
    """

    forecast: Entry
    result: Entry
    inside: dict[str, bool]
    crps: float
    log_error: float
    per_distance: float | None


@dataclass(frozen=True)
class Record:
    """All settled forecasts of a ledger.

    Attributes:
        open: forecasts without a result.
        cover: layer -> (how many results lie in it, of how many forecasts that have it, 95 % interval of the share).
        mean_crps: relative to the results; None without any.
        per_distance: root mean square of the log error over the log distance; None without a forecast beyond a sweep.
        model: what to use as `semgjax.scaling.drift.MODEL` for this owner's next forecasts (`own_model`).
    """

    scores: tuple[Score, ...]
    open: tuple[Entry, ...]
    cover: dict[str, tuple[int, int, Interval]]
    mean_crps: float | None
    per_distance: float | None
    model: float


def record_of(entries: Sequence[Entry]) -> Record:
    """The record of a ledger whose chain holds (`read_ledger`)."""
    scores = tuple(score(entries[known_number(entry)], entry) for entry in entries if entry.kind == "result")
    settled = {one.forecast.number for one in scores}
    cover = {}
    for layer in LAYERS:
        known = [one.inside[layer] for one in scores if layer in one.inside]
        if known:
            cover[layer] = (sum(known), len(known), binomial_interval(sum(known), len(known), 0.95))
    far = [one.per_distance for one in scores if one.per_distance is not None]
    return Record(
        scores,
        tuple(entry for entry in entries if entry.kind == "forecast" and entry.number not in settled),
        cover,
        float(np.mean([one.crps / one.result.body["value"] for one in scores])) if scores else None,
        float(np.sqrt(np.mean(np.square(far)))) if far else None,
        own_model(scores),
    )


def score(forecast: Entry, result: Entry) -> Score:
    """How a forecast fared."""
    body, value = forecast.body, float(result.body["value"])
    inside = {layer: _holds(body[layer], value) for layer in LAYERS if body[layer] is not None}
    log_error = math.log(value / body["value"])
    distance = math.log(body["beyond"])
    return Score(
        forecast, result, inside, crps(body["quantiles"], value), log_error,
        log_error / distance if distance > 0.0 else None,
    )  # fmt: skip


def crps(quantiles: Sequence[float], value: float) -> float:
    """Continuous ranked probability score from quantiles at (k + 1/2) / n: the mean of twice the pinball losses.

    Gneiting and Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and Estimation" (JASA 102).
    """
    ends = np.asarray(quantiles, np.float64)
    levels = (np.arange(len(ends)) + 0.5) / len(ends)
    return float(np.mean(2.0 * (levels - (value < ends)) * (value - ends)))


def own_model(scores: Sequence[Score]) -> float:
    """What the owner's laws miss beyond their sweeps, in shares of their slope (`semgjax.scaling.drift.MODEL`).

    Posterior root mean square; that of the prior, which spreads by a factor of two, is the published value. Every log
    error is normal with the forecast's own variance, the scatter of the result's mean, and (share times reach)^2.
    """
    used = [one for one in scores if one.forecast.body["reach"] >= _LEAST_REACH]
    if not used:
        return MODEL
    log = -0.5 * (np.log(_MODELS / MODEL) / _PRIOR_SPREAD + _PRIOR_SPREAD) ** 2
    for one in used:
        body, runs = one.forecast.body, one.result.body
        scatter = (runs["log_sd"] or 0.0) ** 2 / runs["runs"]
        variance = body["own_sd"] ** 2 + scatter + (_MODELS * body["reach"]) ** 2
        log = log - 0.5 * (np.log(variance) + one.log_error**2 / variance)
    shares = np.exp(log - log.max())
    return float(np.sqrt(shares @ _MODELS**2 / shares.sum()))


def as_json(record: Record) -> dict[str, Any]:
    """The record as plain JSON values."""
    return {
        "settled": [
            {
                "forecast": one.forecast.number,
                "time": one.forecast.time.isoformat(),
                "at": one.forecast.body["at"],
                "value": one.forecast.body["value"],
                "result": one.result.body["value"],
                "unit": one.forecast.body["unit"],
                "inside": one.inside,
                "crps": one.crps,
                "log_error": one.log_error,
                "log_error_per_log_distance": one.per_distance,
            }
            for one in record.scores
        ],
        "open": [entry.number for entry in record.open],
        "cover": {
            layer: {"inside": inside, "of": of, "low": ends[0], "high": ends[1]}
            for layer, (inside, of, ends) in record.cover.items()
        },
        "mean_relative_crps": record.mean_crps,
        "rms_log_error_per_log_distance": record.per_distance,
        "model": record.model,
        "published_model": MODEL,
    }


def _holds(ends: Sequence[float | None], value: float) -> bool:
    low, high = ends
    return (low is None or value >= low) and (high is None or value <= high)
