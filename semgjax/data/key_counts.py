"""Count a session's keys: inside and outside the signal, doubled, and not in the key set."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from semgjax.measures import CER, Measure

FEW = 0.01
"""share of keys outside the signal above which there is a warning"""
MANY_DROPPED = 0.05
"""share of presses of no class above which there is a warning"""


@dataclass(frozen=True)
class KeyCounts:
    """Keys of one or more sessions.

    Attributes:
        inside: keys of a class within the signal.
        outside: keys of a class before the first or after the last sample.
        doubled: keys of a class that repeat one of the same class at the same time; counted as inside or outside too.
        dropped: names of keys of no class -> how often they were pressed.
        sessions: number of sessions; `without_keys`: number of those without a key inside.
    """

    inside: int = 0
    outside: int = 0
    doubled: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    sessions: int = 0
    without_keys: int = 0

    def __add__(self, other: "KeyCounts") -> "KeyCounts":
        return KeyCounts(
            self.inside + other.inside,
            self.outside + other.outside,
            self.doubled + other.doubled,
            dict(sorted((Counter(self.dropped) + Counter(other.dropped)).items())),
            self.sessions + other.sessions,
            self.without_keys + other.without_keys,
        )

    def faults(self, measure: Measure) -> list[str]:
        """Warnings about them, one line each; [] when there are none.

        Args:
            measure: names what is counted: keys, or events of other classes.
        """
        thing, things = measure.thing, measure.things
        outside = "keys that are not in the key set" if measure is CER else "events of no class"
        keys, dropped = self.inside + self.outside, sum(self.dropped.values())
        found = []
        if self.without_keys:
            found.append(f"{self.without_keys} of {self.sessions} sessions have no {thing} inside their signal")
        if self.outside > FEW * keys:
            found.append(f"{self.outside} of {keys} {things} lie outside the signal")
        if dropped > MANY_DROPPED * (keys + dropped):
            names = ", ".join(f"{name} {count}" for name, count in most(self.dropped))
            found.append(f"{dropped} of {keys + dropped} are {outside} ({names})")
        if self.doubled:
            found.append(f"{self.doubled} {things} repeat the same {thing} at the same instant")
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def count_keys(
    key_first: np.ndarray, key_last: np.ndarray, samples: int, dropped: dict[str, int], doubled: int
) -> KeyCounts:
    """The counts of one session; the arrays are those of `semgjax.data.sessions.Session`, int[keys]."""
    out = (key_last < 0) | (key_first >= samples)
    inside = int((~out).sum())
    return KeyCounts(inside, int(out.sum()), doubled, dict(dropped), 1, int(inside == 0))


def count_doubled(presses: Iterable[tuple[float, int]]) -> int:
    """Number of keys of a session whose (time, class) repeats that of an earlier one."""
    return sum(count - 1 for count in Counter(presses).values())


def most(dropped: dict[str, int], limit: int = 8) -> list[tuple[str, int]]:
    """The most frequent names, with their counts."""
    return Counter(dropped).most_common(limit)
