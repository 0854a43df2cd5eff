"""Which sessions train, validate and test: made by a rule, kept in splits.json beside the sessions."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.files import content_hash, read_json, write_json

SCHEMA, VERSION = "semgjax/split", 1
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Split:
    """Names of the sessions of each part, and the rule that chose them (for the reader's eyes)."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    rule: dict[str, Any]

    @property
    def hash(self) -> str:
        """Equal for equal parts, whatever the order of names or the rule behind them."""
        return content_hash({part: sorted(getattr(self, part)) for part in PARTS})


def leave_users_out(sessions: Sequence[tuple[str, str]], test_users: int, val_share: float, seed: int) -> Split:
    """Hold out whole users for test, and sessions of the other users for validation.

    The validation part has about `val_share` of the sessions left, at least one where that is possible. It
    takes one session of each user before a second of any, and never the last one of a user, so that it
    measures known users on new sessions. The order of `sessions` does not matter.

    Args:
        sessions: (session name, user) of every session.

    Raises:
        InputError: not 1 <= test_users < number of users, not 0 <= val_share < 1, or a name that comes twice.
    """
    users = sorted({user for _, user in sessions}, key=lambda user: _draw(seed, "user", user))
    if not 1 <= test_users < len(users):
        raise InputError(
            f"{test_users} test users of {len(users)} users: give 1 or more and leave 1 or more for training"
        )
    if not 0 <= val_share < 1:
        raise InputError(f"validation share is {val_share}, expected 0 or more and below 1")
    twice = [name for name, count in Counter(name for name, _ in sessions).items() if count > 1]
    if twice:
        raise InputError(f"two sessions have the name {twice[0]!r}; keep one of them")
    held_out = set(users[:test_users])
    by_user: dict[str, list[str]] = defaultdict(list)
    for name, user in sorted(sessions, key=lambda session: _draw(seed, "session", session[0])):
        by_user[user].append(name)
    spare = [
        (turn, _draw(seed, "session", name), name)
        for user in by_user.keys() - held_out
        for turn, name in enumerate(by_user[user][:-1])
    ]
    rest = sum(len(by_user[user]) for user in by_user.keys() - held_out)
    count = max(1, round(val_share * rest)) if val_share else 0
    val = {name for _, _, name in sorted(spare)[:count]}
    part_of = {name: "test" if user in held_out else "val" if name in val else "train" for name, user in sessions}
    parts = {part: tuple(sorted(name for name in part_of if part_of[name] == part)) for part in PARTS}
    rule = {"name": "leave_users_out", "test_users": test_users, "val_share": val_share, "seed": seed}
    return Split(**parts, rule=rule)


def _draw(seed: int, kind: str, name: str) -> str:
    """A random-looking key to sort by, which no library's generator can change from release to release."""
    return hashlib.sha256(f"{seed}/{kind}/{name}".encode()).hexdigest()


def write_split(path: Path, split: Split) -> None:
    """Write a split file (schema semgjax/split)."""
    write_json(path, SCHEMA, VERSION, {**{part: list(getattr(split, part)) for part in PARTS}, "rule": split.rule})


def read_split(path: Path) -> Split:
    """Read a split file.

    Raises:
        InputError: no such file, another schema, a part that is no list of names, or a session named twice.
    """
    document = read_json(path, SCHEMA, VERSION)
    place: dict[str, str] = {}
    for part in PARTS:
        names = document.get(part)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f"{path}: {part!r} is no list of session names; write it again")
        for name in names:
            if name in place:
                raise InputError(f"{path}: session {name!r} is in {place[name]} and in {part}; keep one of them")
            place[name] = part
    rule = document.get("rule", {})
    if not isinstance(rule, dict):
        raise InputError(f"{path}: 'rule' is no object; write it again")
    return Split(**{part: tuple(document[part]) for part in PARTS}, rule=rule)
