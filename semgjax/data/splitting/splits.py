"""Splits into train, validation and test sessions: made by a rule, stored in splits.json next to the sessions.

Other rules: `official` (emg2qwerty's own), `subsets` (less training data) and `unlabelled` (fewer labels), beside
this module.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.files import content_hash, read_json, write_json

SCHEMA, VERSION = "semgjax/split", 3
PARTS = ("train", "val", "test")
UNLABELLED = "unlabelled"
ALL_PARTS = (*PARTS, UNLABELLED)


@dataclass(frozen=True)
class Split:
    """Names of the sessions of each part, and the rule that chose them (for information only).

    Attributes:
        limits: session -> number of its first samples that are used; other sessions are used whole.
        unlabelled: sessions whose labels are not used, or that have none: a distilled run learns from their signal.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    rule: dict[str, Any]
    limits: dict[str, int] = field(default_factory=dict)
    unlabelled: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All its sessions."""
        return (*self.train, *self.val, *self.test, *self.unlabelled)

    @property
    def hash(self) -> str:
        """Equal for equal parts and limits, regardless of the order of names and of the rule."""
        parts: dict[str, Any] = {part: sorted(getattr(self, part)) for part in PARTS}
        more: dict[str, Any] = {"limits": self.limits} if self.limits else {}
        return content_hash(parts | more | ({UNLABELLED: sorted(self.unlabelled)} if self.unlabelled else {}))


def leave_users_out(sessions: Sequence[tuple[str, str]], test_users: int, val_share: float, seed: int) -> Split:
    """Hold out whole users for test, and sessions of the other users for validation.

    The validation part has about `val_share` of the remaining sessions, at least one where possible. It takes
    one session of each user before a second of any, and never the only remaining one, so that it measures
    training users on new sessions. The order of `sessions` does not matter.

    Args:
        sessions: (session name, user) of every session.

    Raises:
        InputError: not 1 <= test_users < number of users, not 0 <= val_share < 1, or a name that comes twice.
    """
    users = _drawn_users(sessions, seed)
    if not 1 <= test_users < len(users):
        raise InputError(
            f"{test_users} test users of {len(users)} users: give 1 or more and leave 1 or more for training",
            "bad-value",
        )
    rule = {"name": "leave_users_out", "test_users": test_users, "val_share": val_share, "seed": seed}
    return _hold_out(sessions, set(users[:test_users]), val_share, seed, rule)


def leave_users_out_folds(
    sessions: Sequence[tuple[str, str]], folds: int, val_share: float, seed: int
) -> tuple[Split, ...]:
    """Cross-validation splits: together they hold out every user once; otherwise as `leave_users_out`.

    Raises:
        InputError: not 2 <= folds <= number of users; or as `leave_users_out`.
    """
    users = _drawn_users(sessions, seed)
    if not 2 <= folds <= len(users):
        raise InputError(
            f"{folds} folds of {len(users)} users: give a number from 2 to the number of users", "bad-value"
        )
    rule = {"name": "leave_users_out_folds", "folds": folds, "val_share": val_share, "seed": seed}
    return tuple(
        _hold_out(sessions, set(users[fold::folds]), val_share, seed, rule | {"fold": fold}) for fold in range(folds)
    )


def _drawn_users(sessions: Sequence[tuple[str, str]], seed: int) -> list[str]:
    return sorted({user for _, user in sessions}, key=lambda user: draw_key(seed, "user", user))


def _hold_out(
    sessions: Sequence[tuple[str, str]], held_out: Collection[str], val_share: float, seed: int, rule: dict[str, Any]
) -> Split:
    if not 0 <= val_share < 1:
        raise InputError(f"validation share is {val_share}, expected 0 or more and below 1", "bad-value")
    check_names(name for name, _ in sessions)
    by_user: dict[str, list[str]] = defaultdict(list)
    for name, user in sorted(sessions, key=lambda session: draw_key(seed, "session", session[0])):
        by_user[user].append(name)
    spare = [
        (turn, draw_key(seed, "session", name), name)
        for user in by_user.keys() - held_out
        for turn, name in enumerate(by_user[user][:-1])
    ]
    rest = sum(len(by_user[user]) for user in by_user.keys() - held_out)
    count = max(1, round(val_share * rest)) if val_share else 0
    val = {name for _, _, name in sorted(spare)[:count]}
    part_of = {name: "test" if user in held_out else "val" if name in val else "train" for name, user in sessions}
    parts = {part: tuple(sorted(name for name in part_of if part_of[name] == part)) for part in PARTS}
    return Split(parts["train"], parts["val"], parts["test"], rule)


def check_names(names: Iterable[str]) -> None:
    """
    Raises:
        InputError: a name that comes twice.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"two sessions have the name {twice[0]!r}; keep one of them", "duplicate-session")


def draw_key(seed: int, kind: str, name: str) -> str:
    """A pseudo-random sort key that, unlike a library's generator, is the same in every release."""
    return hashlib.sha256(f"{seed}/{kind}/{name}".encode()).hexdigest()


def write_split(path: Path, split: Split) -> None:
    """Write a split file (schema semgjax/split): version 3 with unlabelled sessions, 2 with limits only, else 1."""
    body: dict[str, Any] = {**{part: list(getattr(split, part)) for part in PARTS}, "rule": split.rule}
    version = 1
    if split.limits:
        body, version = body | {"limits": split.limits}, 2
    if split.unlabelled:
        body, version = body | {UNLABELLED: list(split.unlabelled)}, VERSION
    write_json(path, SCHEMA, version, body)


def read_split(path: Path) -> Split:
    """Read a split file.

    Raises:
        InputError: no such file, another schema, a part that is not a list of names, a session named twice, or a
            limit that is not a number of samples or belongs to no session of the split.
    """
    document = read_json(path, SCHEMA, VERSION, oldest=1)
    place: dict[str, str] = {}
    for part in ALL_PARTS:
        names = document.get(part, [] if part == UNLABELLED else None)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f"{path}: {part!r} is not a list of session names; write it again", "bad-field")
        for name in names:
            if name in place:
                raise InputError(
                    f"{path}: session {name!r} is in {place[name]} and in {part}; keep one of them", "duplicate-session"
                )
            place[name] = part
    rule = document.get("rule", {})
    if not isinstance(rule, dict):
        raise InputError(f"{path}: 'rule' is not an object; write it again", "bad-field")
    limits = document.get("limits", {})
    if not isinstance(limits, dict):
        raise InputError(f"{path}: 'limits' is not an object; write it again", "bad-field")
    for name, samples in limits.items():
        if type(samples) is not int or samples < 1:
            raise InputError(
                f"{path}: limit of session {name!r} is {samples!r}, expected samples, 1 or more", "bad-field"
            )
        if name not in place:
            raise InputError(f"{path}: session {name!r} has a limit but is in no part; remove the limit", "bad-field")
    train, val, test = (tuple(document[part]) for part in PARTS)
    return Split(train, val, test, rule, limits, tuple(document.get(UNLABELLED, ())))
