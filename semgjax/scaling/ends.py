"""Interval ends for people and for JSON: what has no end says so, in one place for everything that prints one."""

import math
from typing import Any

Interval = tuple[float, float]

HUGE = 1e30  # inputs end there too; an amplitude may pass it only with its lower end in sight
_APART = 1e12
_LARGEST = 1e100
_FACTOR = 1e9


def has_upper_end(ends: Interval) -> bool:
    """Whether an upper end is a number that says something: finite, and not beyond what any unit explains."""
    low, high = ends
    if not math.isfinite(high) or high >= _LARGEST:
        return False
    return high < HUGE or (low > 0.0 and high < low * _APART)


def has_lower_end(ends: Interval) -> bool:
    """The same of a lower end; 0 is one."""
    low, high = ends
    return math.isfinite(low) and (low > -HUGE or (high < 0.0 and low > high * _APART)) and low > -_LARGEST


def opened(ends: Interval | None, value: float) -> Interval | None:
    """ends of a positive number, those a factor of 1e9 and more from `value` as 0 and inf: they say nothing."""
    if ends is None or not (math.isfinite(value) and value > 0.0):
        return ends
    low, high = ends
    return 0.0 if low < value / _FACTOR else low, math.inf if high > value * _FACTOR else high


def number(value: float | None, digits: int = 4) -> str:
    """A number for people: large ones with thousands' commas, inf as "no end"."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "no end" if value > 0 else "no lower end"
    if 1e4 <= abs(value) < 1e15:
        digits_left = digits - 1 - math.floor(math.log10(abs(value)))
        return f"{round(value, min(digits_left, 0)):,.0f}"
    return f"{value:.{digits}g}"


def span(ends: Interval | None) -> str:
    """An interval for people: [5.8, no upper end] where nothing bounds it."""
    if ends is None or any(math.isnan(end) for end in ends):
        return "-"
    low = number(ends[0]) if has_lower_end(ends) else "no lower end"
    high = number(ends[1]) if has_upper_end(ends) else "no upper end"
    return f"[{low}, {high}]"


def unbounded(ends: Interval | None) -> list[str]:
    """Which of "low" and "high" nothing bounds."""
    if ends is None:
        return []
    return [name for name, there in (("low", has_lower_end(ends)), ("high", has_upper_end(ends))) if not there]


def ends_json(ends: Interval | None) -> dict[str, Any]:
    """low and high as JSON numbers; null where there is no interval, or where `unbounded` names the end."""
    low, high = listed(ends) or (None, None)
    return {"low": low, "high": high, "unbounded": unbounded(ends)}


def of_json(low: float | None, high: float | None) -> Interval:
    """The interval that `listed` or `ends_json` wrote."""
    return -math.inf if low is None else low, math.inf if high is None else high


def listed(ends: Interval | None) -> list[float | None] | None:
    """[low, high] as JSON numbers, null for an end that nothing bounds; None without an interval."""
    if ends is None:
        return None
    return [ends[0] if has_lower_end(ends) else None, ends[1] if has_upper_end(ends) else None]
