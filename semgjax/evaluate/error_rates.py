"""Error rates from edit operations, per user and averaged, in the sense of speech recognition."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from semgjax.measures import CER, Measure


@dataclass(frozen=True)
class Counts:
    """Edit operations that turn the reference into the decoder's output."""

    reference: int = 0
    """keys or events in the reference"""
    substitutions: int = 0
    """those read as another"""
    deletions: int = 0
    """those that the decoder missed"""
    insertions: int = 0
    """those of the output that nobody made"""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    @property
    def rate(self) -> float | None:
        """Error rate in percent, 100 (S + D + I) / reference; above 100 is possible, None without a reference."""
        errors = self.substitutions + self.deletions + self.insertions
        return 100.0 * errors / self.reference if self.reference else None

    def as_json(self, measure: Measure) -> dict[str, int]:
        """The counts under the names of a score row."""
        counts = asdict(self)
        return {measure.counted: counts.pop("reference"), **counts}


def count_errors(reference: Sequence[int] | np.ndarray, output: Sequence[int] | np.ndarray) -> Counts:
    """A minimal edit script's operations; among equally short scripts rapidfuzz's choice stands."""
    expected = [int(label) for label in reference]
    operations = Levenshtein.editops(expected, [int(label) for label in output])
    kinds = [operation.tag for operation in operations]
    return Counts(len(expected), kinds.count("replace"), kinds.count("delete"), kinds.count("insert"))


def score_rows(
    split: str, decoder: str, users: dict[str, Counts], measure: Measure = CER
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The score table of one split and decoder: rows averaged over users, and one row per user.

    "macro" is the mean of the users' error rates with the population deviation (as published tables state it), "pooled"
    the rate of all their keys together. Users without a single key have no rate and are left out of the mean.

    Args:
        measure: names the rate and what is counted.
    """
    pooled = sum(users.values(), Counts())
    rates = [counts.rate for counts in users.values() if counts.rate is not None]
    macro = float(np.mean(rates)) if rates else None
    deviation = float(np.std(rates)) if rates else None
    head = {"split": split, "decoder": decoder}

    def row(averaging: str, rate: float | None, spread: float | None) -> dict[str, Any]:
        counts = {"users": len(rates), **pooled.as_json(measure)}
        return {**head, "averaging": averaging, **counts, measure.name: rate, measure.spread: spread}

    averaged = [row("macro", macro, deviation), row("pooled", pooled.rate, None)]
    own = [{**head, "user": u, **c.as_json(measure), measure.name: c.rate} for u, c in sorted(users.items())]
    return averaged, own
