"""Numbers on the command line: ASCII digits only, without underscores, of limited length."""

import re

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

NUMBERS = ConstructorRegistry()
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_REAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|[+-]?(inf|nan)", re.ASCII | re.IGNORECASE)
_LONGEST = 40


@NUMBERS.primitive_rule
def _number(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """Python also reads full-width digits, digits of other scripts, and 1_0, which are typing errors here."""
    if info.type is int:
        return PrimitiveConstructorSpec(1, "INT", lambda words: whole(words[0]), _is_int, lambda value: [str(value)])
    if info.type is float:
        return PrimitiveConstructorSpec(1, "FLOAT", lambda words: real(words[0]), _is_float, lambda value: [str(value)])
    return None


def whole(text: str) -> int:
    """A whole number of up to 18 digits.

    Raises:
        ValueError: it is not one.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a whole number of up to 18 digits")
    return int(text)


def real(text: str) -> float:
    """A number, possibly infinite or NaN; the caller checks its range.

    Raises:
        ValueError: it is not one.
    """
    if len(text) > _LONGEST or not _REAL.fullmatch(text):
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_float(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
