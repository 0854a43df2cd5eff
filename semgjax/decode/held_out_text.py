"""Refuse text for a language model that holds what validation or test sessions typed."""

import re
from collections.abc import Iterable
from pathlib import Path

from semgjax.data.keys import BACKSPACE_GLYPH, SHIFT_GLYPH
from semgjax.data.sessions import load_sessions
from semgjax.data.splitting.splits import read_split
from semgjax.errors import InputError

RUN = 8
"""Words in a row, of which few texts of different origin share any."""


def check_held_out(source: Path, text: str, data: Path, splits: Path | None = None) -> None:
    """Refuse a text that shares RUN words in a row with what a validation or test session typed, case aside.

    Typed text is that of the labels, with backspaces carried out. Shorter sessions and single words are not compared.

    Raises:
        InputError: a shared run ("conflict"), or sessions or split that cannot be read.
    """
    split = read_split(splits or data / "splits.json")
    found = set(_runs(_words(text)))
    for session in load_sessions(data, [*split.val, *split.test]):
        shared = next((run for run in _runs(_words(_typed(session.text))) if run in found), None)
        if shared is not None:
            raise InputError(
                f"{source}: holds {' '.join(shared)!r}, which validation or test session {session.name} typed; "
                "leave it out",
                "conflict",
            )


def _typed(text: str) -> str:
    kept: list[str] = []
    for glyph in text:
        if glyph != BACKSPACE_GLYPH:
            kept.append(glyph)
        elif kept:
            kept.pop()
    return "".join(kept).replace(SHIFT_GLYPH, "")


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def _runs(words: list[str]) -> Iterable[tuple[str, ...]]:
    return (tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
