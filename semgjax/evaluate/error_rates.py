"""Error rates from edit operations, per user and averaged, in the sense of speech recognition."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True)
class Counts:
    """Edit operations that turn the reference into the decoder's output."""

    characters: int = 0
    """keys in the reference"""
    substitutions: int = 0
    """keys read as another"""
    deletions: int = 0
    """keys that the decoder missed"""
    insertions: int = 0
    """keys that nobody typed"""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    @property
    def cer(self) -> float:
        """Character error rate in percent, 100 (S + D + I) / characters; above 100 is possible, nan without keys."""
        errors = self.substitutions + self.deletions + self.insertions
        return 100.0 * errors / self.characters if self.characters else float("nan")


def count_errors(reference: Sequence[int] | np.ndarray, output: Sequence[int] | np.ndarray) -> Counts:
    """A minimal edit script's operations; among equally short scripts rapidfuzz's choice stands."""
    expected = [int(label) for label in reference]
    operations = Levenshtein.editops(expected, [int(label) for label in output])
    kinds = [operation.tag for operation in operations]
    return Counts(len(expected), kinds.count("replace"), kinds.count("delete"), kinds.count("insert"))


def score_rows(split: str, decoder: str, users: dict[str, Counts]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The score table of one split and decoder: rows averaged over users, and one row per user.

    "macro" is the mean of the users' CERs with the population deviation (as published tables state it), "pooled"
    the CER of all their keys together. Users without a single key have no CER and are left out of the mean.
    """
    pooled = sum(users.values(), Counts())
    rates = [counts.cer for counts in users.values() if counts.characters]
    macro = float(np.mean(rates)) if rates else None
    spread = float(np.std(rates)) if rates else None
    head = {"split": split, "decoder": decoder}
    averaged = [
        {
            **head,
            "averaging": "macro",
            "users": len(rates),
            **asdict(pooled),
            "cer": macro,
            "cer_std": spread,
        },
        {
            **head,
            "averaging": "pooled",
            "users": len(rates),
            **asdict(pooled),
            "cer": _rate(pooled),
            "cer_std": None,
        },
    ]
    return averaged, [{**head, "user": user, **asdict(c), "cer": _rate(c)} for user, c in sorted(users.items())]


def _rate(counts: Counts) -> float | None:
    return counts.cer if counts.characters else None
