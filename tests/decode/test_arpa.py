"""ARPA files: the way there and back, models of other tools, and every refusal by its code."""

import numpy as np
import pytest

from semgjax.decode.arpa import read_arpa, read_language_model, write_arpa
from semgjax.decode.automaton import score_words, write_automaton
from semgjax.decode.backoff import UNKNOWN_MISSING, compile_model
from semgjax.decode.ngram import train_ngrams
from tests.refused import refused

GOOD = """\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-1.0 <unk>
-99 <s> -0.5
-0.7 </s>
-0.4 a -0.2
-0.9 b

\\2-grams:
-0.1 <s> a
-0.3 a b

\\end\\
"""


def written(tmp_path, text):
    path = tmp_path / "model.arpa"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("vocabulary", ["ab", "ab "])
def test_a_model_is_read_as_it_was_written(tmp_path, vocabulary):
    made = train_ngrams({"ab": 2, "a": 1, "abba": 5} | ({"a b": 2} if " " in vocabulary else {}), vocabulary, 4).model
    write_arpa(tmp_path / "a.arpa", made)
    found = read_arpa(tmp_path / "a.arpa")
    assert found.tokens == made.tokens and found.order == 4
    for level, other in zip(found.levels, made.levels, strict=True):
        for name in ("parent", "token", "log10p", "backoff"):
            assert np.array_equal(getattr(level, name), getattr(other, name))


def test_a_model_with_some_back_off_weights_scores_as_computed_by_hand(tmp_path):
    automaton = compile_model(read_arpa(written(tmp_path, GOOD)))
    assert automaton.vocabulary == ("a", "b") and automaton.unknown_log10p == -1.0 and automaton.order == 2
    hand = [-0.1 - 0.3 - 0.7, -0.5 - 0.9 - 0.4 - 0.2 - 0.7, -0.5 - 0.7]
    assert score_words(automaton, ["ab", "ba", ""]) == pytest.approx(hand, abs=1e-6)


def test_a_model_without_unk_gives_it_the_number_of_kenlm(tmp_path):
    text = GOOD.replace("1=5", "1=4").replace("-1.0 <unk>\n", "")
    assert compile_model(read_arpa(written(tmp_path, text))).unknown_log10p == UNKNOWN_MISSING


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("wrong-schema", "\\data\\", ""),
        ("bad-field", "ngram 1=5", "ngram 1=6"),
        ("bad-field", "ngram 2=2", "ngram 3=2"),
        ("bad-field", "\\2-grams:", "\\3-grams:"),
        ("bad-field", "-0.7 </s>", "-0.7 c"),
        ("damaged", "\\end\\", ""),
        ("bad-row", "-0.3 a b", "-0.3 a"),
        ("bad-row", "-0.3 a b", "-0.3 a b c d"),
        ("bad-row", "-0.3 a b", "-0.3 <s> a"),
        ("bad-row", "-0.3 a b", "-0.3 a c"),
        ("bad-row", "-0.3 a b", "-0.3 c b"),
        ("bad-row", "-0.9 b", "-0.9 bee"),
        ("bad-row", "-0.9 b", "-0.9 \u2581"),
        ("bad-number", "-0.3 a b", "x a b"),
        ("bad-number", "-0.9 b", "-0.9 b -1_0"),
        ("not-finite", "-0.3 a b", "-inf a b"),
        ("not-finite", "-0.3 a b", "-1e999 a b"),
        ("bad-value", "-0.3 a b", "0.3 a b"),
        ("bad-value", "-0.3 a b", "-0.3 a b -0.1"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, code, old, new):
    path = written(tmp_path, GOOD.replace(old, new))
    with refused(code, path):
        read_arpa(path)


