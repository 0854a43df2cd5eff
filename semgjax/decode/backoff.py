"""A back-off n-gram model of characters as sorted levels, and its compilation to an automaton.

p(c | h) is the n-gram's own value where h c is in the model, else the back-off weight of h times p(c | h without its
first token); a context that is not in the model has weight 1 (Katz 1987; the ARPA format).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.decode.automaton import Automaton

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
SPECIAL = (UNKNOWN, BEGIN, END)
BASE = 128
"""Tokens per place of a packed (parent, token): more than the keys and the special tokens."""
UNKNOWN_MISSING = -100.0
"""log10 probability of <unk> in a model without one."""


@dataclass(frozen=True)
class Level:
    """The n-grams of one length, sorted by (parent, token).

    Attributes:
        parent: row of the n-gram without its last token in the level before, int64 [n]; 0 in the first level.
        token: number of the last token in `NgramModel.tokens`, int64 [n].
        log10p: float32 [n].
        backoff: log10 of the back-off weight, float32 [n]; 0 without one.
    """

    parent: np.ndarray
    token: np.ndarray
    log10p: np.ndarray
    backoff: np.ndarray

    @property
    def packed(self) -> np.ndarray:
        """One sorted number an n-gram, int64 [n]."""
        return self.parent * BASE + self.token

    def find(self, parent: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of n-grams, and whether they exist; the row of one that does not is meaningless."""
        packed, wanted = self.packed, parent * BASE + token
        row = np.minimum(np.searchsorted(packed, wanted), max(len(packed) - 1, 0))
        return row, (packed[row] == wanted if len(packed) else np.zeros(len(wanted), bool))


@dataclass(frozen=True)
class NgramModel:
    """Levels 1 to the order, over <unk>, <s>, </s> (tokens 0, 1, 2) and the characters after them."""

    tokens: tuple[str, ...]
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.levels)

    @property
    def ngrams(self) -> int:
        """Number of n-grams of all lengths."""
        return sum(len(level.token) for level in self.levels)

    def contents(self, order: int) -> np.ndarray:
        """Token numbers of the n-grams of one length: int64 [n, order]."""
        tokens_NxK = np.zeros((len(self.levels[order - 1].token), order), np.int64)
        rows = np.arange(len(tokens_NxK))
        for place in range(order - 1, -1, -1):
            level = self.levels[place]
            tokens_NxK[:, place] = level.token[rows]
            rows = level.parent[rows]
        return tokens_NxK


def recursive_log10p(model: NgramModel, context: Sequence[str], token: str) -> float:
    """log10 p(token | context) by the definition, for tests and for reading: `compile_model` gives the same numbers.

    Args:
        context: tokens before, oldest first; those that are too old for the order are not used.

    Raises:
        ValueError: another token than <unk> that has no unigram.
    """
    number = {text: index for index, text in enumerate(model.tokens)}
    numbers = [number[text] for text in context][max(0, len(context) - model.order + 1) :]
    total = 0.0
    for first in range(len(numbers) + 1):
        row = _row(model, [*numbers[first:], number[token]])
        if row is not None:
            return total + float(model.levels[len(numbers) - first].log10p[row])
        above = _row(model, numbers[first:])
        total += 0.0 if above is None else float(model.levels[len(numbers) - first - 1].backoff[above])
    if token == UNKNOWN:
        return total + UNKNOWN_MISSING
    raise ValueError(f"{token!r} has no unigram")


def _row(model: NgramModel, numbers: Sequence[int]) -> int | None:
    row = 0
    for level, number in zip(model.levels, numbers, strict=False):
        found, there = level.find(np.array([row]), np.array([number]))
        if not there[0]:
            return None
        row = int(found[0])
    return row


def compile_model(model: NgramModel) -> Automaton:
    """Dense tables of a model: back-off resolved for every context and character, level by level.

    A state is a context that is in the model, does not hold <unk> or </s>, and has a back-off weight or a longer
    n-gram; any other context gives the same probabilities as a shorter one, which stands for it. State 0 is the empty
    context. A model of S states and V characters takes 8 S V + 4 S bytes.
    """
    chars = np.arange(len(SPECIAL), len(model.tokens))
    end, begin, unknown = (SPECIAL.index(token) for token in (END, BEGIN, UNKNOWN))
    kept = _kept_contexts(model)
    sizes = [1, *(int(rows.sum()) for rows in kept)]
    firsts = np.cumsum([0, *sizes])
    states, V = int(firsts[-1]), len(chars)
    log10p_SxV = np.zeros((states, V), np.float32)
    next_SxV = np.zeros((states, V), np.int32)
    end_S = np.zeros(states, np.float32)

    # Row of a level -> its state, or -1.
    state_of = [np.where(rows, first + np.cumsum(rows) - 1, -1) for rows, first in zip(kept, firsts[1:], strict=False)]
    state_of.append(np.full(len(model.levels[-1].token), -1))  # the longest n-grams are no contexts
    suffix = np.zeros(1, np.int64)  # state of every context of the level, without its first token
    for length in range(model.order):
        level, first = model.levels[length], int(firsts[length])
        rows = slice(first, first + sizes[length])
        if length:
            above = model.levels[length - 1]
            mask = kept[length - 1]
            weight = above.backoff[mask]
            log10p_SxV[rows] = weight[:, None] + log10p_SxV[suffix]
            next_SxV[rows] = next_SxV[suffix]
            end_S[rows] = weight + end_S[suffix]
            parent = np.where(mask, np.cumsum(mask) - 1, -1)[level.parent] + first
            usable = mask[level.parent]
        else:
            parent, usable = level.parent, np.ones(len(level.token), bool)
        # What every n-gram continues to after its first token: needed for the suffixes of the next level.
        backed = next_SxV[parent, np.maximum(level.token - len(SPECIAL), 0)] if length else np.zeros(len(parent), int)
        character = usable & (level.token >= len(SPECIAL))
        column = level.token - len(SPECIAL)
        log10p_SxV[parent[character], column[character]] = level.log10p[character]
        target = state_of[length]
        moves = character & (target >= 0)
        next_SxV[parent[moves], column[moves]] = target[moves]
        ends = usable & (level.token == end)
        end_S[parent[ends]] = level.log10p[ends]
        if length < model.order - 1:
            suffix = backed[kept[length]]
    unigrams = model.levels[0]
    missing = not (unigrams.token == unknown).any()
    row, there = unigrams.find(np.zeros(1, np.int64), np.array([begin]))
    start = state_of[0][row[0]] if there[0] and model.order > 1 else 0
    return Automaton(
        vocabulary=model.tokens[len(SPECIAL) :],
        next_state=next_SxV,
        log10p=log10p_SxV,
        end_log10p=end_S,
        unknown_log10p=UNKNOWN_MISSING if missing else float(unigrams.log10p[unigrams.token == unknown][0]),
        start=max(int(start), 0),
        order=model.order,
    )


def _kept_contexts(model: NgramModel) -> list[np.ndarray]:
    """For every level but the last, which n-grams are states: bool [n]."""
    kept: list[np.ndarray] = []
    reachable = np.ones(1, bool)
    for length, level in enumerate(model.levels[:-1]):
        has_longer = np.zeros(len(level.token), bool)
        has_longer[model.levels[length + 1].parent] = True
        plain = (level.token != SPECIAL.index(END)) & (level.token != SPECIAL.index(UNKNOWN))
        if length:  # neither <unk> nor <s> within
            plain &= (level.token != SPECIAL.index(BEGIN)) & reachable[level.parent]
        reachable = plain
        kept.append(plain & (has_longer | (level.backoff != 0)))
    return kept
