"""User text in rendered files: YAML scalars that read back unchanged, shell words that are safe to paste."""

import os
import re
import shlex
from collections.abc import Iterable

from semgjax.errors import InputError

# Plain words that some YAML reader takes for another type (YAML 1.1 has more of them than 1.2).
_TAKEN = re.compile(r"(true|false|yes|no|on|off|y|n|null|nan|inf)", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def yaml_text(value: str) -> str:
    """A quoted YAML string of exactly this text.

    Raises:
        InputError: a lone surrogate, which YAML cannot hold ("bad-encoding").
    """
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError(f"{ascii(value)}: holds bytes that are not UTF-8; choose another name", "bad-encoding")
    return '"' + "".join(map(_escaped, value)) + '"'


def yaml_word(value: str) -> str:
    """A name, quoted if a YAML reader would take it for a number, a boolean or null."""
    return value if _PLAIN.fullmatch(value) and not _TAKEN.fullmatch(value) else yaml_text(value)


def yaml_list(values: Iterable[str]) -> str:
    """Strings as a YAML list on one line."""
    return f"[{', '.join(map(yaml_text, values))}]"


def shell_line(words: Iterable[str]) -> str:
    """Words as one line for bash, safe to paste and to print."""
    return " ".join(map(_shell_word, words))


def local_path(path: object) -> str:
    """A path as a word that no command takes for an option."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    number = ord(character)
    if number > 0xFFFF:
        return f"\\U{number:08x}"
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _shell_word(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    pieces = (
        f"\\{c}" if c in "'\\" else c if c.isprintable() else "".join(f"\\x{b:02x}" for b in os.fsencode(c))
        for c in word
    )
    return f"$'{''.join(pieces)}'"
