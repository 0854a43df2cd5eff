"""Plan spliced sessions: which samples of a recorded session follow each other so that its events change order.

An event is an onset and an end. The rest between two events is divided in half; each half belongs to the event beside
it. A piece of a spliced session is an event's rest before, its hold and its rest after, shortened at random. Pieces
are cut inside the rest and after the hold, never within the part of the hold that is kept.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass

import numpy as np

from semgjax.data.splitting.splits import draw_key
from semgjax.errors import InputError

MOST_ORDERS = 100


@dataclass(frozen=True)
class SpliceRule:
    """How events are joined.

    Attributes:
        orders: spliced sessions made of each recorded session, each with all its events in another order.
        events: events of a sequence. A sequence begins and ends with the longest rest of `rest`, as far as recorded.
        rest: shortest and longest rest before and after each event, in seconds.
        hold: shortest and longest hold in seconds; an event that is shorter is kept whole.
        seed: of the random order, rest and hold.

    Raises:
        InputError: a number out of range.
    """

    orders: int = 8
    events: int = 6
    rest: tuple[float, float] = (0.3, 0.9)
    hold: tuple[float, float] = (0.7, 1.7)
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.orders <= MOST_ORDERS:
            raise InputError(f"--orders {self.orders}: give 1 to {MOST_ORDERS}", "bad-value")
        if self.events < 1:
            raise InputError(f"--events {self.events}: give 1 or more", "bad-value")
        for name, (low, high) in (("rest", self.rest), ("hold", self.hold)):
            if not 0 < low <= high < math.inf:
                raise InputError(
                    f"--{name} {low:g} {high:g}: give the shortest and the longest in seconds, above 0", "bad-value"
                )

    @property
    def text(self) -> str:
        """The rule as JSON, without the number of orders, on which no order depends."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "orders"}, sort_keys=True)


@dataclass(frozen=True, eq=False)
class Events:
    """The events of a recorded session, in order of onset.

    Attributes:
        onset: int64[n], first sample of each event (`key_first`).
        end: int64[n], its last sample (`key_end`); -1 when it is not known.
        joints: int64[m], first sample of every part of the session that was joined to the one before.
        samples: of the session.
        rate: samples a second.
    """

    onset: np.ndarray
    end: np.ndarray
    joints: np.ndarray
    samples: int
    rate: float


@dataclass(frozen=True, eq=False)
class Usable:
    """The events that can be spliced, and why the others cannot.

    Attributes:
        index: int64[k], their places in `Events`.
        before, after: int64[k], samples of rest that belong to each of them, on both sides.
        left_out: reason -> number of events; the reasons are those of REASONS.
    """

    index: np.ndarray
    before: np.ndarray
    after: np.ndarray
    left_out: dict[str, int]


REASONS = {
    "outside": "outside the signal",
    "no_end": "without a known end, or after one without",
    "overlap": "at the same time as another event",
    "joint": "across two joined recordings",
    "short_rest": "with too little rest beside them",
}
"""Why an event is left out."""


@dataclass(frozen=True, eq=False)
class Spliced:
    """One order of a session's events: its pieces in order, and where they are placed.

    Attributes:
        event: int64[k], places of the events in `Events`, in the new order.
        onset, end: int64[k], first and last sample of each of them in the spliced session.
        start, stop: int64[p], samples [start, stop) of the recorded session, piece by piece.
        joints: int64[p - 1], first sample in the spliced session of every piece after the first.
        samples: of the spliced session.
    """

    event: np.ndarray
    onset: np.ndarray
    end: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    joints: np.ndarray
    samples: int


