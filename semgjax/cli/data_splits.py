"""`semgjax data splits`: choose train, validation and test sessions; writes splits.json or a file per fold or user."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import tyro

from semgjax.cli.terminal import say
from semgjax.data.people import one_person_warning, similar_users
from semgjax.data.splitting.inventory import KnownSession, list_folder, read_metadata, recordings_of
from semgjax.data.splitting.official import file_marks, generic, personalised, read_listed, unseen_validation
from semgjax.data.splitting.origins import recorded_hours, with_orders
from semgjax.data.splitting.splits import (
    ALL_PARTS,
    UNLABELLED,
    Split,
    leave_users_out,
    leave_users_out_folds,
    read_split,
    write_split,
)
from semgjax.data.splitting.subsets import nested_subset
from semgjax.data.splitting.unlabelled import add_unlabelled, keep_labels
from semgjax.errors import InputError, system_fault

Kind = Literal["leave-users-out", "folds", "generic", "personalised", "odv", "listed", "subset"]
# kind -> the options that it uses
_TAKES: dict[str, tuple[str, ...]] = {
    "leave-users-out": ("test_users", "val_share", "labelled_users", "seed"),
    "folds": ("folds", "val_share", "labelled_users", "seed"),
    "generic": ("test_users", "labelled_users", "seed"),
    "personalised": ("test_users", "seed"),
    "odv": ("test_users", "labelled_users", "seed"),
    "listed": ("names",),
    "subset": ("of", "users", "hours_per_user", "labelled_users", "seed"),
}
_ADDS = ("leave-users-out", "folds", "generic", "odv")  # kinds that also take the sessions without labels
_VAL_SHARE = 0.1
_NEEDS: dict[str, tuple[str, ...]] = {"leave-users-out": ("test_users",), "folds": ("folds",), "listed": ("names",)}


def splits(
    src: tyro.conf.Positional[Path],
    *,
    kind: Kind = "leave-users-out",
    test_users: int | None = None,
    val_share: float | None = None,
    folds: int | None = None,
    names: Path | None = None,
    of: Path | None = None,
    users: int | None = None,
    hours_per_user: float | None = None,
    labelled_users: int | None = None,
    seed: int | None = None,
    out: Path | None = None,
) -> None:
    """Choose the sessions for training, validation and test, and write the split file.

    Args:
        src: folder of the session files, or the data set's metadata.csv
        kind: leave-users-out and folds hold out users; generic, personalised and odv are emg2qwerty's splits, made
            from metadata.csv; listed reads names from a file; subset reduces the training data of another split
        test_users: number of held-out users (needed by leave-users-out; default of emg2qwerty's splits: 8)
        val_share: share of the other users' sessions for validation, for leave-users-out and folds (0.1)
        folds: number of splits, one file each, that together hold out every user once
        names: JSON or CSV of session names and their parts, for listed
        of: the split to reduce, for subset (default: splits.json in the folder of the sessions)
        users: users in the subset's training part (default: all)
        hours_per_user: hours of each of them (default: all)
        labelled_users: users of the training part that keep their labels; the others' training sessions become
            unlabelled, for distillation (default: all)
        seed: of the random choice of users and sessions (default 0; for emg2qwerty's splits 1501)
        out: the file to write (default: splits.json in the folder of the sessions; needed by subset)
    """
    given = {
        "test_users": test_users, "val_share": val_share, "folds": folds, "names": names, "of": of,
        "users": users, "hours_per_user": hours_per_user, "labelled_users": labelled_users, "seed": seed,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    _check_options(kind, options)
    home = src.parent if src.is_file() else src
    if kind == "subset":
        if out is None:
            raise InputError("--kind subset needs --out: splits.json holds the full split and is kept", "bad-option")
        options.setdefault("of", home / "splits.json")
    options.pop("labelled_users", None)
    official = kind in ("generic", "personalised", "odv")
    there = None if src.is_file() else list_folder(src)
    # Only the table has quality tags and the sessions that are not in the folder.
    rows = read_metadata(src if src.is_file() else src / "metadata.csv") if official or there is None else there
    without = {row.session for row in there or () if not row.labelled}
    made = _make(kind, [row for row in rows if row.session not in without], options)
    if there is not None:
        pairs = [(row.session, row.recording) for row in there]
        if kind != "subset":  # which is of sessions already
            made = {mark: with_orders(split, pairs) for mark, split in made.items()}
        made = _only_present(made, {row.session for row in there}, src)
    known_rows = rows if there is None else there
    if labelled_users is not None:
        made = {mark: keep_labels(split, known_rows, labelled_users, seed or 0) for mark, split in made.items()}
    if without and kind in _ADDS:
        made = {mark: _with_unlabelled(split, known_rows) for mark, split in made.items()}
    path = out or home / "splits.json"
    files = {path.with_name(f"{path.stem}{mark}{path.suffix}"): split for mark, split in made.items()}
    for group in similar_users(row.user for row in rows):
        say(f"warning: {one_person_warning(group)}", error=True)
    known = [_is_there(file, split) for file, split in files.items()]
    for (file, split), old in zip(files.items(), known, strict=True):
        _print_parts(split, known_rows)
        if not old:
            _write(file, split)
        say(f"{file}{' (unchanged)' if old else ''}")
    if options.get("val_share", _VAL_SHARE) and kind == "leave-users-out" and not made[""].val:
        print("no validation sessions: every training user has only one session", file=sys.stderr)


def _check_options(kind: str, options: dict[str, Any]) -> None:
    for name in options:
        if name not in _TAKES[kind]:
            takes = ", ".join(f"--{other.replace('_', '-')}" for other in _TAKES[kind])
            raise InputError(
                f"--{name.replace('_', '-')} does not apply to --kind {kind}, which uses {takes}", "conflict"
            )
    for name in _NEEDS.get(kind, ()):
        if name not in options:
            raise InputError(
                f"--kind {kind} needs --{name.replace('_', '-')} (semgjax data splits --help)", "bad-option"
            )


def _make(kind: str, rows: Sequence[KnownSession], options: dict[str, Any]) -> dict[str, Split]:
    """Mark in the file's name -> split; the mark is empty where the kind makes one split."""
    pairs = [(row.session, row.user) for row in recordings_of(rows)]
    if kind == "leave-users-out":
        return {"": leave_users_out(pairs, **{"val_share": _VAL_SHARE, "seed": 0} | options)}
    if kind == "folds":
        folds = leave_users_out_folds(pairs, **{"val_share": _VAL_SHARE, "seed": 0} | options)
        return {f"-fold{number}": split for number, split in enumerate(folds)}
    if kind == "generic":
        return {"": generic(rows, **options)}
    if kind == "odv":
        return {"": unseen_validation(rows, **options)}
    if kind == "personalised":
        made = personalised(rows, **options)
        marks = file_marks(made)
        return {f"-user-{marks[user]}": split for user, split in made.items()}
    if kind == "listed":
        return {"": read_listed(options["names"])}
    return {"": nested_subset(read_split(options.pop("of")), rows, **options)}


def _only_present(made: dict[str, Split], there: set[str], folder: Path) -> dict[str, Split]:
    """The splits without the sessions that are not in the folder, with a note on stderr."""
    wanted = {name for split in made.values() for name in split.names}
    missing = wanted - there
    if not missing:
        return made
    if missing == wanted:
        raise InputError(
            f"{folder}: has none of the {len(wanted)} sessions of the split; check the folder", "no-sessions"
        )
    say(f"{len(missing)} of {len(wanted)} sessions of the split are not in {folder}: left out", error=True)
    return {mark: _kept(split, there) for mark, split in made.items()}


def _kept(split: Split, there: set[str]) -> Split:
    train, val, test, unlabelled = (tuple(name for name in getattr(split, part) if name in there) for part in ALL_PARTS)
    left_out = len(set(split.names) - there)
    limits = {name: samples for name, samples in split.limits.items() if name in there}
    return Split(train, val, test, split.rule | {"left_out": left_out}, limits, unlabelled)


def _with_unlabelled(split: Split, rows: Sequence[KnownSession]) -> Split:
    made, left_out = add_unlabelled(split, rows)
    if left_out:
        say(f"{len(left_out)} sessions without labels are of test users: left out", error=True)
    return made


def _is_there(path: Path, split: Split) -> bool:
    """Whether the file holds this same split already."""
    if not path.exists():
        return False
    if read_split(path).hash != split.hash:
        raise InputError(f"{path}: holds another split; give another --out, or move that file", "out-exists")
    return True


def _write(path: Path, split: Split) -> None:
    try:
        write_split(path, split)
    except OSError as error:
        raise system_fault(error, path) or InputError(f"{path}: {error.strerror}", "io-error") from None


def _print_parts(split: Split, rows: Sequence[KnownSession]) -> None:
    known = {row.session: row for row in rows}
    for part in ALL_PARTS:
        if part == UNLABELLED and not split.unlabelled:
            continue
        found = [known[name] for name in getattr(split, part) if name in known]
        cut = [replace(row, samples=min(row.samples, split.limits.get(row.session, row.samples))) for row in found]
        hours = recorded_hours((row.session, row) for row in cut)
        users = len({row.user for row in found})
        spliced = len({row.origin for row in found if row.origin})
        more = f", spliced from {spliced} recorded ones" if spliced else ""
        print(f"{part:<5} {len(found)} sessions of {users} users, {hours:.2f} h{more}")
    if split.rule.get("short_users"):
        print(f"{split.rule['short_users']} users have less than {split.rule['hours_per_user']:g} h; all of it is used")
