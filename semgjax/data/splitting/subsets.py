"""Nested subsets of a split's training data, for scaling laws over users and hours."""

import math
from collections import defaultdict
from collections.abc import Sequence

from semgjax.data.sessions import SAMPLE_RATE
from semgjax.data.splitting.inventory import KnownSession
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

    With one seed, a subset of fewer users or hours is contained in one of more, sample by sample. Validation and test
    parts are unchanged, so that all points of a sweep are scored on the same sessions. Whole sessions are taken in the
    order drawn until a user's hours are reached; the last one is cut by a limit. Of a user with fewer hours all is used
    (`rule["short_users"]` counts such users).

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
    by_user: dict[str, list[str]] = defaultdict(list)
    for name in sorted(split.train, key=lambda name: draw_key(seed, "subset session", name)):
        by_user[known[name].user].append(name)
    order = sorted(by_user, key=lambda user: draw_key(seed, "subset user", user))
    if users is not None and not 1 <= users <= len(order):
        raise InputError(
            f"{users} users of {len(order)} in the train part; give a number from 1 to {len(order)}", "bad-value"
        )
    if hours_per_user is not None and not 1 <= SAMPLE_RATE * 3600 * hours_per_user < math.inf:
        raise InputError(f"hours per user is {hours_per_user}, expected more than 0", "bad-value")
    wanted = math.inf if hours_per_user is None else round(hours_per_user * 3600 * SAMPLE_RATE)
    train: list[str] = []
    limits = {name: samples for name, samples in split.limits.items() if name not in set(split.train)}
    short = 0
    for user in order[:users]:
        left = wanted
        for name in by_user[user]:
            if left <= 0:
                break
            there = min(known[name].samples, split.limits.get(name, known[name].samples))
            taken = int(min(there, left))
            if taken < known[name].samples:
                limits[name] = taken
            train.append(name)
            left -= taken
        short += hours_per_user is not None and left > 0
    rule = {
        "name": "nested_subset", "of": split.hash, "users": users, "hours_per_user": hours_per_user, "seed": seed,
        "short_users": short,
    }  # fmt: skip
    return Split(tuple(sorted(train)), split.val, split.test, rule, dict(sorted(limits.items())))