def usable_events(events: Events, rule: SpliceRule) -> Usable:
    """The events with a known end and enough rest on both sides, within one recording.

    Rest reaches halfway to the next event, or to the end of the recording. A recording may end with its last event:
    that one has no rest of its own after it, and the rest before the event that it is joined to follows.
    """
    onset, end, count = events.onset, events.end, len(events.onset)
    last = np.where(end < 0, onset, end)
    reach = np.maximum.accumulate(np.concatenate([[-1], last]))  # reach[i]: last sample of the events before event i
    edges = np.concatenate([[0], events.joints, [events.samples]])
    part = np.searchsorted(edges, onset, "right") - 1
    low, high = edges[np.clip(part, 0, len(edges) - 2)], edges[np.clip(part, 0, len(edges) - 2) + 1]
    following = np.append(onset[1:], events.samples)
    shared = np.concatenate([onset[1:] <= reach[1:-1], [False]]) | (onset <= reach[:-1])
    unknown = end < 0
    after_unknown = np.concatenate([[False], unknown[:-1]]) & (np.append(-1, onset[:-1]) >= low)
    before = np.where(reach[:-1] >= low, (onset - reach[:-1] - 1) // 2, onset - low)
    after = np.where(following < high, (following - end - 1) // 2, high - end - 1)
    least = _samples(rule.rest, events.rate)[0]
    why = np.select(
        [
            (onset < 0) | (end >= events.samples) | (onset >= events.samples),
            unknown | after_unknown,
            shared | (~unknown & (end < onset)),
            end >= high,
            (before < least) | ((after < least) & (following < high)),
        ],
        list(REASONS),
        "",
    )
    index = np.flatnonzero(why == "") if count else np.zeros(0, np.int64)
    found = {reason: int((why == reason).sum()) for reason in REASONS}
    return Usable(index, before[index], after[index], {reason: number for reason, number in found.items() if number})


def splice(events: Events, usable: Usable, rule: SpliceRule, session: str, order: int) -> Spliced:
    """Order `order` of a session's usable events: a function of the rule's seed, the session's name and the order.

    All usable events come once. Rest and hold of each are drawn anew in every order.
    """
    names = [f"{session}/{order}/{event}" for event in usable.index]
    turn = sorted(range(len(names)), key=lambda place: draw_key(rule.seed, "splice order", names[place]))
    rest, hold = _samples(rule.rest, events.rate), _samples(rule.hold, events.rate)
    start, stop, joints, onset, end = [], [], [], [], []
    done = 0
    for number, place in enumerate(turn):
        event = usable.index[place]
        first, whole = int(events.onset[event]), int(events.end[event] - events.onset[event]) + 1
        opens, closes = number % rule.events == 0, (number + 1) % rule.events == 0 or number + 1 == len(turn)
        lead, tail = (
            min(rest[1] if edge else _draw(rule.seed, side, names[place], rest), int(most[place]))
            for edge, side, most in ((opens, "before", usable.before), (closes, "after", usable.after))
        )
        kept = min(_draw(rule.seed, "hold", names[place], hold), whole)
        if number:
            joints.append(done)
        onset.append(done + lead)
        end.append(done + lead + kept - 1)
        if kept == whole or not tail:
            pieces = [(first - lead, first + kept + tail)]
        else:
            pieces = [(first - lead, first + kept), (first + whole, first + whole + tail)]
            joints.append(done + lead + kept)
        start += [piece[0] for piece in pieces]
        stop += [piece[1] for piece in pieces]
        done += lead + kept + tail
    return Spliced(
        event=usable.index[turn],
        onset=np.array(onset, np.int64),
        end=np.array(end, np.int64),
        start=np.array(start, np.int64),
        stop=np.array(stop, np.int64),
        joints=np.array(joints, np.int64),
        samples=done,
    )


def _samples(seconds: tuple[float, float], rate: float) -> tuple[int, int]:
    """Fewest and most samples of a length in seconds; at least one."""
    fewest = max(1, math.ceil(seconds[0] * rate - 1e-6))
    return fewest, max(fewest, math.floor(seconds[1] * rate + 1e-6))


def _draw(seed: int, kind: str, name: str, between: tuple[int, int]) -> int:
    """A whole number from `between`, both ends included, all equally likely; the same in every release."""
    digest = hashlib.sha256(f"{seed}/splice {kind}/{name}".encode()).digest()
    low, high = between
    return low + int.from_bytes(digest[:8], "big") * (high - low + 1) // 2**64
