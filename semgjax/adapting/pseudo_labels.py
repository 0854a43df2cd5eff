"""Pseudo-labels from the decoder's own confident windows, and the same number of labels that say nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from semgjax.decode.greedy import greedy
from semgjax.errors import InputError


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """Label sequences of some windows.

    Attributes:
        windows: which, int64 [W].
        labels: of each of them, int32 [N], one label or more.
    """

    windows: np.ndarray
    labels: tuple[np.ndarray, ...]

    @property
    def joined(self) -> np.ndarray:
        """Labels of all windows end to end."""
        return np.concatenate(self.labels)


def confident_labels(logits_WxTxK: np.ndarray, share: float) -> PseudoLabels:
    """What is read greedily in the most confident windows of those in which anything is read.

    A window's confidence is the mean probability of the best class over the frames in which that is no blank.

    Args:
        logits_WxTxK: of the windows' cores; the blank is the last class.
        share: of the windows with text that is kept, in (0, 1], rounded up.

    Raises:
        InputError: nothing is read in any window ("no-keys"), or the share is out of range ("bad-value").
    """
    if not 0 < share <= 1:
        raise InputError(f"share {share} of confident windows must lie in (0, 1]", "bad-value")
    shifted = logits_WxTxK.astype(np.float64) - logits_WxTxK.max(axis=-1, keepdims=True)
    best_WxT = 1.0 / np.exp(shifted).sum(axis=-1)
    emits_WxT = logits_WxTxK.argmax(axis=-1) != logits_WxTxK.shape[-1] - 1
    read = np.flatnonzero(emits_WxT.any(axis=1))
    if not len(read):
        raise InputError("the decoder reads nothing in this session; there is nothing to adapt on", "no-keys")
    sure = [best_WxT[window, emits_WxT[window]].mean() for window in read]
    kept = np.sort(read[np.argsort(sure, kind="stable")[::-1][: int(np.ceil(share * len(read)))]])
    return PseudoLabels(kept, tuple(greedy(logits_WxTxK[window]) for window in kept))


def random_labels(pseudo: PseudoLabels, seed: Sequence[int]) -> PseudoLabels:
    """The same labels in random places: lengths and the frequency of every label are the same."""
    return _cut(pseudo, np.random.default_rng(seed).permutation(pseudo.joined))


def shuffled_labels(pseudo: PseudoLabels, other: PseudoLabels) -> PseudoLabels:
    """Another session's labels in their own order, repeated where they are too few, cut to the same lengths."""
    return _cut(pseudo, np.resize(other.joined, len(pseudo.joined)))


def _cut(pseudo: PseudoLabels, joined: np.ndarray) -> PseudoLabels:
    ends = np.cumsum([len(labels) for labels in pseudo.labels])[:-1]
    return replace(pseudo, labels=tuple(np.split(joined, ends)))
