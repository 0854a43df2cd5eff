"""The search for a rung's best learning rate: which rates to try next, from those tried.

The log of the rate is stepped from the start towards lower errors until a rate has worse ones on both sides: by the
golden ratio further each time, or to where the parabola through the last three rates has its minimum (Press et al.
2007, Numerical Recipes, 10.1). Golden-section steps then narrow the bracket (Kiefer 1953, Proc. AMS 4) until both
neighbours of the best are near enough. Three runs are the fewest that bracket, and suffice where the start is right.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from semgjax.errors import InputError
from semgjax.scaling.parabola import parabola

_GROWTH = (1.0 + math.sqrt(5.0)) / 2.0
_SECTION = 2.0 - _GROWTH  # 0.382 of the wider side, from the best rate
_ROUNDED = 1.01  # rates have three digits
DIVERGED = math.inf
"""error of a rate at which the run diverged: worse than any number"""

State = Literal["searching", "bracketed", "edge"]


@dataclass(frozen=True)
class Search:
    """How the rates of a plan are searched.

    Attributes:
        factor: between the first rates, above 1.
        tolerance: the search ends once both neighbours of the best rate are within this factor of it.
        most: runs of full length that the search may take, 3 or more; other seeds come on top.
        together: the first three rates are tried at once, which a pack can train in one process.
        shorten: rates are searched with this part of the steps first (4: a quarter); 1: at full length only.
    """

    factor: float = 2.0
    tolerance: float = 2.0
    most: int = 8
    together: bool = False
    shorten: int = 1

    def __post_init__(self) -> None:
        """Raises InputError: a number out of range ("bad-value")."""
        for name, value, least in (("factor", self.factor, 1.05), ("tolerance", self.tolerance, 1.05)):
            if not (math.isfinite(value) and least <= value <= 1000.0):
                raise InputError(
                    f"bracket.{name} {value:g}: give a factor from {least} to 1000, such as 2", "bad-value"
                )
        if not 3 <= self.most <= 100:
            raise InputError(f"bracket.most {self.most}: give 3 to 100 runs; a bracket takes three", "bad-value")
        if not 1 <= self.shorten <= 100:
            raise InputError(f"bracket.shorten {self.shorten}: give 1 to 100; 4 searches with a quarter", "bad-value")


def shown(rate: float) -> float:
    """A rate with three significant digits, as it is trained and named."""
    return float(f"{rate:.3g}")


def best_of(tried: Mapping[float, float]) -> float:
    """The rate with the lowest error; of equal ones that with the most rates on both sides, then the lowest."""
    rates, lowest = sorted(tried), min(tried.values())
    equal = [place for place, rate in enumerate(rates) if tried[rate] == lowest]
    return rates[max(equal, key=lambda place: min(place, len(rates) - 1 - place))]


def state_of(tried: Mapping[float, float], search: Search, start: float) -> State:
    """Where a search stands, once every rate in `tried` has its error."""
    if next_rates(tried, search, start):
        return "searching"
    rates, best = sorted(tried), best_of(tried)
    return "bracketed" if tried[best] < DIVERGED and rates[0] < best < rates[-1] else "edge"


def next_rates(tried: Mapping[float, float], search: Search, start: float) -> tuple[float, ...]:
    """The rates to try next, a function of those tried alone; none where the search has ended.

    Args:
        tried: rate -> error (`DIVERGED`: of a run that diverged).
        start: the first rate.
    """
    start, step = shown(start), math.log(search.factor)
    if not tried:
        around = (shown(start / search.factor), start, shown(start * search.factor))
        return around if search.together else (start,)
    if len(tried) >= search.most:
        return ()
    rate = shown(math.exp(_next_log(tried, search, start, step)))
    return () if rate in tried or rate <= 0.0 else (rate,)


def _next_log(tried: Mapping[float, float], search: Search, start: float, step: float) -> float:
    """The log of the next rate; that of the best one where the bracket is narrow enough."""
    rates, best = sorted(tried), best_of(tried)
    if tried[best] == DIVERGED:
        return math.log(rates[0]) - step * _GROWTH ** (len(rates) - 1)
    place, at = rates.index(best), math.log(best)
    if len(rates) == 1:
        return at + step
    if place in (0, len(rates) - 1):
        inwards = rates if place == 0 else rates[::-1]
        near = [(abs(math.log(rate) - at), tried[rate]) for rate in inwards[:3]]
        away = _outwards(near, step, moved=best != start)
        return at - away if place == 0 else at + away
    below, above = at - math.log(rates[place - 1]), math.log(rates[place + 1]) - at
    if max(below, above) <= math.log(search.tolerance * _ROUNDED):
        return at
    return at + _SECTION * above if above > below else at - _SECTION * below


def _outwards(near: list[tuple[float, float]], step: float, moved: bool) -> float:
    """How far beyond the best rate, the outermost, the next one lies; near: (distance from it in logs, error), rising.

    moved: the best rate is no longer the start, so that errors fall outwards.
    """
    (_, best), (distance, error), *further = near
    if not moved or error == DIVERGED:
        return step
    away = _GROWTH * distance
    if further and further[0][1] < DIVERGED:
        end, last = further[0]
        vertex = parabola((0.0, distance, end), (best, error, last)).vertex  # of distances inwards: below 0 is outwards
        if vertex is not None:
            away = step if -vertex <= 0.5 * step else min(max(-vertex, step), _GROWTH * away)
    return away
