"""Spliced sessions in splits: all sessions spliced from one recording count as one, and stay in one part."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from semgjax.data.splitting.splits import ALL_PARTS, PARTS, Split
from semgjax.errors import InputError


class Known(Protocol):
    """What is asked of a session: a `Session` or a `KnownSession`."""

    @property
    def samples(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def origin(self) -> str: ...
    @property
    def origin_samples(self) -> int: ...


def recorded_hours(sessions: Iterable[tuple[str, Known]]) -> float:
    """Hours that were recorded: of sessions spliced from one recording, that recording's length, once.

    Args:
        sessions: (name, session).
    """
    lengths: dict[str, float] = {}
    for name, session in sessions:
        if session.origin or name not in lengths:
            lengths[session.origin or name] = (session.origin_samples or session.samples) / session.rate
    return sum(lengths.values()) / 3600


def orders_of(recordings: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Recording -> its sessions: itself, if it is among them, and those spliced from it, by their names.

    Args:
        recordings: (session, recording) of each session.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for session, recording in sorted(recordings, key=lambda pair: (pair[0] != pair[1], pair[0])):
        found[recording].append(session)
    return dict(found)


def with_orders(split: Split, recordings: Sequence[tuple[str, str]]) -> Split:
    """A split of recordings as one of the sessions spliced from them.

    The train part and the unlabelled part get all sessions of a recording. Parts that are scored get one: the recording
    itself, or its first order, since more orders of the same events would count each person's events several times.
    Sessions that the split names by their own names stay.

    Args:
        recordings: (session, recording) of each session.

    Raises:
        InputError: two sessions of one recording are in different parts ("one-recording").
    """
    if all(session == recording for session, recording in recordings):
        return split
    orders = orders_of(recordings)
    train, unlabelled = (
        tuple(dict.fromkeys(name for known in part for name in orders.get(known, [known])))
        for part in (split.train, split.unlabelled)
    )
    val, test = (tuple(orders.get(name, [name])[0] for name in getattr(split, part)) for part in PARTS[1:])
    rule = split.rule | {"orders": "all in train, else one"}
    made = replace(split, train=train, val=val, test=test, unlabelled=unlabelled, rule=rule)
    check_apart(made, dict(recordings))
    return made


def check_apart(split: Split, recording_of: dict[str, str], path: Path | None = None) -> None:
    """Check that no recording has sessions in two parts, and that no limit cuts a spliced session.

    Args:
        recording_of: session -> the recording that it is or was spliced from.
        path: the split's file, for the message.

    Raises:
        InputError: it has ("one-recording"); a limit does ("conflict").
    """
    where = f"{path}: " if path else ""
    place: dict[str, tuple[str, str]] = {}
    for part in ALL_PARTS:
        for name in getattr(split, part):
            recording = recording_of.get(name, name)
            other, session = place.setdefault(recording, (part, name))
            if other != part:
                raise InputError(
                    f"{where}session {name!r} of {part} has the events of recording {recording!r}, as has {session!r} "
                    f"of {other}; keep all of one recording in one part",
                    "one-recording",
                )
    for name in split.limits:
        if recording_of.get(name, name) != name:
            raise InputError(
                f"{where}session {name!r} is spliced and has a limit: every order has all events; remove the limit",
                "conflict",
            )
