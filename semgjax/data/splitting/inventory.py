"""List sessions with user and length, from metadata.csv or from the files' headers."""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from semgjax.data.readers.timeseries import opened_group, signal_of
from semgjax.data.sessions import SAMPLE_RATE, peek_sessions
from semgjax.data.shards.shard_format import SUFFIX as SHARD
from semgjax.data.shards.shard_read import read_header
from semgjax.data.splitting.splits import check_names
from semgjax.errors import InputError
from semgjax.files import read_text

COLUMNS = ("user", "session", "duration_mins", "quality_check_tags")
"""Columns of metadata.csv that are read; there may be others."""


@dataclass(frozen=True)
class KnownSession:
    """A session before its signal is read.

    Attributes:
        samples: from the file's header, or computed from the minutes in metadata.csv at the nominal rate.
        tags: quality tags; always empty when it comes from the file's header.
        rate: samples a second.
        origin: the session that it was spliced from, or ""; origin_samples: its length.
        labelled: whether it has labels; metadata.csv lists only such sessions.
    """

    session: str
    user: str
    samples: int
    tags: tuple[str, ...] = ()
    rate: float = SAMPLE_RATE
    origin: str = ""
    origin_samples: int = 0
    labelled: bool = True

    @property
    def recording(self) -> str:
        """The session that was recorded: itself, or the one that it was spliced from."""
        return self.origin or self.session


def recordings_of(rows: Iterable[KnownSession]) -> list[KnownSession]:
    """The sessions as they were recorded: one row for all that were spliced from one, in order of first mention."""
    found: dict[str, KnownSession] = {}
    for row in rows:
        if not row.origin:
            found[row.session] = row
        elif row.origin not in found:
            found[row.origin] = KnownSession(
                row.origin, row.user, row.origin_samples, row.tags, row.rate, labelled=row.labelled
            )
    return list(found.values())


def list_folder(folder: Path) -> list[KnownSession]:
    """The session files of a folder, in order of file name; only their headers are read.

    Raises:
        InputError: as `semgjax.data.sessions.peek_sessions`, or a signal that is not as in the format.
    """
    return [_known(name, user, path) for name, (path, user) in sorted(peek_sessions(folder).items())]


def _known(name: str, user: str, path: Path) -> KnownSession:
    if path.suffix == SHARD:
        header = read_header(path)
        return KnownSession(
            name, user, header.samples, (), header.rate, header.origin, header.origin_samples, header.labelled
        )
    with opened_group(path) as (group, attributes):
        samples = int(signal_of(path, group).shape[0])
        return KnownSession(name, user, samples, labelled="keystrokes" in attributes)


def read_metadata(path: Path) -> list[KnownSession]:
    """The rows of a metadata.csv, in its order.

    Raises:
        InputError: no such file, a column missing, an empty name, a length that is not a number, a name twice.
    """
    text = read_text(path, "the data set's table of sessions", "utf-8-sig")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
        names = reader.fieldnames or []
    except csv.Error as error:
        raise InputError(f"{path}: cannot be read as CSV ({error}); download it again", "bad-row") from None
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InputError(f"{path}: no column {missing[0]!r}; is this the data set's metadata.csv?", "no-column")
    if not rows:
        raise InputError(f"{path}: has no rows; download it again", "no-sessions")
    known = [_row(f"{path}, row {number}", row) for number, row in enumerate(rows, start=1)]
    try:
        check_names(row.session for row in known)
    except InputError as error:
        raise InputError(f"{path}: {error}", "bad-row") from None
    return known


def _row(place: str, row: dict[str, str | None]) -> KnownSession:
    session, user, minutes, tags = (row[name] for name in COLUMNS[1::-1] + COLUMNS[2:])
    if not session or not user:
        raise InputError(f"{place}: session is {session!r} of user {user!r}, expected two names", "bad-field")
    try:
        length = float(minutes or "")
    except ValueError:
        length = math.nan
    if not 0 < length < math.inf:
        raise InputError(f"{place}: duration_mins is {minutes!r}, expected minutes", "bad-field")
    return KnownSession(session, user, round(length * 60 * SAMPLE_RATE), _tags(place, tags))


def _tags(place: str, text: str | None) -> tuple[str, ...]:
    """The texts of a list such as "['too short', 'noisy']"; () for an empty cell."""
    inner = (text or "[]").strip()
    if not (inner.startswith("[") and inner.endswith("]")):
        raise InputError(f"{place}: quality_check_tags is {text!r}, expected a list such as []", "bad-field")
    return tuple(tag for part in inner[1:-1].split(",") if (tag := part.strip().strip("'\"")))
