"""The character 6-gram of random words, and somebody who types them, for the benchmark of decoding."""

import itertools
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

from semgjax.data.keys import BLANK, NUM_CLASSES, NUM_KEYS, text_to_labels
from semgjax.decode.backoff import NgramModel
from semgjax.decode.ngram import train_ngrams

ORDER = 6


def random_words(count: int, seed: int = 0) -> list[str]:
    """Words of 3 to 9 letters, some letters more frequent than others."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, 27)
    letters = list(string.ascii_lowercase)
    return ["".join(rng.choice(letters, rng.integers(3, 10), p=weights / weights.sum())) for _ in range(count)]


def model_of(words: Sequence[str]) -> NgramModel:
    """The 6-gram of the words, each once."""
    return train_ngrams(Counter(words), string.ascii_lowercase, ORDER).model


def random_typing(words: Sequence[str], rows: int, frames: int, seed: int = 0) -> np.ndarray:
    """Emissions of somebody who types the words, float32 [rows, frames, classes]: a spike in about each sixth frame."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (rows, frames, NUM_CLASSES))
    logits[..., BLANK] += 6
    for row in logits:
        keys = text_to_labels(" ".join(rng.permutation(np.array(words))[: frames // 10]))
        times = np.cumsum(rng.integers(3, 10, len(keys)))
        for time, key in itertools.takewhile(lambda pair: pair[0] < frames, zip(times, keys, strict=True)):
            row[time, key] += rng.uniform(5, 9)
            row[time, rng.integers(0, NUM_KEYS)] += 5  # a neighbour that it may be taken for
    return (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype(np.float32)
