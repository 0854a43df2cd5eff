"""Some of the events of spliced sessions: a share of the repetitions of each class, or so many events of each.

The spliced sessions of one recorded session hold the same events in other orders, each from its onset on with the same
samples. An event is recognised by these, so that a choice is the same in all orders.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from semgjax.data.sessions import Session, read_emg
from semgjax.data.splitting.splits import draw_key
from semgjax.errors import InputError

SAME = 60
"""samples from the onset by which an event is recognised; a shorter event by all of its own"""


def event_ids(session: Session) -> list[str]:
    """A name of each event of a spliced session: equal in all orders of the same recorded session.

    Raises:
        InputError: not a spliced session, or the end of an event is not known.
    """
    if not session.spliced or session.key_end is None or (session.key_end < session.key_first).any():
        raise InputError(
            f"{session.path}: session {session.name} is not spliced, or an event's end is not known; give the output "
            "of semgjax data splice",
            "bad-value",
        )
    ids = []
    for label, first, end in zip(session.labels, session.key_first, session.key_end, strict=True):
        last = min(int(first) + SAME, int(end) + 1)
        digest = hashlib.sha256(read_emg(session, int(first), last).tobytes()).hexdigest()[:16]
        ids.append(f"{label}/{digest}")
    return ids


def choose_events(orders: Sequence[Session], seed: int, count: int | None = None, share: float = 1.0) -> set[str]:
    """The ids of the chosen events of one recorded session; of a larger number or share, the first ones are the same.

    Args:
        orders: all spliced sessions of it.
        count: events of each class; None: by share.
        share: of the events of each class, rounded up, in (0, 1].

    Raises:
        InputError: the orders do not hold the same events, or a class has fewer than `count`.
    """
    every = [frozenset(event_ids(session)) for session in orders]
    for session, found in zip(orders, every, strict=True):
        if found != every[0] or len(found) != len(session.labels):
            raise InputError(
                f"{session.path}: session {session.name} does not hold each event of {orders[0].name} once; splice "
                "the recorded session again",
                "conflict",
            )
    by_class: dict[str, list[str]] = defaultdict(list)
    for event in sorted(every[0], key=lambda name: draw_key(seed, f"event {orders[0].origin}", name)):
        by_class[event.partition("/")[0]].append(event)
    chosen: set[str] = set()
    for label, events in by_class.items():
        wanted = math.ceil(share * len(events) - 1e-9) if count is None else count
        if wanted > len(events):
            raise InputError(
                f"{orders[0].path}: session {orders[0].origin} has {len(events)} events of class {label}, "
                f"{wanted} are wanted; give fewer",
                "bad-value",
            )
        chosen.update(events[:wanted])
    return chosen


def keep_events(session: Session, chosen: Collection[str]) -> Session:
    """A spliced session with its chosen events alone, in memory; each keeps the rest around it, in the same order.

    Raises:
        InputError: as `event_ids`, or no event is left.
    """
    ids = event_ids(session)
    kept = [place for place, event in enumerate(ids) if event in chosen]
    if not kept:
        raise InputError(f"{session.path}: session {session.name} has none of the chosen events", "no-keys")
    if len(kept) == len(ids):
        return session
    edges = _edges(session)
    parts, moved, joints, done = [], [], list[int](), 0
    for place in kept:
        start, stop = edges[place], edges[place + 1]
        parts.append(read_emg(session, start, stop))
        moved.append(done - start)
        joints += [done] if done else []
        joints += [int(joint) + done - start for joint in session.joints if start < joint < stop]
        done += stop - start
    shift = np.array(moved, np.int64)
    assert session.key_end is not None
    return replace(
        session,
        samples=done,
        labels=session.labels[kept],
        key_first=session.key_first[kept] + shift,
        key_last=session.key_last[kept] + shift,
        key_end=session.key_end[kept] + shift,
        joints=tuple(joints),
        stored=None,
        array=np.concatenate(parts),
    )


def _edges(session: Session) -> list[int]:
    """First sample of each event's piece, and the number of samples.

    A piece begins at the last joint before its event; the one before that may lie where a hold was cut.
    """
    joints = np.asarray(session.joints, np.int64)
    starts = [0]
    for before, first in zip(session.key_first[:-1], session.key_first[1:], strict=True):
        found = joints[(joints > before) & (joints <= first)]
        if not len(found):
            raise InputError(
                f"{session.path}: session {session.name} has no joint before the event at sample {first}; give the "
                "output of semgjax data splice",
                "bad-value",
            )
        starts.append(int(found[-1]))
    return [*starts, session.samples]
