"""Train a character n-gram model on weighted words: interpolated modified Kneser-Ney smoothing.

Chen & Goodman 1998 ("An Empirical Study of Smoothing Techniques for Language Modeling", sections 3 and 4.1.6), with
the adjusted counts of Heafield et al. 2013 ("Scalable Modified Kneser-Ney Language Model Estimation", section 3), as
in KenLM. A weight repeats its word: the highest order, and n-grams that begin with <s>, have the words' summed weights
as counts; all others have the number of different tokens before them, which no weight changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.decode.automaton import is_character
from semgjax.decode.backoff import BASE, BEGIN, END, SPECIAL, Level, NgramModel
from semgjax.errors import InputError

LONGEST_ORDER = 12
FALLBACK = (0.5, 1.0, 1.5)
"""Discounts of counts 1, 2 and 3 or more where they cannot be estimated, as in KenLM (--discount_fallback)."""
_BEGIN, _END = SPECIAL.index(BEGIN), SPECIAL.index(END)
# log10 of a probability of 0, in ARPA files as written by SRILM.
_NEVER = -99.0
_MOST = 2.0**53  # beyond it sums of float64 are no longer exact


@dataclass(frozen=True)
class Trained:
    """A model and what its training found.

    Attributes:
        discounts: of counts 1, 2 and 3 or more, for each order from 1.
        fallback: orders whose discounts are FALLBACK.
        words: different words; `weight` is the sum of their counts.
    """

    model: NgramModel
    discounts: tuple[tuple[float, float, float], ...]
    fallback: tuple[int, ...]
    words: int
    weight: int


@dataclass(frozen=True)
class _Counted:
    """N-grams of one length, sorted by (parent, token), with adjusted counts.

    `suffix` is the row, in the level before, of the n-gram without its first token.
    """

    parent: np.ndarray
    token: np.ndarray
    count: np.ndarray
    suffix: np.ndarray


def train_ngrams(counts: Mapping[str, int], vocabulary: str, order: int) -> Trained:
    """Estimate a model of `order` on words, each between <s> and </s>, that occur as often as `counts` says.

    The probabilities of all characters, </s> and <unk> after any context sum to 1. The share of <unk> and of the
    characters that no word has is that of the uniform distribution in the unigrams.

    Args:
        counts: word -> number of times, 1 or more.
        vocabulary: the model's characters.

    Raises:
        InputError: order out of range, no words, a character given twice or that is no key, a word with a character
            outside of the vocabulary, or a count that is not 1 or more ("bad-value"); too large counts ("too-large").
    """
    _check(counts, vocabulary, order)
    tokens = (*SPECIAL, *vocabulary)
    token_P, weight_P, place_P = _places(counts, tokens)
    levels = _count(token_P, weight_P, place_P, order)
    found = [_discounts(level) for level in levels]
    fallback = tuple(length for length, values in enumerate(found, start=1) if values is None)
    discounts = tuple(values or FALLBACK for values in found)
    model = NgramModel(tokens, _estimate(levels, discounts, len(tokens)))
    return Trained(model, discounts, fallback, len(counts), sum(counts.values()))


def scale_counts(counts: Mapping[str, int], words: int) -> dict[str, int]:
    """Counts as if they came from a text of `words` words: in proportion, rounded up, so that no word is lost.

    A dictionary's counts come from so large a text that none is below thousands; there Kneser-Ney discounts, which take
    at most 3 off a count, hardly leave anything for what the dictionary lacks.

    Raises:
        InputError: not 1 or more words ("bad-value").
    """
    if words < 1:
        raise InputError(f"a text of {words} words: give 1 or more", "bad-value")
    total = sum(counts.values())
    return {word: -(-count * words // total) for word, count in counts.items()}


def _check(counts: Mapping[str, int], vocabulary: str, order: int) -> None:
    if not 1 <= order <= LONGEST_ORDER:
        raise InputError(f"order is {order}, expected 1 to {LONGEST_ORDER}", "bad-value")
    wrong = next((glyph for glyph in vocabulary if not is_character(glyph)), None)
    if wrong is not None or not vocabulary or len(set(vocabulary)) < len(vocabulary):
        raise InputError(f"vocabulary is {vocabulary!r}, expected different keys, no backspace", "bad-value")
    if not counts:
        raise InputError("there are no words to train on", "bad-value")
    for word, count in counts.items():
        if not word or not set(word) <= set(vocabulary):
            raise InputError(f"word {word!r} has a character outside of the vocabulary, or none", "bad-value")
        if count < 1:
            raise InputError(f"word {word!r} has the count {count}, expected 1 or more", "bad-value")
    if sum(count * (len(word) + 2) for word, count in counts.items()) >= _MOST:
        raise InputError("the counts' sum exceeds 2**53 characters; scale them with --words", "too-large")


def _places(counts: Mapping[str, int], tokens: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All words one after another as token numbers, <s> and </s> included: token, weight, place in the word."""
    table = np.zeros(1 + max(ord(glyph) for glyph in tokens[len(SPECIAL) :]), np.int64)
    for number, glyph in enumerate(tokens[len(SPECIAL) :], start=len(SPECIAL)):
        table[ord(glyph)] = number
    lengths = np.array([len(word) + 2 for word in counts], np.int64)
    weights = np.array(list(counts.values()), np.float64)
    starts = np.cumsum(lengths) - lengths
    token_P = np.zeros(int(lengths.sum()), np.int64)
    inside = np.ones(len(token_P), bool)
    inside[starts] = inside[starts + lengths - 1] = False
    token_P[starts], token_P[starts + lengths - 1] = _BEGIN, _END
    token_P[inside] = table[np.frombuffer("".join(counts).encode("utf-32-le"), np.uint32)]
    return token_P, np.repeat(weights, lengths), np.arange(len(token_P)) - np.repeat(starts, lengths)


