"""Greedy CTC decoding: the best class per frame, repeats merged, blanks dropped."""

import numpy as np


def greedy(logits_TxK: np.ndarray) -> np.ndarray:
    """Labels int32 [N] of a whole session's logits or log probabilities [T, K]; the blank is the last class."""
    best_T = np.argmax(logits_TxK, axis=-1)
    changed_T = np.concatenate([[True], best_T[1:] != best_T[:-1]]) if len(best_T) else np.zeros(0, bool)
    return best_T[changed_T & (best_T != logits_TxK.shape[-1] - 1)].astype(np.int32)