@pytest.mark.parametrize(
    ("code", "line", "old", "new"),
    [
        ("bad-field", 2, "ngram 1=5", "ngram 1=-5"),
        ("bad-field", 2, "ngram 1=5", "ngram one=5"),
        ("bad-field", 3, "ngram 2=2", "ngram 1=2"),
        ("bad-field", 3, "ngram 2=2", "2=2"),
        ("bad-field", 3, "ngram 2=2", "ngram 2=two"),
        ("bad-field", 11, "ngram 1=5", "ngram 1=6"),
        ("bad-field", 15, "ngram 2=2", "ngram 2=3"),
        ("bad-field", 5, "\\1-grams:", "\\2-grams:"),
        ("bad-field", 5, "\\1-grams:", "\\1-gram:"),
        ("bad-field", 12, "\\2-grams:", "\\end\\"),
        ("bad-field", 16, "\\end\\", "\\3-grams:"),
        ("bad-field", 4, "ngram 1=5\nngram 2=2\n\n", "\n\n"),
        ("bad-row", 6, "-1.0 <unk>", "-1.0"),
        ("bad-row", 6, "-1.0 <unk>", "-1.0 <UNK>"),
        ("bad-row", 9, "-0.4 a -0.2", "-0.4 a -0.2 x"),
        ("bad-row", 9, "-0.4 a -0.2", "-0.4 \u232b -0.2"),
        ("bad-row", 9, "-0.4 a -0.2", "-0.4 \u00e4 -0.2"),
        ("bad-row", 10, "-0.9 b", "-0.9 a"),
        ("bad-row", 13, "-0.1 <s> a", "-0.1 <s> <space>"),
        ("bad-row", 14, "-0.3 a b", "-0.3 <s> a"),
        ("bad-row", 14, "-0.3 a b", "-0.3 <sp> b"),
        ("bad-number", 9, "-0.4 a -0.2", "-0.4 a 0,2"),
        ("bad-number", 9, "-0.4 a -0.2", "--0.4 a"),
        ("bad-number", 13, "-0.1 <s> a", "-0x1 <s> a"),
        ("not-finite", 9, "-0.4 a -0.2", "-0.4 a nan"),
        ("not-finite", 9, "-0.4 a -0.2", "-0.4 a inf"),
        ("not-finite", 14, "-0.3 a b", "-1e31 a b"),
        ("bad-value", 9, "-0.4 a -0.2", "1e-3 a -0.2"),
        ("bad-value", 14, "-0.3 a b", "-0.3 a b 0.1"),
    ],
)
def test_the_line_of_a_fault_is_named(tmp_path, code, line, old, new):
    assert GOOD.count(old) == 1
    path = written(tmp_path, GOOD.replace(old, new))
    with refused(code, f"{path}, line {line}:"):
        read_arpa(path)


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("wrong-schema", b""),
        ("wrong-schema", b"the 500\nthen 20\n"),
        ("wrong-schema", b"mmap lm http://kheafield.com/code format version 5\n\0\0\0"),
        ("bad-encoding", GOOD.encode().replace(b"-0.9 b", b"-0.9 \xff")),
        ("bad-encoding", b"\x1f\x8b\x08\x00"),
        ("damaged", GOOD.encode().partition(b"-0.3 a b")[0]),
        ("damaged", GOOD.encode().partition(b"\\2-grams")[0]),
        ("bad-field", GOOD.encode().replace(b"<s>", b"c")),
    ],
)
def test_a_file_that_is_no_whole_arpa_file_is_refused(tmp_path, code, content):
    path = tmp_path / "model.arpa"
    path.write_bytes(content)
    with refused(code, path):
        read_arpa(path)


def test_an_n_gram_whose_context_is_missing_is_refused(tmp_path):
    text = GOOD.replace("ngram 2=2", "ngram 2=2\nngram 3=1").replace("\\end\\", "\\3-grams:\n-1 b a b\n\n\\end\\")
    path = written(tmp_path, text)
    with refused("bad-row", path, "b a"):
        read_arpa(path)


def test_a_model_is_read_for_a_search_from_either_file(tmp_path):
    expected = compile_model(read_arpa(written(tmp_path, GOOD)))
    write_automaton(tmp_path / "model.npz", expected)
    for name in ("model.arpa", "model.npz"):
        found = read_language_model(tmp_path / name)
        assert found.vocabulary == expected.vocabulary and found.start == expected.start
        assert np.array_equal(found.log10p, expected.log10p)
    path = written(tmp_path, GOOD.replace("-0.4 a -0.2", "-0.4 a 0.8"))
    with refused("bad-value", path):  # p(</s> | a) = 10 ** (0.8 - 0.7)
        read_language_model(path)


def test_a_file_that_is_missing_is_refused(tmp_path):
    with refused("no-file", tmp_path / "no.arpa"):
        read_arpa(tmp_path / "no.arpa")
