"""Error against the level of a stress: means over users with intervals, and the paired difference to the clean error.

As JSON it is the file stress.json, schema semgjax/stress.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from semgjax.errors import InputError
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.spread import Difference, Interval, macro_interval, paired_difference

SCHEMA, VERSION = "semgjax/stress", 1


@dataclass(frozen=True)
class Point:
    """The error at one level, percent, averaged over users.

    Attributes:
        level: of the stress; None for the clean signal.
        words: the level in words.
        error: mean over the users that have keys.
        interval: of `error` over users; None with fewer than two of them.
        difference: to the same users' clean error; above 0 the error grew.
        users: user -> error.
    """

    level: float | None
    words: str
    error: float
    interval: Interval | None
    difference: Difference
    users: dict[str, float]


@dataclass(frozen=True)
class Curve:
    """The points of one kind of stress, in the order of its levels and without the clean one.

    Attributes:
        kind: its name.
        about: what was done, in words.
        axis: what a level is.
        points: one a level.
        clean_place: how many of the points stand before the clean one in the order of the levels.
        left_out: level in words -> why it was left out.
        note: what of the change this band does not allow; "" for nothing.
    """

    kind: str
    about: str
    axis: str
    points: tuple[Point, ...]
    clean_place: int
    left_out: dict[str, str]
    note: str


def point_of(level: float | None, words: str, users: Mapping[str, Counts], clean: Mapping[str, Counts]) -> Point:
    """The point of users' errors beside the same users' clean ones.

    Raises:
        InputError: no user has a key ("no-keys").
    """
    rates = {user: counts.rate for user, counts in sorted(users.items()) if counts.rate is not None}
    if not rates:
        raise InputError("no session of this part holds a key, so there is no error; choose another part", "no-keys")
    error = sum(rates.values()) / len(rates)
    interval = macro_interval([users[user] for user in rates])
    return Point(level, words, error, interval, paired_difference(users, clean), rates)


def curve_json(curve: Curve) -> dict[str, Any]:
    """Plain JSON values."""
    return asdict(curve)
