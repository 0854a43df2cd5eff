"""Frames to text while they come: what is final, and what may still change."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from semgjax.data.band import Band
from semgjax.decode.beam import BeamSearch
from semgjax.decode.beam_commit import begin_stream, commit, extend, uncommitted
from semgjax.decode.log_softmax import log_softmax

_SHORT = 16
"""frames that a search takes at once: it is compiled for these"""


class RunningText(Protocol):
    """A text that grows.

    Attributes:
        keys: keys, or events of other classes, that are final.
        forced: keys that became final while hypotheses still differed in them or before them.
    """

    keys: int
    forced: int

    def add(self, log_probs_FxK: np.ndarray) -> str:
        """The next frames; what became final, to be joined to what did before."""

    def tentative(self) -> str:
        """What follows it as it stands now."""

    def finish(self) -> str:
        """No frame follows: what is left is final. The next frame begins another signal."""


@dataclass(frozen=True)
class _Words:
    """Labels as text that can be joined."""

    band: Band

    def text(self, labels: np.ndarray, before: int) -> str:
        found = self.band.text(labels)
        return f" {found}" if found and before and self.band.classes is not None else found


class GreedyText:
    """The best class of every frame, as `semgjax.decode.greedy`: all of it is final at once."""

    def __init__(self, band: Band) -> None:
        self.keys = self.forced = 0
        self._words, self._blank = _Words(band), band.blank
        self._last = band.blank

    def add(self, log_probs_FxK: np.ndarray) -> str:
        """See `RunningText`."""
        best_F = np.argmax(log_probs_FxK, axis=-1)
        before_F = np.concatenate([[self._last], best_F[:-1]]).astype(np.int64)
        labels = best_F[(best_F != before_F) & (best_F != self._blank)] if len(best_F) else best_F
        self._last = int(best_F[-1]) if len(best_F) else self._last
        text = self._words.text(labels, self.keys)
        self.keys += len(labels)
        return text

    def tentative(self) -> str:
        """See `RunningText`."""
        return ""

    def finish(self) -> str:
        """See `RunningText`."""
        self._last = self._blank
        return ""


class BeamText:
    """A beam search: what all its hypotheses begin with is final.

    Args:
        most: keys that may stay open. Where more would, those before them are final as the best hypothesis has them,
            which is a narrower search; without that, the result is that of a search over the whole signal.
    """

    def __init__(self, band: Band, search: BeamSearch, most: int) -> None:
        self.keys = self.forced = 0
        self._words, self._search, self._most = _Words(band), search, most
        self._stream = begin_stream(search)

    def add(self, log_probs_FxK: np.ndarray) -> str:
        """See `RunningText`."""
        for at in range(0, len(log_probs_FxK), _SHORT):
            self._stream = extend(self._search, self._stream, log_softmax(log_probs_FxK[at : at + _SHORT])[None])
        (agreed,), self._stream = commit(self._stream)
        (more,), self._stream = commit(self._stream, self._most)
        self.forced += len(more.labels)
        labels = np.concatenate([agreed.labels, more.labels])
        return self._given(labels)

    def tentative(self) -> str:
        """See `RunningText`."""
        ((best,),) = uncommitted(self._search, self._stream)
        return self._words.text(best.labels, self.keys)

    def finish(self) -> str:
        """See `RunningText`."""
        ((best,),) = uncommitted(self._search, self._stream)
        self._stream = begin_stream(self._search)
        return self._given(best.labels)

    def _given(self, labels: np.ndarray) -> str:
        text = self._words.text(labels, self.keys)
        self.keys += len(labels)
        return text
