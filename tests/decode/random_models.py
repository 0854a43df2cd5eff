"""Random models, emissions and forced paths for tests of the beam searches."""

import numpy as np

from semgjax.decode.automaton import Automaton

GLYPHS = ("a", "b", "c", " ", "\u232b", "A", "d", None, "e", "f", "g")
"""Keys of a model's vocabulary and outside of it, backspace, and a class that is no key; the blank is class 11."""
BLANK = len(GLYPHS)


def random_model(seed: int = 0, states: int = 40, vocabulary: str = "abcde") -> Automaton:
    """A model whose numbers are random: no probabilities that sum to one, but all that a search reads.

    As in a real one, no character leads back to the beginning of a word.
    """
    rng = np.random.default_rng(seed)
    shape = (states, len(vocabulary))
    return Automaton(
        vocabulary=tuple(vocabulary),
        next_state=rng.integers(1, states, shape).astype(np.int32),
        log10p=-rng.uniform(0, 2, shape).astype(np.float32),
        end_log10p=-rng.uniform(0, 2, states).astype(np.float32),
        unknown_log10p=-1.5,
        start=0,
        order=6,
    )


def random_emissions(seed: int, *shape: int) -> np.ndarray:
    """Log probabilities of this shape, the last axis the classes."""
    values = np.random.default_rng(seed).normal(0, 2, shape)
    return values - np.log(np.exp(values).sum(-1, keepdims=True))


def forced(labels: list[int], classes: int = BLANK + 1) -> np.ndarray:
    """Emissions under which these labels are certain: each a frame, and a blank frame after it."""
    path = [label for pair in zip(labels, [classes - 1] * len(labels), strict=True) for label in pair]
    values = np.full((len(path), classes), -np.inf)
    values[np.arange(len(path)), path] = 0.0
    return values
