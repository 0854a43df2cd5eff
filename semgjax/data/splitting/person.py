"""The split of one person: training on the first minutes, validation and test on other sessions of the same person."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.splits import UNLABELLED, Split
from semgjax.errors import InputError


@dataclass(frozen=True)
class _Own:
    train: list[str]
    val: list[str]
    test: list[str]


def person_split(split: Split | None, sessions: Sequence[KnownSession], user: str, minutes: float) -> Split:
    """The split of a person's own sessions, cut to the first minutes of its train part.

    Test: the person's sessions of the split's test part; without a split the last one. Validation: those of its val
    part, or the last of those that are left. Training: all others, in order of their names, until the minutes are
    reached; the last one is cut. So emg2qwerty's personalised splits are used as they are, and with a split that holds
    people out for test the scores before and after are of the same sessions.

    Args:
        split: the folder's, or the one given; None if there is none.
        sessions: all sessions of the folder.
        minutes: of signal, above 0.

    Raises:
        InputError: no such user ("unknown-name"); no session for a part ("no-sessions"); minutes out of range, or more
            than there are ("bad-value"); a training session that was spliced, whose minutes are no recorded ones
            ("conflict").
    """
    if not 0 < minutes < math.inf:
        raise InputError(
            f"minutes {minutes:g} must be above 0; without minutes it is the base itself (semgjax evaluate)",
            "bad-value",
        )
    known = {row.session: row for row in sessions}
    own = _parts(split, sessions, user)
    spliced = [name for name in own.train if known[name].origin]
    if spliced:
        raise InputError(
            f"session {spliced[0]!r} was spliced: its minutes are not recorded ones; give recorded sessions", "conflict"
        )
    limits = {} if split is None else {name: split.limits[name] for name in own.val + own.test if name in split.limits}
    rate = known[own.train[0]].rate
    wanted = round(minutes * 60 * rate)
    there = {name: _length(split, known[name]) for name in own.train}
    if not 1 <= wanted <= sum(there.values()):
        most = math.floor(100 * sum(there.values()) / rate / 60) / 100
        raise InputError(
            f"minutes {minutes:g}: user {user!r} has {most:g} minutes in {len(there)} training sessions; give no more",
            "bad-value",
        )
    train: list[str] = []
    for name, samples in there.items():
        if not wanted:
            break
        train.append(name)
        taken = min(wanted, samples)
        if taken < known[name].samples:
            limits[name] = taken
        wanted -= taken
    rule = {"name": "person", "of": None if split is None else split.hash, "user": user, "minutes": float(minutes)}
    return Split(tuple(train), tuple(own.val), tuple(own.test), rule, dict(sorted(limits.items())))


def _length(split: Split | None, row: KnownSession) -> int:
    return min(row.samples, row.samples if split is None else split.limits.get(row.session, row.samples))


def _parts(split: Split | None, sessions: Sequence[KnownSession], user: str) -> _Own:
    """
    Raises:
        InputError: no such user, or no session for a part.
    """
    away = set() if split is None else set(getattr(split, UNLABELLED))
    names = sorted(row.session for row in sessions if row.user == user and row.labelled and row.session not in away)
    if not names:
        users = sorted({row.user for row in sessions})
        shown = ", ".join(users[:8]) + (" and more" if len(users) > 8 else "")
        raise InputError(f"user {user!r} has no labelled session here; users are {shown}", "unknown-name")
    test = names[-1:] if split is None else [name for name in names if name in split.test]
    left = [name for name in names if name not in test]
    val = [] if split is None else [name for name in left if name in split.val]
    val = val or left[-1:]
    own = _Own([name for name in left if name not in val], val, test)
    for part, found in (("test", own.test), ("val", own.val), ("train", own.train)):
        if not found:
            raise InputError(
                f"user {user!r} has no session for the {part} part, of {len(names)} labelled ones; give a split or "
                "more sessions",
                "no-sessions",
            )
    return own
