"""Error against the length of the stretch that is decoded at once: does a decoder hold beyond its training windows?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.data.sessions import Session
from semgjax.evaluate.decoding import Decode, Emit, read_stretches
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.reading import counts_by_user
from semgjax.evaluate.spread import Interval, macro_interval

LENGTHS = (4.0, 8.0, 15.0, 30.0, 60.0)
"""seconds"""


@dataclass(frozen=True)
class LengthPoint:
    """Errors of stretches of one length.

    Attributes:
        seconds: of a stretch, without its context.
        users: all who have a key.
        error: mean over them, in percent; None without one.
        interval: 95 % over users.
    """

    seconds: float
    users: int
    error: float | None
    interval: Interval | None


def length_sweep(
    stretches: Callable[[int], Emit], decode: Decode, sessions: Sequence[Session], stride: int
) -> list[LengthPoint]:
    """Error rates of stretches of LENGTHS, side by side, each in one forward pass with the context of training.

    Args:
        stretches: what gives the emissions of stretches of this many samples.
        stride: samples a frame.

    What follows the last full stretch of a session is left out, so longer stretches are read from somewhat fewer keys.
    A length for which a user has no stretch with a key is left out too: all points are means over the same users.
    """
    found, everyone = [], {session.user for session in sessions if len(session.labels)}
    for seconds in LENGTHS:
        samples = round(seconds * sessions[0].rate) // stride * stride
        if not samples or {session.user for session in sessions if session.samples >= samples} < everyone:
            continue
        users = counts_by_user(read_stretches(stretches(samples), decode, sessions, stride))
        if {user for user, counts in users.items() if counts.reference} == everyone:
            found.append(_point(seconds, list(users.values())))
    return found


def _point(seconds: float, users: list[Counts]) -> LengthPoint:
    rates = [counts.rate for counts in users if counts.rate is not None]
    return LengthPoint(seconds, len(rates), float(np.mean(rates)) if rates else None, macro_interval(users))
