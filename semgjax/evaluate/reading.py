"""What a decoder read from a stretch of a session, beside what was typed there: all that an evaluation counts."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from semgjax.evaluate.error_rates import Counts, count_errors


@dataclass(frozen=True, eq=False)
class Reading:
    """A stretch that was decoded by itself: a whole session, or one window of it.

    Attributes:
        session, user: names.
        start: first sample of the stretch in the session.
        rate: samples a second.
        stride: samples a frame.
        labels: reference, int32 [N], in order of press.
        samples: sample of the session at which each of them was pressed, int64 [N].
        output: what was read, int32 [M].
        frames: frame of the stretch at which each of these was emitted, int32 [M]; frame t begins at sample
            start + t * stride.
        log_probs: natural logs of the probabilities of the classes, float32 [T, K], the blank last.
        score: of a beam search; None for greedy decoding.
    """

    session: str
    user: str
    start: int
    rate: float
    stride: int
    labels: np.ndarray
    samples: np.ndarray
    output: np.ndarray
    frames: np.ndarray
    log_probs: np.ndarray
    score: float | None = None

    @property
    def counts(self) -> Counts:
        """Its edit operations."""
        return count_errors(self.labels, self.output)


def counts_by_user(readings: Iterable[Reading]) -> dict[str, Counts]:
    """Edit operations of each user's stretches together."""
    users: dict[str, Counts] = {}
    for reading in readings:
        users[reading.user] = users.get(reading.user, Counts()) + reading.counts
    return users
