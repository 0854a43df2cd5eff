"""Refuse text for a language model that holds what validation or test sessions typed."""

import re
from collections import defaultdict
from collections.abc import Iterable, Set
from pathlib import Path
from unicodedata import normalize

from semgjax.data.keys import BACKSPACE_GLYPH, ENTER_GLYPH, SHIFT_GLYPH, labels_to_text, text_to_labels
from semgjax.data.sessions import load_sessions
from semgjax.data.splitting.splits import read_split
from semgjax.errors import InputError

RUN = 8
"""Words in a row, of which few texts of different origin share any."""
SHORT = 3
"""Fewest words of a typed line that is compared as a whole."""
LETTERS = 20
"""Letters that the short lines found of one session have together, at least, for a refusal."""

Run = tuple[str, ...]
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def check_held_out(source: Path, text: str, data: Path, splits: Path | None = None) -> None:
    """Refuse a text that holds what a validation or test session typed, case, accents and punctuation aside.

    Refused are RUN words in a row. Lines of SHORT to RUN - 1 words, as typed between two keys of enter, are looked for
    as a whole: they are refused if those found of one session have LETTERS letters together and are at least half of
    what it typed. So a greeting that many people type is no reason, and most prompts of a session of short ones are.
    Typed text is that of the labels, with backspaces carried out. Lines of fewer words are not looked for.

    Args:
        source: name of the text, for messages.

    Raises:
        InputError: a shared run or shared lines ("conflict"), or sessions or split that cannot be read.
    """
    split = read_split(splits or data / "splits.json")
    session_of: dict[Run, str] = {}
    lines_of: dict[str, set[Run]] = {}
    letters_of: dict[str, int] = {}
    for session in load_sessions(data, [*split.val, *split.test]):
        typed = _typed(session.text)
        session_of |= dict.fromkeys(_runs(_words(typed), RUN), session.name)
        lines = {tuple(_words(line)) for line in typed.split(ENTER_GLYPH)}
        letters_of[session.name] = sum(map(_letters, lines))
        lines_of[session.name] = {line for line in lines if SHORT <= len(line) < RUN}
    words = _words(text)
    shared = next((run for run in _runs(words, RUN) if run in session_of), None)
    if shared is not None:
        _refuse(source, shared, session_of[shared])
    found = _found(words, set().union(*lines_of.values()))
    for name, lines in lines_of.items():
        there = sorted(lines & found, key=_letters, reverse=True)
        letters = sum(map(_letters, there))
        if letters >= LETTERS and 2 * letters >= letters_of[name]:
            _refuse(source, there[0], name)


def _refuse(source: Path, run: Run, session: str) -> None:
    held = f"holds {' '.join(run)!r}, which validation or test session {session} typed"
    raise InputError(f"{source}: {held}; leave it out", "conflict")


def _found(words: list[str], lines: Set[Run]) -> set[Run]:
    """Those of some lines that the words hold."""
    by_length: dict[int, set[Run]] = defaultdict(set)
    for line in lines:
        by_length[len(line)].add(line)
    return {run for length, wanted in by_length.items() for run in _runs(words, length) if run in wanted}


def _letters(line: Run) -> int:
    return sum(map(len, line))


def _typed(text: str) -> str:
    kept: list[str] = []
    for glyph in text:
        if glyph != BACKSPACE_GLYPH:
            kept.append(glyph)
        elif kept:
            kept.pop()
    return "".join(kept).replace(SHIFT_GLYPH, "")


def _words(text: str) -> list[str]:
    """Words in small letters, as a keyboard would type them: accents and apostrophes dropped."""
    plain = _NOT_ASCII.sub(lambda found: labels_to_text(text_to_labels(found[0])) or " ", normalize("NFKC", text))
    return re.findall("[a-z0-9]+", plain.lower().replace("'", ""))


def _runs(words: list[str], length: int) -> Iterable[Run]:
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))
