"""Verification of an export: load it, evaluate it again, and compare with its recorded scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.data.band import Band
from semgjax.data.corpus import Corpus
from semgjax.data.measure import measure_of
from semgjax.errors import InputError
from semgjax.evaluate.error_rates import score_rows
from semgjax.evaluate.stitched import evaluate_greedy
from semgjax.exporting.export_folder import load_export
from semgjax.exporting.export_forward import forward_of
from semgjax.measures import measure_in, rate_in
from semgjax.model.for_band import check_band

TOLERANCE = 0.1
"""percentage points by which the rounding of another device may change a score"""
INT8_TOLERANCE = 0.5
"""percentage points by which int8 weights may raise an error rate"""


@dataclass(frozen=True)
class Verified:
    """One score of an export, recorded and measured again, in percent; None without keys or events.

    Attributes:
        metric: name of the error rate.
    """

    metric: str
    split: str
    averaging: str
    recorded: float | None
    measured: float | None


def verify_export(folder: Path, corpus: Corpus, batch: int = 64) -> list[Verified]:
    """Evaluate an export on the sessions of its run and compare with the scores in model.json.

    Args:
        batch: windows per forward pass.

    Raises:
        InputError: as `load_export`; the sessions are not the run's ("conflict"), no scores are recorded
            ("bad-field"), or one differs by more than TOLERANCE, with int8 weights is higher by more than
            INT8_TOLERANCE ("scores-differ").
    """
    export = load_export(folder, programs=True)
    source = export.about["source"]
    check_sessions(str(folder), source, export.band, corpus)
    recorded = source.get("scores")
    if not isinstance(recorded, list) or not recorded:
        raise InputError(f"{folder}: has no scores to verify", "bad-field")
    measure = measure_of(export.band)
    forward = forward_of(export)
    measured: list[dict[str, Any]] = []
    for split in dict.fromkeys(str(row["split"]) for row in recorded):
        counts = evaluate_greedy(forward, export.config, export.params, corpus.part(split), export.window, batch)
        measured += score_rows(split, "greedy", counts, measure)[0]
    rows = [_pair(row, measured) for row in recorded if row["decoder"] == "greedy"]
    for row in rows:
        if row.recorded != row.measured and not _near(row.recorded, row.measured, bool(export.about.get("int8"))):
            remedy = "export the run again"
            if export.about.get("int8"):
                remedy = "train it further with --init and --train.int8 and export that run (guide wristband)"
            raise InputError(
                f"{folder}: {row.split} {row.averaging} {measure.words} is recorded as {row.recorded}, but measured as "
                f"{row.measured}; {remedy}",
                "scores-differ",
            )
    return rows


def check_sessions(place: str, source: dict[str, Any], band: Band, corpus: Corpus) -> None:
    """Check that sessions are those that a decoder was trained and scored on.

    Args:
        place: of the decoder, for the message.
        source: what its export says of its run.

    Raises:
        InputError: they are others, or split in another way, or it names none ("conflict"), or of another band
            ("band-misfit").
    """
    if "data" not in source:
        raise InputError(f"{place}: names no sessions that it was trained and scored on; leave verify out", "conflict")
    if source["data"] != corpus.hash:
        raise InputError(
            f"{place}: its scores belong to other sessions or another split; give the sessions and the "
            "splits of the run",
            "conflict",
        )
    check_band(band, corpus.band, "the export")


def _near(recorded: float | None, measured: float | None, int8: bool) -> bool:
    if recorded is None or measured is None:
        return False
    return measured - recorded <= INT8_TOLERANCE if int8 else abs(measured - recorded) <= TOLERANCE


def _pair(row: dict[str, Any], measured: Sequence[dict[str, Any]]) -> Verified:
    name = ("split", "decoder", "averaging")
    found = next((other for other in measured if all(other[key] == row[key] for key in name)), None)
    measure, measured_rate = measure_in(row), None if found is None else rate_in(found)
    return Verified(measure.name, row["split"], row["averaging"], row[measure.name], measured_rate)
