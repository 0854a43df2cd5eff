"""The ledger of forecasts: JSON Lines that only grow, each line with the hash of the line before it."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from semgjax.errors import InputError
from semgjax.files import content_hash, disk_faults, parse_json, read_text, write_atomic

SCHEMA, VERSION = "semgjax/forecasts", 1
START = "0" * 64
"""what the first line has as the hash of the line before it"""
_MEMBERS = {"schema", "version", "number", "kind", "time", "previous", "body", "sha256"}

Kind = Literal["forecast", "result"]


@dataclass(frozen=True)
class Entry:
    """One line.

    Attributes:
        number: its place, from 0 on.
        time: when it was written, UTC.
        sha256: hash of everything else in the line, the hash of the line before it included.
    """

    number: int
    kind: Kind
    time: datetime
    body: dict[str, Any]
    sha256: str


def read_ledger(path: Path) -> tuple[Entry, ...]:
    """Every line, once its hash and its place in the chain are checked.

    A chain shows what was changed, inserted, reordered or taken out of the middle. What was cut off its end it cannot
    show: keep the newest hash elsewhere (`check_head`).

    Raises:
        InputError: no such file, or a line that is no entry ("bad-row") or not what was written ("changed").
    """
    entries: list[Entry] = []
    text = read_text(path, "a ledger of forecasts")
    if text and not text.endswith("\n"):
        raise InputError(f"{path}: its last line is cut off; take the file from a copy", "changed")
    for place, line in enumerate(text.splitlines()):
        entries.append(_entry(line, f"{path}: line {place + 1}", entries))
    return tuple(entries)


def check_head(entries: tuple[Entry, ...], head: str, path: Path) -> None:
    """
    Raises:
        InputError: no line has this hash: the ledger was cut off or written anew since ("changed").
    """
    if not any(entry.sha256 == head for entry in entries):
        raise InputError(f"{path}: no line has the hash {head}; lines were taken away or written anew", "changed")


@contextlib.contextmanager
def open_ledger(path: Path) -> Iterator[tuple[Entry, ...]]:
    """The entries of a ledger, none of one that does not exist yet; nobody else appends within the block.

    Raises:
        InputError: as `read_ledger`; another process is appending ("in-use"), or the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with disk_faults(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(path.with_name(f".{path.name}.lock"), "a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{path}: another process is writing it; try again", "in-use") from None
        yield read_ledger(path) if path.exists() else ()


def append(path: Path, entries: tuple[Entry, ...], kind: Kind, body: dict[str, Any], time: datetime) -> Entry:
    """Write one more line, within `open_ledger`; the file is replaced whole, so a killed process leaves the old one.

    Raises:
        InputError: the clock stands before the newest line ("conflict"), or the disk is full.
    """
    time = time.astimezone(UTC).replace(microsecond=0)
    if entries and time < entries[-1].time:
        newest = entries[-1].time.isoformat()
        raise InputError(f"{path}: the clock says {time.isoformat()}, before the newest line ({newest})", "conflict")
    line = {
        "schema": SCHEMA,
        "version": VERSION,
        "number": len(entries),
        "kind": kind,
        "time": time.isoformat(),
        "previous": entries[-1].sha256 if entries else START,
        "body": body,
    }
    entry = Entry(len(entries), kind, time, body, content_hash(line))
    before = read_text(path) if entries else ""
    with disk_faults(path):
        write_atomic(path, f"{before}{json.dumps({**line, 'sha256': entry.sha256}, allow_nan=False)}\n")
    return entry


def _entry(line: str, where: str, before: list[Entry]) -> Entry:
    document = parse_json(line, where)
    if not isinstance(document, dict) or set(document) != _MEMBERS or document["schema"] != SCHEMA:
        raise InputError(f"{where}: is no line of a ledger ({SCHEMA}); is this the right file?", "bad-row")
    if document["version"] != VERSION:
        raise InputError(
            f"{where}: is of version {document['version']!r}, this semgjax reads {VERSION}", "wrong-version"
        )
    found = content_hash({name: value for name, value in document.items() if name != "sha256"})
    if found != document["sha256"]:
        raise InputError(f"{where}: was changed after it was written (its SHA-256 differs)", "changed")
    if document["previous"] != (before[-1].sha256 if before else START) or document["number"] != len(before):
        raise InputError(f"{where}: does not follow the line before it; lines were taken out or moved", "changed")
    time = datetime.fromisoformat(document["time"])
    return Entry(document["number"], document["kind"], time, document["body"], document["sha256"])
