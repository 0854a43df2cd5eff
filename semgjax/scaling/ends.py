"""Numbers and interval ends for people and for JSON: what has no end, or is no sensible amount, is given in words."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Interval = tuple[float, float]

HUGE = 1e30  # inputs end there too; an amplitude may pass it only with its lower end in sight
_APART = 1e12
_LARGEST = 1e100
_FACTOR = 1e9
UNDETERMINED = "not determined by the data"
OUT_OF_REACH = "out of reach"


@dataclass(frozen=True)
class Limits:
    """What an answer that is an amount of an input can be.

    least: the smallest amount that exists: 1 of what is counted, else 0. low, high: the range that was searched.
    smallest, largest: of the sweep.
    """

    least: float
    low: float
    high: float
    smallest: float
    largest: float


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
    """A number for people: large ones with thousands' commas, those beyond any unit in words."""
    if value is None or math.isnan(value):
        return "-"
    if abs(value) >= _LARGEST:
        return f"beyond {math.copysign(_LARGEST, value):.0e}"
    if 1e4 <= abs(value) < 1e15:
        digits_left = digits - 1 - math.floor(math.log10(abs(value)))
        return f"{round(value, min(digits_left, 0)):,.0f}"
    return f"{value:.{digits}g}"


def place_text(columns: Callable[[str], str], at: Mapping[str, float]) -> str:
    """A point for people: params = 2,000,000, users = 8."""
    return ", ".join(f"{columns(name)} = {number(value, 6)}" for name, value in at.items())


def span(ends: Interval | None) -> str:
    """An interval for people: [5.8, no upper end] where nothing bounds it, words where it has no end at all."""
    if ends is None or any(math.isnan(end) for end in ends):
        return "-"
    if ends[0] == math.inf:
        return OUT_OF_REACH
    if not has_upper_end(ends) and (ends[0] == 0.0 or not has_lower_end(ends)):
        return UNDETERMINED
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


def amount(value: float | None, limits: Limits | None, digits: int = 4) -> str:
    """An answer for people; words where it is less than one of what is counted, or lies at an end of the search."""
    if limits is None or value is None or math.isnan(value):
        return OUT_OF_REACH if value == math.inf else number(value, digits)
    if value >= limits.high * (1.0 - 1e-9):
        return f"{OUT_OF_REACH}: not within {number(limits.high / limits.largest, 3)} times the largest of the sweep"
    if value < limits.least:
        return "less than one"
    if value <= limits.low * (1.0 + 1e-9):
        return f"less than 1/{number(limits.smallest / limits.low, 3)} of the smallest of the sweep"
    return number(value, digits)


def amount_span(ends: Interval | None, limits: Limits | None) -> str:
    """An interval of an answer for people; see `amount`."""
    ends = within(ends, limits)
    if limits is None or ends is None or not ends[0] < limits.least:
        return span(ends)
    if ends[1] < limits.least:
        return "less than one"
    return UNDETERMINED if not has_upper_end(ends) else f"[less than one, {number(ends[1])}]"


def amount_json(ends: Interval | None, limits: Limits | None) -> dict[str, Any]:
    """`ends_json` of an answer: an end that is less than one of what is counted, or beyond the search, is null."""
    found = ends_json(within(ends, limits))
    if limits is not None and found["low"] is not None:
        nothing = found["low"] == 0.0 and found["high"] is None
        if nothing or found["low"] < limits.least:
            found["low"], found["unbounded"] = None, ["low", *found["unbounded"]]
    if limits is not None and found["high"] is not None and found["high"] < limits.least:
        found["high"] = limits.least
    return found


def within(ends: Interval | None, limits: Limits | None) -> Interval | None:
    """ends with 0 and inf where they lie at the ends of the search: nothing there was rejected."""
    if ends is None or limits is None:
        return ends
    low, high = ends
    low = 0.0 if low <= limits.low * (1.0 + 1e-9) else low
    return low, math.inf if high >= limits.high * (1.0 - 1e-9) else high
