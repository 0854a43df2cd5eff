"""ARPA files with pieces changed: read to a model that is written and read alike, or refused with one line."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semgjax.decode.arpa import read_arpa, read_language_model, write_arpa
from semgjax.errors import CODES, InputError
from tests.decode.test_arpa import GOOD
from tests.fuzz.outcome import bounded

PIECES = ["\n", "\n\n", "\t", " ", "-", "0", "1", "9", ".", "e9", "nan", "a", "b", "<s>", "</s>", "<unk>", "<space>"]
PIECES += ["\\", "\\end\\", "ngram 3=1", "\u232b", "\u00e9", "\ufeff", "\x00", "\r", "\u2028", "|", "\ud800"]


@st.composite
def damaged(draw) -> bytes:
    """A sound file with a few pieces put in or in place of others."""
    text = GOOD
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 9)) :]
    return text.encode("utf-8", "surrogatepass")


@bounded
@given(damaged())
def test_a_damaged_arpa_file_is_refused_or_is_a_model(content):
    with tempfile.TemporaryDirectory() as name:
        path, again = Path(name) / "model.arpa", Path(name) / "again.arpa"
        path.write_bytes(content)
        try:
            model, automaton = read_arpa(path), read_language_model(path)
        except InputError as error:
            assert error.code in CODES and "\n" not in str(error)
            return
        write_arpa(again, model)
        found = read_language_model(again)
        assert found.vocabulary == automaton.vocabulary and found.unknown_log10p == automaton.unknown_log10p
        for one, other in ((found.log10p, automaton.log10p), (found.end_log10p, automaton.end_log10p)):
            assert np.array_equal(one, other) and one.max() <= 1e-3
