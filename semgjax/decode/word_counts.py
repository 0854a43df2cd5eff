"""Words and their counts for a character model, from a file of word counts or from plain text."""

import re
from collections import Counter
from pathlib import Path
from typing import Literal

from semgjax.data.keys import labels_to_text, text_to_labels
from semgjax.errors import InputError
from semgjax.files import read_text

Form = Literal["counts", "text"]
_PAIR = re.compile(r"(\S+)[ \t]+([0-9]{1,18})")


def read_source(path: Path) -> str:
    """The text of a file of word counts or text; read once, so that it may be a pipe or /dev/stdin.

    Raises:
        InputError: as `semgjax.files.read_text`.
    """
    return read_text(path, "word counts or text", "utf-8-sig")


def form_of(text: str) -> Form:
    """Whether a text holds `word count` in most of its lines, or text."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "counts" if lines and 2 * sum(bool(_PAIR.fullmatch(line.strip())) for line in lines) > len(lines) else "text"


def parse_counts(where: Path, text: str, vocabulary: str, lower: bool = False) -> Counter[str]:
    """Word -> count of a text with `word count` in each line, such as symspellpy's frequency dictionary.

    A character outside of the vocabulary ends a word, as in the decoder: "it's" is "it" and "s" to a model of letters.

    Args:
        where: the file, for messages.
        lower: turn capitals into small letters first.

    Raises:
        InputError: a line that is no word and count ("bad-row"), a count of 0 ("bad-value"), or no word of the
            vocabulary ("empty").
    """
    found: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        pair = _PAIR.fullmatch(line.strip())
        if pair is None:
            raise InputError(f"{where}, line {number}: is {line[:40]!r}, expected a word and its count", "bad-row")
        if int(pair[2]) == 0:
            raise InputError(f"{where}, line {number}: count of {pair[1]!r} is 0; remove the line", "bad-value")
        for word in words_in(pair[1], vocabulary, lower):
            found[word] += int(pair[2])
    return _some(where, found)


def count_words(where: Path, text: str, vocabulary: str, lower: bool = False) -> Counter[str]:
    """Word -> number of times in a text; characters outside of the vocabulary end a word.

    With the space in the vocabulary whole lines are counted, with single spaces between their words.

    Args:
        where: the file, for messages.
        lower: turn capitals into small letters first.

    Raises:
        InputError: no word of the vocabulary ("empty").
    """
    found: Counter[str] = Counter()
    for line in text.splitlines():
        found.update(words_in(line, vocabulary, lower))
    return _some(where, found)


def words_in(text: str, vocabulary: str, lower: bool = False) -> list[str]:
    """The longest pieces of a line that consist of the vocabulary; characters are keys as in `text_to_labels`."""
    line = " ".join((text.lower() if lower else text).split())
    typed = "".join(labels_to_text(text_to_labels(character)) or "\n" for character in line)
    pieces = "".join(glyph if glyph in vocabulary else "\n" for glyph in typed).split("\n")
    return [piece.strip(" ") for piece in pieces if piece.strip(" ")]


def _some(where: Path, found: Counter[str]) -> Counter[str]:
    if not found:
        raise InputError(f"{where}: holds no word of the vocabulary; give word counts or text", "empty")
    return found
