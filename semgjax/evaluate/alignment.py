"""Which output belongs to which key: the edit script of every stretch, with times and confidence of each pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

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
        user: name of the user, [P].
    """

    reference: np.ndarray
    output: np.ndarray
    pressed: np.ndarray
    emitted: np.ndarray
    confidence: np.ndarray
    user: np.ndarray

    @property
    def matched(self) -> np.ndarray:
        """Which pairs are keys read as typed, bool [P]."""
        return (self.reference == self.output) & (self.reference != NONE)


def align(readings: Sequence[Reading]) -> Pairs:
    """The pairs of a minimal edit script of each stretch; among equally short ones rapidfuzz's choice stands."""
    rows = [_align(reading) for reading in readings]
    users = [np.full(len(row[0]), reading.user) for row, reading in zip(rows, readings, strict=True)]

    def column(at: int, kind: type) -> np.ndarray:
        return np.concatenate([np.zeros(0, kind), *(row[at] for row in rows)]).astype(kind)

    return Pairs(
        reference=column(0, np.int32),
        output=column(1, np.int32),
        pressed=column(2, np.float64),
        emitted=column(3, np.float64),
        confidence=column(4, np.float64),
        user=np.concatenate([np.zeros(0, "<U1"), *users]),
    )


def _align(reading: Reading) -> tuple[np.ndarray, ...]:
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
    return (
        _at(reading.labels, of_reference, NONE),
        _at(reading.output, of_output, NONE),
        _at(reading.samples / reading.rate, of_reference, np.nan),
        _at(emitted, of_output, np.nan),
        _at(confidence, of_output, np.nan),
    )


def _at(values: np.ndarray, index: np.ndarray, missing: float) -> np.ndarray:
    """values[index], `missing` where the index is NONE."""
    padded = np.concatenate([values, np.array([missing], values.dtype)])
    return padded[index]
