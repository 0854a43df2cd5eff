"""Format numbers for the report: few digits, a unit, "-" for a missing value."""

from collections.abc import Mapping, Sequence
from typing import Any

from semgjax.pages.demo.views import is_number

__all__ = [
    "count", "data_size", "digits", "duration", "left_blank", "names_list", "percent", "points", "ratio", "span",
    "whole",
]  # fmt: skip

MISSING = "-"
_RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


def whole(value: Any) -> str:
    """1234567 -> "1,234,567"."""
    return f"{value:,.0f}" if is_number(value) else MISSING


def percent(value: Any) -> str:
    """17.349 -> "17.3 %"."""
    return f"{value:.1f}\u00a0%" if is_number(value) else MISSING


def digits(value: Any) -> str:
    """Three digits, as a power of ten far from 1: 0.1234 -> "0.123", 4.56e-7 -> "4.56 x 10^-7"."""
    if not is_number(value):
        return MISSING
    if value == 0 or 1e-3 <= abs(value) < 99.95:
        return f"{value:.3g}"
    if 99.95 <= abs(value) < 1e5:
        return f"{value:,.0f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}\u00a0\u00d7\u00a010{str(int(exponent)).translate(_RAISED)}"


def left_blank(result: Mapping[str, Any]) -> str:
    """The step since which a run emits symbols; "never", or "-" for a result of a version that does not say."""
    step = result.get("left_blank_at")
    return "never" if step is None and "left_blank_at" in result else whole(step)


def data_size(value: Any) -> str:
    """Bytes: 2123456 -> "2.12 MB" (decimal)."""
    if not is_number(value):
        return MISSING
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= 0.9995 * scale:
            return f"{digits(value / scale)}\u00a0{unit}"
    return f"{value:.0f}\u00a0B"


def duration(value: Any) -> str:
    """Seconds: 134.2 -> "2 min 14 s"."""
    if not is_number(value):
        return MISSING
    if value < 9.95:
        return f"{value:.1f}\u00a0s"
    seconds = round(value)
    if seconds < 60:
        return f"{seconds}\u00a0s"
    if seconds < 3600:
        return f"{seconds // 60}\u00a0min {seconds % 60}\u00a0s"
    minutes = round(value / 60)
    return f"{minutes // 60}\u00a0h {minutes % 60}\u00a0min"


def difference(value: Any, other: Any) -> float | None:
    """value - other, None when one is missing."""
    return value - other if is_number(value) and is_number(other) else None


def ratio(value: Any, other: Any) -> float | None:
    """value / other, None when one is missing or `other` is 0."""
    return value / other if is_number(value) and is_number(other) and other else None


def points(value: float | None) -> str:
    """A difference of two percentages, without its sign: -3.04 -> "3.0 points"."""
    return MISSING if value is None else f"{abs(value):.1f} points"


def signed_points(value: float | None) -> str:
    """3.04 -> "+3.0 points"."""
    return MISSING if value is None else f"{value:+.1f} points"


def count(number: int) -> str:
    """A small number in words: 4 -> "four"."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[number] if number < len(words) else str(number)


def span(values: Sequence[int]) -> str:
    """The ends of some numbers: [3, 5, 4] -> "3 to 5"."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def names_list(names: Sequence[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
