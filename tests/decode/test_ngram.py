"""Kneser-Ney training: values by hand, sums of probabilities, compilation, the automaton's file and refusals."""

import contextlib
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from semgjax.decode.automaton import read_automaton, score_words, write_automaton
from semgjax.decode.backoff import BEGIN, END, UNKNOWN, compile_model, recursive_log10p
from semgjax.decode.ngram import scale_counts, train_ngrams
from semgjax.errors import InputError
from tests.refused import refused

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def lexicon(words: int, seed: int = 0) -> dict[str, int]:
    """Words of syllables with Zipf counts."""
    rng = np.random.default_rng(seed)
    made: dict[str, int] = {}
    while len(made) < words:
        parts = ["".join(rng.choice(list(row)) for row in ("bcdst", "aeiou", "nrl")) for _ in range(rng.integers(1, 4))]
        made["".join(parts)] = 1 + words // (1 + len(made))
    return made


def test_a_bigram_model_of_two_words_has_the_values_computed_by_hand():
    # Bigrams: <s>a 3, ab 2, b</s> 2, a</s> 1. One has count 1, two have 2, one has 3, none 4: Y = 1 / (1 + 2 * 2)
    # = 0.2, so the discounts are 1 - 2 Y 2/1 = 0.2, 2 - 3 Y 1/2 = 1.7 and 3 - 4 Y 0/1 = 3.
    model = train_ngrams({"ab": 2, "a": 1}, "ab", 2).model
    # Unigrams: the different tokens before: a 1, b 1, </s> 2, of 4. No count is 3, so the discounts are 0.5 and 1, and
    # 0.5 + 0.5 + 1 = 2 of 4 is shared by a, b, </s> and <unk>.
    a = b = 0.5 / 4 + 0.5 / 4
    end = 1 / 4 + 0.5 / 4
    wanted = {
        ("a",): a,
        ("b",): b,
        (END,): end,
        (UNKNOWN,): 0.5 / 4,
        (BEGIN, "a"): a,
        (BEGIN, "b"): b,
        ("a", "b"): 0.3 / 3 + 1.9 / 3 * b,
        ("a", END): 0.8 / 3 + 1.9 / 3 * end,
        ("b", END): 0.3 / 2 + 1.7 / 2 * end,
        ("b", "a"): 1.7 / 2 * a,
    }
    for (*context, token), p in wanted.items():
        assert recursive_log10p(model, context, token) == pytest.approx(np.log10(p), abs=1e-6)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5, 6])
def test_probabilities_after_any_context_sum_to_one(order):
    words = lexicon(300)
    automaton = compile_model(train_ngrams(words, LETTERS, order).model)
    rng = np.random.default_rng(order)
    state_N = np.full(1000, automaton.start)
    for place in range(8):  # 1,000 random contexts of 1 to 8 characters, those of no word among them
        column_N = np.where(rng.random(1000) < 0.8, rng.choice([LETTERS.index(c) for c in "aenrbct"], 1000), 25)
        longer_N = (place == 0) | (rng.random(1000) < 0.9)
        state_N = np.where(longer_N, automaton.next_state[state_N, column_N], state_N)
    every_N = np.concatenate([state_N, np.arange(automaton.states)])
    # A letter of no word has the probability of <unk>, as it stands in no n-gram but its own.
    assert "z" not in "".join(words)
    unknown_N = automaton.log10p[every_N, LETTERS.index("z")].astype(float)
    known_N = (10.0 ** automaton.log10p[every_N].astype(float)).sum(1)
    total_N = known_N + 10.0 ** automaton.end_log10p[every_N].astype(float) + 10.0**unknown_N
    assert np.abs(total_N - 1).max() <= 1e-5
    assert 10.0 ** automaton.log10p[0, LETTERS.index("z")] == pytest.approx(10.0**automaton.unknown_log10p)


def test_the_definition_gives_unknown_characters_the_rest():
    model = train_ngrams(lexicon(300), LETTERS, 4).model
    rng = np.random.default_rng(1)
    for _ in range(10):
        context = [BEGIN, *rng.choice(list("aenrbct"), rng.integers(0, 6))]
        terms = [recursive_log10p(model, context, token) for token in (*LETTERS, END, UNKNOWN)]
        assert (10.0 ** np.array(terms)).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_an_automaton_scores_words_as_the_back_off_recursion(order):
    model = train_ngrams(lexicon(100), LETTERS, order).model
    rng = np.random.default_rng(2)
    words = [
        "",
        *("".join(rng.choice(list("aenrbctz"), rng.integers(1, 9))) for _ in range(40)),
        *list(lexicon(100))[:9],
    ]
    by_recursion = [
        sum(recursive_log10p(model, [BEGIN, *word[:at]], token) for at, token in enumerate([*word, END]))
        for word in words
    ]
    assert score_words(compile_model(model), words) == pytest.approx(by_recursion, abs=1e-4)


