"""Parts of the training data, for curves over users and hours: the smaller part lies within the larger. Writes nothing.

The one place where a sweep asks for a subset of a split.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace

from semgjax.data.corpus import Corpus
from semgjax.data.sessions import SAMPLE_RATE, Session
from semgjax.data.splits import Split
from semgjax.errors import InputError


@dataclass(frozen=True)
class Subset:
    """What of the training part a trial learns from; validation and test stay whole, so that scores compare."""

    users: int | None = None
    """how many users; all without it"""
    hours_per_user: float | None = None
    """hours of signal of each user; all without it"""
    seed: int = 0
    """of the order in which users and sessions join"""


def subset_split(split: Split, corpus: Corpus, subset: Subset) -> Split:
    """The split with a part of its training sessions.

    Users join in an order drawn from the seed, and so do the sessions of each, whole, until the hours are
    reached; a part for fewer users or hours is contained in one for more.

    Args:
        corpus: the sessions under `split`.

    Raises:
        InputError: there are not as many users or hours.
    """
    if subset.users is None and subset.hours_per_user is None:
        return split
    by_user: dict[str, list[Session]] = defaultdict(list)
    for session in sorted(corpus.train, key=lambda s: _draw(subset.seed, s.name)):
        by_user[session.user].append(session)
    users = sorted(by_user, key=lambda user: _draw(subset.seed, user))
    count = len(users) if subset.users is None else subset.users
    if not 1 <= count <= len(users):
        raise InputError(f"data.users {count}: the training part has {len(users)} users")
    names = [name for user in users[:count] for name in _first_hours(by_user[user], subset.hours_per_user)]
    rule = {"of": split.hash, "users": subset.users, "hours_per_user": subset.hours_per_user, "seed": subset.seed}
    return replace(split, train=tuple(sorted(names)), rule={"name": "subset", **rule})


def _first_hours(sessions: list[Session], hours: float | None) -> list[str]:
    """The fewest first sessions that hold the hours."""
    found, total = [], 0.0
    for session in sessions:
        if hours is not None and total >= hours:
            break
        found.append(session.name)
        total += session.samples / SAMPLE_RATE / 3600
    if hours is not None and (not hours > 0 or total < hours):
        raise InputError(f"data.hours_per_user {hours}: user {sessions[0].user!r} has {total:.3g} hours for training")
    return found


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}/subset/{name}".encode()).hexdigest()
