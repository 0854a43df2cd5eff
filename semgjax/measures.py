"""The error of a decoder, under its name: character error rate for keys, event error rate for other classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SPLICED = "real signals in a made-up order"
"""what a number from spliced sessions says of them"""


@dataclass(frozen=True)
class Measure:
    """Names of an error rate in files and in words; both rates are 100 (S + D + I) / reference, in percent.

    Attributes:
        name: member of a score row and column of a table that holds the rate.
        counted: member and column that holds the number of keys or events in the reference.
        words: the rate in a sentence.
        thing, things: what is counted.
    """

    name: str
    counted: str
    words: str
    thing: str
    things: str

    @property
    def spread(self) -> str:
        """Member of a score row that holds the standard deviation over users."""
        return f"{self.name}_std"


CER = Measure("cer", "characters", "CER", "key", "keys")
EVENT_ERROR_RATE = Measure("event_error_rate", "events", "event error rate", "event", "events")
MEASURES = {measure.name: measure for measure in (CER, EVENT_ERROR_RATE)}


def measure_in(row: Mapping[str, Any]) -> Measure:
    """The error rate that a score row holds."""
    return next((measure for measure in MEASURES.values() if measure.name in row), CER)


def rate_in(row: Mapping[str, Any]) -> float | None:
    """The error rate of a score row, in percent; None without keys or events in its reference."""
    rate: float | None = row[measure_in(row).name]
    return rate
