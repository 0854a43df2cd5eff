"""emg2qwerty's splits, made from metadata.csv by their published rule or read from a list of names.

The rule (emg2qwerty, arXiv 2410.20081, and its published counts): users with fewer than 4 sessions are excluded; the
8 test users are those with most sessions and no quality tag; 2 sessions of every user are for validation and 2 more
of a test user for test. The 2 sessions are drawn at random. The original draw is not published in a form that can be
repeated here: rule and counts are those of the paper, the draw is not. `read_listed` reads the original split.
"""

import csv
import hashlib
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.splits import ALL_PARTS, PARTS, Split, check_names, draw_key
from semgjax.errors import InputError
from semgjax.files import parse_json, read_text

SEED = 1501
TEST_USERS = 8
LEAST = 4  # sessions that a user must have not to be excluded
_MARK_BYTES, _HASHED = 100, 10
DRAWN = 2  # sessions of a user that validate, and of a test user that test


@dataclass(frozen=True)
class _Roles:
    """User -> names of its sessions in the order drawn: known (training), test and excluded users."""

    known: dict[str, list[str]]
    test: dict[str, list[str]]
    outside: dict[str, list[str]]


def _roles(rows: Sequence[KnownSession], test_users: int, seed: int) -> _Roles:
    check_names(row.session for row in rows)
    drawn: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: draw_key(seed, "official session", row.session)):
        drawn[row.user].append(row.session)
    tagged = {row.user for row in rows if row.tags}
    enough = [user for user in drawn if len(drawn[user]) >= LEAST]
    fit = sorted(
        (user for user in enough if user not in tagged and len(drawn[user]) > 2 * DRAWN),
        key=lambda user: (-len(drawn[user]), draw_key(seed, "official user", user)),
    )
    if not 1 <= test_users <= len(fit):
        raise InputError(
            f"{test_users} test users: {len(fit)} users have more than {2 * DRAWN} sessions and no quality tag; "
            "give another number",
            "bad-value",
        )
    chosen = set(fit[:test_users])
    if len(enough) == test_users:
        raise InputError(
            f"{test_users} test users leave no user with {LEAST} sessions for training; give fewer", "bad-value"
        )
    groups: dict[str, dict[str, list[str]]] = {"known": {}, "test": {}, "outside": {}}
    for user in sorted(drawn):
        group = "test" if user in chosen else "known" if user in enough else "outside"
        groups[group][user] = drawn[user]
    return _Roles(**groups)


def _split(rule: str, test_users: int, seed: int, more: dict[str, Any] | None = None, **parts: list[str]) -> Split:
    written: dict[str, Any] = {"name": rule, "test_users": test_users, "seed": seed, **(more or {})}
    train, val, test = (tuple(sorted(parts[part])) for part in PARTS)
    return Split(train, val, test, written)


def generic(rows: Sequence[KnownSession], test_users: int = TEST_USERS, seed: int = SEED) -> Split:
    """Training on many users, validation on two more sessions of each, test on two of each held-out user (zero-shot).

    Of the published table: 837 sessions of 96 users, 192 of the same, 16 of 8.

    Raises:
        InputError: fewer users without a quality tag than `test_users`, or a name that occurs twice.
    """
    roles = _roles(rows, test_users, seed)
    return _split(
        "official_generic",
        test_users,
        seed,
        train=[name for names in roles.known.values() for name in names[DRAWN:]],
        val=[name for names in roles.known.values() for name in names[:DRAWN]],
        test=[name for names in roles.test.values() for name in names[:DRAWN]],
    )


def personalised(rows: Sequence[KnownSession], test_users: int = TEST_USERS, seed: int = SEED) -> dict[str, Split]:
    """User -> the split of one held-out user's own sessions; its test sessions are those of `generic`.

    Of the published table: 8 users, 8 to 10 sessions train, 2 validate, 2 test.

    Raises:
        InputError: as `generic`.
    """
    return {
        user: _split(
            "official_personalised",
            test_users,
            seed,
            {"user": user},
            train=names[2 * DRAWN :],
            val=names[DRAWN : 2 * DRAWN],
            test=names[:DRAWN],
        )
        for user, names in _roles(rows, test_users, seed).test.items()
    }


