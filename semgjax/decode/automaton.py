"""A character n-gram model with back-off resolved, as dense tables."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Automaton:
    """A character n-gram model with back-off resolved: what a beam search reads.

    Attributes:
        vocabulary: characters (glyphs of semgjax.data.keys) in the order of the columns.
        next_state: after a character, int32 [S, V].
        log10p: of a character in a state, base 10, float32 [S, V].
        end_log10p: of the end of the word in a state, float32 [S].
        unknown_log10p: of the <unk> unigram.
        start: state at the beginning of a word (<s>).
        order: of the n-gram.
    """

    vocabulary: tuple[str, ...]
    next_state: np.ndarray
    log10p: np.ndarray
    end_log10p: np.ndarray
    unknown_log10p: float
    start: int
    order: int
