"""Text in the cells of a sweep's CSV: protected from spreadsheets when written, and recovered when read."""

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def protect(text: str) -> str:
    """The text with a leading apostrophe if a spreadsheet would evaluate it, or if it begins with an apostrophe.

    Text that is a number is not changed.
    """
    return f"'{text}" if _is_protected(text) else text


def unprotect(cell: str) -> str:
    """The text that `protect` made this cell of; a cell that it cannot have made is returned unchanged."""
    return cell[1:] if cell.startswith("'") and _is_protected(cell[1:]) else cell


def _is_protected(text: str) -> bool:
    return text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