def file_marks(users: Iterable[str]) -> dict[str, str]:
    """User -> a part of a file name that is unique to the user on any file system.

    Letters and digits of every alphabet, "_", "." and "-" are kept; other characters become "_". If that changes the
    id, if it is too long, or if two ids differ only by case or by the composition of accents, a hash of the id is
    appended. The mark has no separator or control character, and at most 120 bytes.
    """
    plain = {user: _plain_mark(user) for user in users}
    changed = {user for user, mark in plain.items() if unicodedata.normalize("NFC", user) != mark}
    same = Counter(_folded(mark) for user, mark in plain.items() if user not in changed)
    marks = {}
    for user, mark in plain.items():
        if user in changed or same[_folded(mark)] > 1:
            digest = hashlib.sha256(user.encode(errors="surrogatepass")).hexdigest()
            mark = f"{mark}-{digest[:_HASHED]}"
        marks[user] = mark
    return marks


def _plain_mark(user: str) -> str:
    kept = "".join(
        c if c.isalnum() or c in "_.-" or unicodedata.category(c) in ("Mn", "Mc") else "_"
        for c in unicodedata.normalize("NFC", user)
    )
    encoding = sys.getfilesystemencoding()
    fit = kept.encode(encoding, "replace").decode(encoding, "replace").replace("?", "_")
    while len(fit.encode()) > _MARK_BYTES:
        fit = fit[:-1]
    return fit


def _folded(mark: str) -> str:
    """Equal for names that some file system does not distinguish."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", mark).casefold())


def unseen_validation(rows: Sequence[KnownSession], test_users: int = TEST_USERS, seed: int = SEED) -> Split:
    """`generic`, but validated on the excluded users, whom the decoder has never seen ("ODV").

    SplashNet (arXiv 2506.12356) reports scores on them. Of the published table: 6 sessions of 4 users. The validation
    sessions of `generic` are in no part, so that both splits have the same training part.

    Raises:
        InputError: as `generic`, or no user is excluded.
    """
    roles = _roles(rows, test_users, seed)
    if not roles.outside:
        raise InputError(
            f"every user has {LEAST} sessions or more, so none is excluded; use the generic split", "no-sessions"
        )
    base = generic(rows, test_users, seed)
    outside = [name for names in roles.outside.values() for name in names]
    return _split("official_odv", test_users, seed, train=list(base.train), val=outside, test=list(base.test))


def read_listed(path: Path) -> Split:
    """The split given by a plain list, such as the original one.

    JSON: {"train": [names], "val": ..., "test": ...} or {name: part}; CSV: columns session and part. Beside train,
    val and test there may be a part "unlabelled".

    Raises:
        InputError: no such file, another form, another part, or a name that occurs twice.
    """
    text = read_text(path, "session names and their parts, JSON or CSV", "utf-8-sig")
    try:
        pairs = _from_json(path, text) if path.suffix == ".json" else _from_csv(path, text)
    except csv.Error as error:
        raise InputError(f"{path}: cannot be read as CSV ({error})", "bad-row") from None
    parts: dict[str, list[str]] = {part: [] for part in ALL_PARTS}
    for name, part in pairs:
        if not isinstance(name, str) or part not in ALL_PARTS:
            raise InputError(
                f"{path}: session {name!r} is in part {part!r}; choose one of {', '.join(ALL_PARTS)}", "bad-field"
            )
        parts[part].append(name)
    try:
        check_names(name for names in parts.values() for name in names)
    except InputError as error:
        raise InputError(f"{path}: {error}", error.code) from None
    train, val, test, unlabelled = (tuple(names) for names in parts.values())
    return Split(train, val, test, {"name": "listed"}, unlabelled=unlabelled)


def _from_json(path: Path, text: str) -> list[tuple[Any, Any]]:
    document = parse_json(text, str(path))
    if not isinstance(document, dict):
        raise InputError(
            f"{path}: holds a JSON {type(document).__name__}, expected an object of parts or of names", "bad-field"
        )
    if set(document) <= set(ALL_PARTS) and all(isinstance(names, list) for names in document.values()):
        return [(name, part) for part, names in document.items() for name in names]
    return list(document.items())


def _from_csv(path: Path, text: str) -> list[tuple[Any, Any]]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    if not {"session", "part"} <= set(reader.fieldnames or []):
        raise InputError(f"{path}: columns are {reader.fieldnames}, expected session and part", "no-column")
    return [(row["session"], row["part"]) for row in reader]
