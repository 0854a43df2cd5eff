"""Nested subsets of a split's training data, for scaling laws over users and hours."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from semgjax.data.sessions import SAMPLE_RATE
from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.origins import orders_of
from semgjax.data.splitting.splits import Split, draw_key
from semgjax.errors import InputError


def nested_subset(
    split: Split,
    sessions: Sequence[KnownSession],
    *,
    users: int | None = None,
    hours_per_user: float | None = None,
    seed: int = 0,
) -> Split:
    """The same split with fewer users in training, fewer hours of each, or both.

    With one seed, a subset of fewer users or hours is contained in one of more, sample by sample. Validation, test and
    unlabelled parts are unchanged, so that all points of a sweep are scored on the same sessions. Whole sessions are
    taken in the order drawn until a user's hours are reached; the last one is cut by a limit. Of a user with fewer
    hours all is used (`rule["short_users"]` counts such users).

    Sessions spliced from one recording are one session here, whose length is the recording's. Since each has all events
    of it, none is cut: the last one is taken whole if half of it or more is wanted, and every user has at least one.

    Args:
        sessions: all sessions of the split's train part, and any others.
        users: number of users (None: all).
        hours_per_user: hours of signal of each (None: all).

    Raises:
        InputError: a number out of range, or a training session that is not among `sessions`.
    """
    known = {row.session: row for row in sessions}
    missing = [name for name in split.train if name not in known]
    if missing:
        raise InputError(f"session {missing[0]!r} is in the split's train part but not in the folder", "bad-value")
    orders = orders_of((name, known[name].recording) for name in split.train)
    by_user: dict[str, list[str]] = defaultdict(list)
    for recording in sorted(orders, key=lambda name: draw_key(seed, "subset session", name)):
        by_user[known[orders[recording][0]].user].append(recording)
    order = sorted(by_user, key=lambda user: draw_key(seed, "subset user", user))
    if users is not None and not 1 <= users <= len(order):
        raise InputError(
            f"{users} users of {len(order)} in the train part; give a number from 1 to {len(order)}", "bad-value"
        )
    rate = known[split.train[0]].rate if split.train else SAMPLE_RATE
    if hours_per_user is not None and not 1 <= rate * 3600 * hours_per_user < math.inf:
        raise InputError(f"hours per user is {hours_per_user}, expected more than 0", "bad-value")
    wanted = math.inf if hours_per_user is None else round(hours_per_user * 3600 * rate)
    train: list[str] = []
    limits = {name: samples for name, samples in split.limits.items() if name not in set(split.train)}
    short = 0
    for user in order[:users]:
        left, taken = wanted, 0
        for number, recording in enumerate(by_user[user]):
            own = [known[name] for name in orders[recording]]
            if own[-1].origin:
                taken = own[-1].origin_samples
                if left <= 0 or (number and 2 * left < taken):
                    left = 0
                    break
            elif left <= 0:
                break
            else:
                there = min(own[0].samples, split.limits.get(recording, own[0].samples))
                taken = int(min(there, left))
                if taken < own[0].samples:
                    limits[recording] = taken
            train += orders[recording]
            left -= taken
        short += hours_per_user is not None and left > 0
    rule = {
        "name": "nested_subset", "of": split.hash, "users": users, "hours_per_user": hours_per_user, "seed": seed,
        "short_users": short,
    }  # fmt: skip
    return replace(split, train=tuple(sorted(train)), rule=rule, limits=dict(sorted(limits.items())))