def test_a_longer_context_predicts_held_out_words_better():
    stems = ["".join(row) for row in np.random.default_rng(0).choice(list("aeinrst"), (30, 5))]
    words = dict.fromkeys((first + last for first in stems for last in stems), 1)
    held_out = list(words)[::7]
    rest = {word: count for word, count in words.items() if word not in held_out}
    third, sixth = (score_words(compile_model(train_ngrams(rest, LETTERS, n).model), held_out).sum() for n in (3, 6))
    assert sixth > third


def test_counts_as_of_a_smaller_text_keep_every_word():
    assert scale_counts({"the": 1_000_000, "rare": 1}, 1000) == {"the": 1000, "rare": 1}


@pytest.mark.parametrize(
    ("counts", "vocabulary", "order", "named"),
    [
        ({"a": 1}, "a", 0, "0"),
        ({}, "a", 2, "words"),
        ({"ab": 1}, "a", 2, "ab"),
        ({"a": 0}, "a", 2, "0"),
        ({"a": 1}, "aa", 2, "aa"),
        ({"a": 1}, "a\u232b", 2, "a"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(counts, vocabulary, order, named):
    with refused("bad-value", named):
        train_ngrams(counts, vocabulary, order)


def test_an_automaton_is_read_as_it_was_written_and_equal_ones_have_equal_bytes(tmp_path):
    made = compile_model(train_ngrams(lexicon(20), LETTERS, 3).model)
    write_automaton(tmp_path / "a.npz", made)
    write_automaton(tmp_path / "b.npz", made)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    found = read_automaton(tmp_path / "a.npz")
    for name in ("vocabulary", "unknown_log10p", "start", "order"):
        assert getattr(found, name) == getattr(made, name)
    for name in ("next_state", "log10p", "end_log10p"):
        assert np.array_equal(getattr(found, name), getattr(made, name))


def test_a_broken_automaton_is_neither_written_nor_read(tmp_path):
    good = compile_model(train_ngrams({"ab": 1}, "ab", 2).model)
    path = tmp_path / "a.npz"
    for code, change in {
        "not-finite": {"log10p": good.log10p * np.nan},
        "bad-shape": {"end_log10p": good.end_log10p[1:]},
        "bad-value": {"next_state": good.next_state + 99},
    }.items():
        with refused(code, path):
            write_automaton(path, replace(good, **change))
        assert not path.exists()
    with refused("no-file", path):
        read_automaton(path)
    path.write_text("no model")
    with refused("wrong-schema", path):
        read_automaton(path)
    np.savez(path, schema="another")
    with refused("wrong-schema", path):
        read_automaton(path)
    np.savez(path, schema="semgjax/automaton", version=99)
    with refused("wrong-version", path):
        read_automaton(path)


def test_a_damaged_byte_of_the_directory_is_harmless_or_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_automaton(path, compile_model(train_ngrams({"ab": 3, "ba": 2}, "ab", 2).model))
    whole = path.read_bytes()
    entry = whole.index(b"PK\x01\x02")  # of the first member: its flags are bytes 8 and 9, its compression 10 and 11
    for place in range(entry, entry + 46):
        for value in (whole[place] ^ 1, 12, 14, 255):  # encrypted, bzip2, LZMA, and what no archive has
            path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            with contextlib.suppress(InputError):
                read_automaton(path)
    for place, value in ((8, whole[entry + 8] | 1), (10, 12), (10, 14)):
        path.write_bytes(whole[: entry + place] + bytes([value]) + whole[entry + place + 1 :])
        with refused("damaged", path):
            read_automaton(path)


@pytest.mark.parametrize("name", ["order", "vocabulary", "next_state", "end_log10p"])
def test_a_member_that_is_no_array_is_refused(tmp_path, name):
    path = tmp_path / "a.npz"
    write_automaton(path, compile_model(train_ngrams({"ab": 3, "ba": 2}, "ab", 2).model))
    with zipfile.ZipFile(path) as file:
        members = {member: file.read(member) for member in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for member, content in members.items():
            file.writestr(member, b"no array" if member == f"{name}.npy" else content)
    with refused("damaged", path, name):
        read_automaton(path)
