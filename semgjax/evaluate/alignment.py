"""Which output belongs to which key: the edit script of every stretch, with times and confidence of each pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.reading import Reading

NONE = -1
"""label of a side that a pair lacks"""


@dataclass(frozen=True, eq=False)
class Pairs:
    """One row for each operation of the edit scripts, matches among them.

    Attributes:
        reference: label that was typed, int32 [P]; NONE in an insertion.
        output: label that was read, int32 [P]; NONE in a deletion.
        pressed: when it was typed, seconds in the session, float64 [P]; NaN in an insertion.
        emitted: when its frame begins, seconds in the session; NaN in a deletion.
        confidence: probability of the output at its frame, float64 [P]; NaN in a deletion.
    """

    reference: np.ndarray
    output: np.ndarray
    pressed: np.ndarray
    emitted: np.ndarray
    confidence: np.ndarray

    @property
    def matched(self) -> np.ndarray:
        """Which pairs are keys read as typed, bool [P]."""
        return (self.reference == self.output) & (self.reference != NONE)

    @property
    def counts(self) -> Counts:
        """The operations, as `semgjax.evaluate.error_rates.count_errors` counts them."""
        typed, read = self.reference != NONE, self.output != NONE
        wrong = typed & read & (self.reference != self.output)
        return Counts(int(typed.sum()), int(wrong.sum()), int((typed & ~read).sum()), int((read & ~typed).sum()))


def align(reading: Reading) -> Pairs:
    """The pairs of a minimal edit script; among equally short ones rapidfuzz's choice stands."""
    expected, found = reading.labels.tolist(), reading.output.tolist()
    ours, theirs = list[int](), list[int]()
    for block in Levenshtein.opcodes(expected, found):
        source, target = range(block.src_start, block.src_end), range(block.dest_start, block.dest_end)
        # "equal" and "replace" pair one with one; the others have one side only.
        ours += list(source) if len(source) else [NONE] * len(target)
        theirs += list(target) if len(target) else [NONE] * len(source)
    of_reference, of_output = np.array(ours, int), np.array(theirs, int)
    emitted = (reading.start + reading.frames * float(reading.stride)) / reading.rate
    confidence = np.exp(reading.log_probs[reading.frames, reading.output].astype(np.float64))
    return Pairs(
        reference=_at(reading.labels, of_reference, NONE).astype(np.int32),
        output=_at(reading.output, of_output, NONE).astype(np.int32),
        pressed=_at(reading.samples / reading.rate, of_reference, np.nan),
        emitted=_at(emitted, of_output, np.nan),
        confidence=_at(confidence, of_output, np.nan),
    )


def joined(parts: Sequence[Pairs]) -> Pairs:
    """The pairs of several stretches."""

    def column(name: str, kind: type) -> np.ndarray:
        return np.concatenate([np.zeros(0, kind), *(getattr(part, name) for part in parts)])

    return Pairs(
        reference=column("reference", np.int32),
        output=column("output", np.int32),
        pressed=column("pressed", float),
        emitted=column("emitted", float),
        confidence=column("confidence", float),
    )


def _at(values: np.ndarray, index: np.ndarray, missing: float) -> np.ndarray:
    """values[index], `missing` where the index is NONE."""
    padded = np.concatenate([values, np.array([missing], values.dtype)])
    return padded[index]
