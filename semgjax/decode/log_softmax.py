"""Logits as log probabilities, in the one way in which searches take them."""

import numpy as np


def log_softmax(logits_TxK: np.ndarray) -> np.ndarray:
    """Natural logs of probabilities, float32."""
    shifted = logits_TxK.astype(np.float64) - logits_TxK.max(axis=-1, keepdims=True, initial=-np.inf)
    return (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))).astype(np.float32)
