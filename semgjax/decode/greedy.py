"""Greedy CTC decoding: the best class per frame, repeats merged, blanks dropped."""

import numpy as np


def greedy(logits_TxK: np.ndarray) -> np.ndarray:
    """Labels int32 [N] of a whole session's logits or log probabilities [T, K]; the blank is the last class."""
    return greedy_frames(logits_TxK)[0]


def greedy_frames(logits_TxK: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and the frame at which each begins, both int32 [N]; see `greedy`."""
    best_T = np.argmax(logits_TxK, axis=-1)
    changed_T = np.concatenate([[True], best_T[1:] != best_T[:-1]]) if len(best_T) else np.zeros(0, bool)
    frames_N = np.flatnonzero(changed_T & (best_T != logits_TxK.shape[-1] - 1))
    return best_T[frames_N].astype(np.int32), frames_N.astype(np.int32)
