"""What the commands of `semgjax scaling` share: NAME=VALUE words, points, laws, fits, outputs, JSON."""

import json
import os
from pathlib import Path
from typing import Any

from tyro.conf import UseAppendAction

from semgjax.errors import InputError

# Exit code of a command whose answer is withheld: it ran, and a finding says that its number would mean nothing.
WITHHELD = 3

Words = UseAppendAction[tuple[str, ...]]


def point_of(words: tuple[str, ...], names: tuple[str, ...]) -> dict[str, float]:
    """The values of --at: a bare number for a law of one input, else NAME=VALUE.

    Raises:
        InputError: a word that is neither.
    """
    if len(words) == 1 and "=" not in words[0] and len(names) == 1:
        return {names[0]: number("--at", words[0], words[0])}
    return numbers("--at", words)


def numbers(option: str, words: tuple[str, ...]) -> dict[str, float]:
    """NAME=NUMBER words.

    Raises:
        InputError: a word of another form, or a name twice.
    """
    return {name: number(option, f"{name}={text}", text) for name, text in pairs(option, words).items()}


def lists(option: str, words: tuple[str, ...]) -> dict[str, list[float]]:
    """NAME=NUMBER,NUMBER,... words.

    Raises:
        InputError: a word of another form, or a name twice.
    """
    return {
        name: [number(option, f"{name}={text}", part) for part in text.split(",")]
        for name, text in pairs(option, words).items()
    }


def number(option: str, word: str, text: str) -> float:
    """A number from text.

    Raises:
        InputError: it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{option} {word}: {text!r} is not a number", "bad-number") from None


def pairs(option: str, words: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE words.

    Raises:
        InputError: a word of another form, or a name twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise InputError(f"{option} {word}: write it as NAME=VALUE", "bad-option")
        if name in found:
            raise InputError(f"{option} {word}: {name} is set twice (before to {found[name]})", "conflict")
        found[name] = value
    return found


def check_output(path: Path | None, source: Path) -> None:
    """Raises InputError where a file cannot be written, or would replace its own source."""
    if path is None:
        return
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it", "not-a-file")
    if path.resolve() == source.resolve():
        raise InputError(f"{path}: is the input itself; choose another name", "conflict")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise InputError(f"{path}: {folder} is a file; choose another place", "not-a-file")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: cannot be written in {folder}; choose another place", "no-permission")


def print_json(value: Any) -> None:
    """One JSON object on one line."""
    print(json.dumps(value, allow_nan=False))


def code_of(*withheld: bool) -> int:
    """The exit code of answers: 3 where one of them is withheld."""
    return WITHHELD if any(withheld) else 0
