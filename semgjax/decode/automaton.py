"""A character n-gram model as dense tables with back-off resolved: its file (.npz) and scores of whole texts.

File (schema semgjax/automaton, version 1): a NumPy .npz with schema, version, order, start, unknown_log10p, vocabulary
(the glyphs in one text), next_state, log10p and end_log10p.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.data.keys import BACKSPACE_GLYPH, labels_to_text, text_to_labels
from semgjax.errors import InputError
from semgjax.files import reading_faults, write_atomic

SCHEMA, VERSION = "semgjax/automaton", 1
_NAMES = ("schema", "version", "order", "start", "unknown_log10p", "vocabulary", "next_state", "log10p", "end_log10p")


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

    @property
    def states(self) -> int:
        """Contexts of the model."""
        return len(self.end_log10p)

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        return self.next_state.nbytes + self.log10p.nbytes + self.end_log10p.nbytes


def is_character(token: str) -> bool:
    """Whether a token can be a character of a model: one glyph of the key set, but not backspace.

    A search undoes the last character at a backspace, so that none stands within a word.
    """
    return len(token) == 1 and token != BACKSPACE_GLYPH and labels_to_text(text_to_labels(token)) == token


def write_automaton(path: Path, automaton: Automaton) -> None:
    """Write the file, whole or not at all; equal automata give equal bytes.

    Raises:
        InputError: as `check_automaton`, or the disk is full or not writable.
    """
    check_automaton(automaton, str(path))
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        schema=np.array(SCHEMA),
        version=np.array(VERSION),
        order=np.array(automaton.order),
        start=np.array(automaton.start),
        unknown_log10p=np.array(automaton.unknown_log10p, np.float64),
        vocabulary=np.array("".join(automaton.vocabulary)),
        next_state=automaton.next_state,
        log10p=automaton.log10p,
        end_log10p=automaton.end_log10p,
    )
    write_atomic(path, buffer.getvalue())


def read_automaton(path: Path) -> Automaton:
    """Read and check a file of `write_automaton`.

    Raises:
        InputError: no such file ("no-file"); not such a file ("wrong-schema"); of another version ("wrong-version");
            truncated or changed bytes ("damaged"); a missing or impossible member (as `check_automaton`).
    """
    arrays = _arrays(path)
    if str(arrays.get("schema")) != SCHEMA:
        raise InputError(
            f"{path}: schema is {arrays.get('schema')}, expected {SCHEMA!r}; is it a model?", "wrong-schema"
        )
    if str(arrays.get("version")) != str(VERSION):
        raise InputError(
            f"{path}: {SCHEMA} version {arrays.get('version')}, this semgjax reads version {VERSION}; "
            "use the release that wrote it",
            "wrong-version",
        )
    for name in _NAMES:
        if name not in arrays:
            raise InputError(f"{path}: member {name} is missing; write it again with semgjax lm train", "bad-field")
    for name in ("order", "start", "unknown_log10p", "vocabulary"):
        kind = {"unknown_log10p": "f", "vocabulary": "U"}.get(name, "iu")
        if arrays[name].ndim or arrays[name].dtype.kind not in kind:
            shown = f"{arrays[name].dtype}{list(arrays[name].shape)}"
            raise InputError(f"{path}: {name} is {shown}, expected one value; write it again", "bad-field")
    automaton = Automaton(
        vocabulary=tuple(str(arrays["vocabulary"])),
        next_state=arrays["next_state"],
        log10p=arrays["log10p"],
        end_log10p=arrays["end_log10p"],
        unknown_log10p=float(arrays["unknown_log10p"]),
        start=int(arrays["start"]),
        order=int(arrays["order"]),
    )
    check_automaton(automaton, str(path))
    return automaton


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with reading_faults(path, "as .npz", "write it again with semgjax lm train"):
        if not path.exists():
            raise InputError(f"{path}: no such file (expected a language model)", "no-file")
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise InputError(f"{path}: is no .npz file; give a model of semgjax lm train", "wrong-schema")
            file.seek(0)
            with np.load(file) as members:
                found = {name: members[name] for name in _NAMES if name in members}
    for name, value in found.items():
        if not isinstance(value, np.ndarray):  # NumPy gives the bytes of a member that does not begin as an array
            raise InputError(f"{path}: member {name} is no array; write it again with semgjax lm train", "damaged")
    return found


def check_automaton(automaton: Automaton, where: str) -> None:
    """Check an automaton that comes from outside.

    Args:
        where: name of the source, for messages.

    Raises:
        InputError: a character that is no key, backspace, or given twice ("bad-value"); arrays of other shapes or types
            ("bad-shape"); a state or the order out of range ("bad-value"); a number that is not finite ("not-finite"),
            or a positive logarithm of a probability ("bad-value").
    """
    fix = "write it again with semgjax lm train"
    vocabulary, states = automaton.vocabulary, len(np.atleast_1d(automaton.end_log10p))
    wrong = next((token for token in vocabulary if not is_character(token)), None)
    if wrong is not None:
        raise InputError(f"{where}: character {wrong!r} is no key of a word; {fix}", "bad-value")
    if not vocabulary or len(set(vocabulary)) < len(vocabulary):
        shown = "".join(vocabulary)
        raise InputError(f"{where}: vocabulary is {shown!r}, expected each character once; {fix}", "bad-value")
    shape = (states, len(vocabulary))
    wanted: dict[str, tuple[tuple[int, ...], Any]] = {
        "next_state": (shape, np.int32),
        "log10p": (shape, np.float32),
        "end_log10p": ((states,), np.float32),
    }
    for name, (size, kind) in wanted.items():
        found = getattr(automaton, name)
        if found.shape != size or found.dtype != kind or not states:
            text = f"{found.dtype}{list(found.shape)}"
            raise InputError(f"{where}: {name} is {text}, expected {np.dtype(kind)}{list(size)}; {fix}", "bad-shape")
    low, high = int(automaton.next_state.min()), int(automaton.next_state.max())
    if not 0 <= low <= high < states or not 0 <= automaton.start < states:
        found = f"{low}..{high} and start {automaton.start}"
        raise InputError(f"{where}: states are {found}, expected 0..{states - 1}; {fix}", "bad-value")
    if automaton.order < 1:
        raise InputError(f"{where}: order is {automaton.order}, expected 1 or more; {fix}", "bad-value")
    numbers = {name: getattr(automaton, name) for name in ("log10p", "end_log10p", "unknown_log10p")}
    for name, values in numbers.items():
        if not np.isfinite(values).all():
            raise InputError(f"{where}: {name} holds NaN or infinity, expected finite numbers; {fix}", "not-finite")
        if np.max(values) > _SLACK:
            raise InputError(
                f"{where}: {name} reaches {float(np.max(values)):g}, a logarithm of a probability is 0 or less; {fix}",
                "bad-value",
            )


# Back-off in float32 may leave a probability of nearly 1 a few roundings above 1.
_SLACK = 1e-3


def score_words(automaton: Automaton, words: Sequence[str]) -> np.ndarray:
    """log10 probability of each word and its end after <s>: float64 [words].

    Raises:
        ValueError: a character that is not in the vocabulary.
    """
    column = {glyph: index for index, glyph in enumerate(automaton.vocabulary)}
    for word in words:
        if not set(word) <= column.keys():
            raise ValueError(f"word {word!r} has characters outside of the vocabulary")
    lengths_N = np.array([len(word) for word in words], np.int64)
    columns_NxL = np.zeros((len(words), int(lengths_N.max(initial=0))), np.int64)
    for row, word in enumerate(words):
        columns_NxL[row, : len(word)] = [column[glyph] for glyph in word]
    state_N, total_N = np.full(len(words), automaton.start), np.zeros(len(words))
    for place in range(columns_NxL.shape[1]):
        inside_N = place < lengths_N
        column_N = columns_NxL[:, place]
        total_N += np.where(inside_N, automaton.log10p[state_N, column_N], 0.0)
        state_N = np.where(inside_N, automaton.next_state[state_N, column_N], state_N)
    return total_N + automaton.end_log10p[state_N]
