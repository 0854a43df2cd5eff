"""Text from files made safe for a terminal: control characters, bidi marks and lone surrogates are escaped."""

import unicodedata

# Control, format (bidi marks, zero-width characters), surrogate, line and paragraph separators: they could move the
# cursor, ring the bell, break a row of a table or reverse the reading order.
_WRITTEN_OUT = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: object, keep: str = "") -> str:
    r"""`text` with every character that a terminal would interpret, not show, written as \x1b, \u202e and the like.

    Args:
        keep: characters that are not escaped; "\n" for text of several lines.
    """
    words = str(text)
    if words.isascii() and words.isprintable():
        return words
    return "".join(c if c in keep or unicodedata.category(c) not in _WRITTEN_OUT else _escape(c) for c in words)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