def _count(token_P: np.ndarray, weight_P: np.ndarray, place_P: np.ndarray, order: int) -> list[_Counted]:
    """Adjusted counts of all n-grams of lengths 1 to `order` (Heafield et al. 2013, section 3.2)."""
    levels: list[_Counted] = []
    begins: list[np.ndarray] = []
    row = np.zeros(len(token_P), np.int64)  # of the n-gram that ends at each place
    for length in range(1, order + 1):
        there = place_P >= length - 1
        before = np.concatenate([[0], row[:-1]])[there] if length > 1 else np.zeros(int(there.sum()), np.int64)
        packed, first, found = np.unique(before * BASE + token_P[there], return_index=True, return_inverse=True)
        raw = np.bincount(found, weights=weight_P[there], minlength=len(packed))
        levels.append(_Counted(packed // BASE, packed % BASE, raw, row[there][first]))
        begins.append(place_P[there][first] == length - 1)  # <s> is its first token: nothing can stand before it
        row = np.zeros(len(token_P), np.int64)
        row[there] = found
    for level, longer, from_begin in zip(levels, levels[1:], begins, strict=False):
        continued = np.bincount(longer.suffix, minlength=len(level.count)).astype(np.float64)
        level.count[:] = np.where(from_begin, level.count, continued)
    levels[0].count[levels[0].token == _BEGIN] = 0.0  # never predicted
    return levels


def _discounts(level: _Counted) -> tuple[float, float, float] | None:
    """Discounts of counts 1, 2 and 3 or more (Chen & Goodman 1998, equation 26), or None where they are undefined."""
    of = [float((level.count == count).sum()) for count in (1, 2, 3, 4)]
    if not all(of[:3]):
        return None
    share = of[0] / (of[0] + 2 * of[1])
    found = tuple(count - (count + 1) * share * of[count] / of[count - 1] for count in (1, 2, 3))
    # One that is 0 would leave no probability for what was not seen.
    if not all(0 < value <= count for count, value in enumerate(found, start=1)):
        return None
    return found[0], found[1], found[2]


def _estimate(
    levels: list[_Counted], discounts: tuple[tuple[float, float, float], ...], tokens: int
) -> tuple[Level, ...]:
    """Interpolated probabilities and back-off weights of all orders, from the lowest."""
    probabilities: list[np.ndarray] = []
    backoffs: list[np.ndarray] = []
    for length, (level, discount) in enumerate(zip(levels, discounts, strict=True), start=1):
        contexts = len(levels[length - 2].count) if length > 1 else 1
        taken = np.array([0.0, *discount])[np.minimum(level.count, 3).astype(np.int64)]
        total = np.bincount(level.parent, weights=level.count, minlength=contexts)
        left = np.bincount(level.parent, weights=taken, minlength=contexts)
        # After </s> nothing follows: weight 1.
        weight = np.divide(left, total, out=np.ones(contexts), where=total > 0)
        uniform = np.full(len(level.count), 1.0 / (tokens - 1))  # over all but <s>
        base = uniform if length == 1 else probabilities[-1][level.suffix]
        probabilities.append((level.count - taken) / total[level.parent] + weight[level.parent] * base)
        backoffs.append(weight)
    # Unigrams have a row for every token: <unk> and characters of no word have the uniform share alone.
    seen = levels[0].token
    unigrams = np.full(tokens, backoffs[0][0] / (tokens - 1))
    unigrams[seen] = probabilities[0]
    row_of = [seen, *(np.arange(len(level.count)) for level in levels[1:])]
    made = []
    for length, level in enumerate(levels, start=1):
        p = unigrams if length == 1 else probabilities[length - 1]
        token = np.arange(tokens) if length == 1 else level.token
        parent = np.zeros(tokens, np.int64) if length == 1 else row_of[length - 2][level.parent]
        backoff = np.ones(len(p))
        if length < len(levels):
            backoff[row_of[length - 1]] = backoffs[length]
        log10p = np.log10(p).astype(np.float32)
        if length == 1:
            log10p[_BEGIN] = _NEVER
        made.append(Level(parent, token, log10p, np.log10(backoff).astype(np.float32)))
    return tuple(made)
