"""Scores of n-gram models against KenLM's, token by token: models trained here, and ARPA files written by hand."""

from itertools import product
from pathlib import Path

import kenlm
import numpy as np
import pytest

from semgjax.decode.arpa import read_arpa, write_arpa
from semgjax.decode.backoff import BEGIN, END, UNKNOWN, compile_model, recursive_log10p
from semgjax.decode.ngram import train_ngrams
from tests.decode.test_ngram import LETTERS, lexicon

OUTSIDE = "outside"
"""A token that no model has: KenLM makes <unk> of it."""


def kenlm_scores(peer: kenlm.Model, context: list[str], tokens: list[str]) -> list[float]:
    """log10 of each token after <s> and a context."""
    state, after = kenlm.State(), kenlm.State()
    peer.BeginSentenceWrite(state)
    for token in context:
        peer.BaseScore(state, token, after)
        state, after = after, state
    return [peer.BaseScore(state, token, after) for token in tokens]


def named(token: str) -> str:
    return "<space>" if token == " " else token


def compared(path: Path, contexts: list[list[str]]) -> float:
    """The largest difference of any token after any context, by the tables that a beam search reads."""
    automaton, peer = compile_model(read_arpa(path)), kenlm.Model(str(path))
    column = {token: at for at, token in enumerate(automaton.vocabulary)}
    tokens = [*map(named, automaton.vocabulary), END]
    worst = 0.0
    for context in contexts:
        state = automaton.start
        for token in context:
            state = int(automaton.next_state[state, column[token]])
        ours = [*automaton.log10p[state], automaton.end_log10p[state]]
        worst = max(worst, np.abs(np.subtract(ours, kenlm_scores(peer, [*map(named, context)], tokens))).max())
    return max(worst, abs(automaton.unknown_log10p - unknown_of(peer)))


def unknown_of(peer: kenlm.Model) -> float:
    """The unigram <unk>."""
    nothing, after = kenlm.State(), kenlm.State()
    peer.NullContextWrite(nothing)
    return peer.BaseScore(nothing, OUTSIDE, after)


def compared_with_unknowns(path: Path, contexts: list[list[str]]) -> float:
    """The same by the definition, where contexts and tokens may be <unk>."""
    model, peer = read_arpa(path), kenlm.Model(str(path))
    tokens = [*model.tokens[3:], END, UNKNOWN]
    worst = 0.0
    for context in contexts:
        ours = [recursive_log10p(model, [BEGIN, *context], token) for token in tokens]
        names = [OUTSIDE if token == UNKNOWN else named(token) for token in (*context, *tokens)]
        theirs = kenlm_scores(peer, names[: len(context)], names[len(context) :])
        worst = max(worst, np.abs(np.subtract(ours, theirs)).max())
    return worst


def random_contexts(tokens: list[str], count: int, longest: int = 8) -> list[list[str]]:
    rng = np.random.default_rng(count)
    return [rng.choice(tokens, rng.integers(0, longest + 1)).tolist() for _ in range(count)]


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
def test_a_trained_model_scores_every_token_after_any_context_as_kenlm(tmp_path, order):
    words = lexicon(400)
    path = tmp_path / "model.arpa"
    write_arpa(path, train_ngrams(words, LETTERS, order).model)
    starts = [list(word[:at]) for word in list(words)[:300] for at in range(0, len(word) + 1, 2)]
    assert compared(path, [*random_contexts(list("aenrbctz"), 1000), *starts]) <= 1e-5
    assert compared_with_unknowns(path, random_contexts([*"aenrz", UNKNOWN], 20)) <= 1e-5


def test_a_model_with_the_space_scores_as_kenlm(tmp_path):
    words = list(lexicon(60))
    lines = {f"{first} {second}": 1 for first, second in zip(words, words[1:], strict=False)}
    path = tmp_path / "model.arpa"
    write_arpa(path, train_ngrams(lines, LETTERS + " ", 5).model)
    spelled = [list(line[:at]) for line in lines for at in range(len(line))]
    assert compared(path, [*random_contexts([*"aenrt", " "], 500), *spelled]) <= 1e-5


def random_arpa(seed: int, has_unknown: bool, has_backoffs: bool) -> str:
    """Some n-grams of any numbers up to order 4: all contexts, but not all suffixes and back-off weights are there.

    KenLM can read a file only if few suffixes are missing.
    """
    rng = np.random.default_rng(seed)
    tokens = ["a", "b", "<space>", *([UNKNOWN] if has_unknown else [])]
    sections: list[list[tuple[str, ...]]] = [[(token,) for token in (BEGIN, END, *tokens)]]
    for _ in range(3):
        below = set(sections[-1])
        longer = [(*context, last) for context in below for last in (*tokens, END) if context[-1] != END]
        sections.append([row for row in sorted(longer) if rng.random() < (0.6 if row[1:] in below else 0.1)])
    lines = ["\\data\\", *(f"ngram {order}={len(rows)}" for order, rows in enumerate(sections, 1)), ""]
    for order, rows in enumerate(sections, 1):
        lines.append(f"\\{order}-grams:")
        for row in rows:
            number = -99.0 if row == (BEGIN,) else -rng.uniform(0.1, 2)
            weight = f"\t{rng.uniform(-1, 0.3):.6f}" if has_backoffs and order < 4 and rng.random() < 0.6 else ""
            lines.append(f"{number:.6f}\t{' '.join(row)}{weight}")
        lines.append("")
    return "\n".join([*lines, "\\end\\", ""])


@pytest.mark.parametrize("has_unknown", [True, False])
@pytest.mark.parametrize("has_backoffs", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_a_file_written_by_hand_scores_as_kenlm(tmp_path, seed, has_unknown, has_backoffs):
    path = tmp_path / "model.arpa"
    path.write_text(random_arpa(seed, has_unknown, has_backoffs))
    every = [list(context) for length in range(5) for context in product(["a", "b", " "], repeat=length)]
    assert compared(path, every) <= 1e-5
    assert compared_with_unknowns(path, random_contexts(["a", "b", " ", UNKNOWN], 30, 5)) <= 1e-5
