"""Text from outside made fit for a terminal: control characters, bidi marks and lone surrogates are written out."""

import unicodedata

# Control, format (bidi marks, zero-width characters), surrogate, line and paragraph separators: what could move the
# cursor, ring the bell, break a table's row or turn the reading order.
_WRITTEN_OUT = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: object, keep: str = "") -> str:
    r"""`text` with every character that a terminal would obey, not show, written as \x1b, \u202e and the like.

    Args:
        keep: characters to leave as they are; "\n" for text that is meant to have lines.
    """
    words = str(text)
    if words.isascii() and words.isprintable():
        return words
    return "".join(c if c in keep or unicodedata.category(c) not in _WRITTEN_OUT else _escape(c) for c in words)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
