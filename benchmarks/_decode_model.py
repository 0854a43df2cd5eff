"""A random character 6-gram for the benchmark of decoding: the same model as an automaton and as an ARPA file."""

import itertools
import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semgjax.data.keys import BLANK, NUM_CLASSES, NUM_KEYS, text_to_labels
from semgjax.decode.automaton import Automaton

ORDER = 6
_UNKNOWN = -2.0
Gram = tuple[str, ...]


def random_words(count: int, seed: int = 0) -> list[str]:
    """Words of 3 to 9 letters, some letters more frequent than others."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, 27)
    letters = list(string.ascii_lowercase)
    return ["".join(rng.choice(letters, rng.integers(3, 10), p=weights / weights.sum())) for _ in range(count)]


def random_grams(words: Sequence[str], seed: int = 0) -> dict[Gram, tuple[float, float]]:
    """log10 probability and back-off, both random, of all n-grams of the words up to ORDER."""
    grams: dict[Gram, None] = {("<s>",): None} | {(letter,): None for letter in string.ascii_lowercase}
    for word in words:
        tokens = ("<s>", *word, "</s>")
        for order in range(1, ORDER + 1):
            grams |= dict.fromkeys(tokens[i : i + order] for i in range(len(tokens) - order + 1))
    rng = np.random.default_rng(seed)
    numbers = np.stack([rng.uniform(-2.0, -0.2, len(grams)), rng.uniform(-1.0, 0.0, len(grams))], 1)
    return dict(zip(grams, map(tuple, numbers.round(4).tolist()), strict=True))


def write_arpa(path: Path, grams: dict[Gram, tuple[float, float]]) -> None:
    """The model as an ARPA file, with <unk>."""
    by_order = [[gram for gram in grams if len(gram) == order] for order in range(1, ORDER + 1)]
    lines = ["\\data\\", *(f"ngram {n}={len(found) + (n == 1)}" for n, found in enumerate(by_order, 1))]
    for order, found in enumerate(by_order, 1):
        lines += ["", f"\\{order}-grams:"] + [f"{_UNKNOWN}\t<unk>\t0"] * (order == 1)
        for gram in found:
            log10p, backoff = grams[gram]
            last = order == ORDER or gram[-1] == "</s>"
            lines.append(f"{log10p}\t{' '.join(gram)}" + ("" if last else f"\t{backoff}"))
    path.write_text("\n".join([*lines, "", "\\end\\", ""]), encoding="utf-8")


def automaton_of(grams: dict[Gram, tuple[float, float]]) -> Automaton:
    """The model as an automaton; a state is a context of up to ORDER - 1 characters."""
    letters = string.ascii_lowercase
    contexts = [(), *sorted((g for g in grams if len(g) < ORDER and g[-1] != "</s>"), key=len)]
    number = {context: state for state, context in enumerate(contexts)}
    log10p = np.zeros((len(contexts), len(letters) + 1), np.float32)
    following = np.zeros((len(contexts), len(letters)), np.int32)
    for state, context in enumerate(contexts):  # shorter contexts first
        if context:
            shorter = number[context[1:]]
            log10p[state] = log10p[shorter] + grams[context][1]
            following[state] = following[shorter]
        for column, letter in enumerate((*letters, "</s>")):
            gram = (*context, letter)
            if gram in grams:
                log10p[state, column] = grams[gram][0]
                if column < len(letters):
                    following[state, column] = next(number[gram[i:]] for i in range(len(gram)) if gram[i:] in number)
    return Automaton(
        tuple(letters), following, log10p[:, :-1].copy(), log10p[:, -1].copy(), _UNKNOWN, number[("<s>",)], ORDER
    )


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
