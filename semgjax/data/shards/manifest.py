"""The manifest of a folder of shards: OUT/manifest.json, one row per session, written when all shards are complete."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from semgjax.config_json import from_json
from semgjax.data.key_counts import KeyCounts, count_keys
from semgjax.data.shards.shard_format import ABSOLUTE_ERROR, RELATIVE_ERROR, STORAGE, ShardHeader
from semgjax.errors import InputError
from semgjax.files import read_json, write_json

FILE = "manifest.json"
SHARDS = "shards"
SCHEMA, VERSION = "semgjax/manifest", 4


@dataclass(frozen=True)
class Row:
    """One session of the manifest.

    Attributes:
        file: its shard, a name in OUT/shards.
        bytes: size of that file.
        keys: number of events of a class; `dropped`: of events of no class.
        classes: names of the labels' classes; None for the key set.
        source: the session's identity: a hash of its files' bytes, its name and its user.
        outside: events of a class before the first or after the last sample; new in version 2, as the following.
        doubled: events that repeat one of the same class at the same time.
        dropped_names: names of the events of no class -> their number.
        rings: electrodes of each ring, () for `default_rings`; new in version 3, as the following.
        origin: the session from whose events this one was spliced, or "".
        origin_samples: samples of that session, or 0.
        labelled: whether it has labels; new in version 4, and written only where it has none.
    """

    name: str
    user: str
    file: str
    bytes: int
    samples: int
    rate: float
    channels: int
    keys: int
    dropped: int
    classes: tuple[str, ...] | None
    tags: tuple[str, ...]
    scale: float
    source: str
    outside: int = 0
    doubled: int = 0
    dropped_names: dict[str, int] = field(default_factory=dict)
    rings: tuple[int, ...] = ()
    origin: str = ""
    origin_samples: int = 0
    labelled: bool = True

    @property
    def key_counts(self) -> KeyCounts:
        """Its keys; a session without labels is not counted."""
        if not self.labelled:
            return KeyCounts()
        inside = self.keys - self.outside
        return KeyCounts(inside, self.outside, self.doubled, self.dropped_names, 1, int(inside == 0))


def row_of(header: ShardHeader, path: Path) -> Row:
    """The row of a finished shard."""
    counts = count_keys(header.key_first, header.key_last, header.samples, header.dropped, header.doubled)
    return Row(
        name=header.name,
        user=header.user,
        file=path.name,
        bytes=path.stat().st_size,
        samples=header.samples,
        rate=float(header.rate),
        channels=header.channels,
        keys=len(header.labels),
        dropped=sum(header.dropped.values()),
        classes=header.classes,
        tags=header.tags,
        scale=float(header.scale),
        source=header.source,
        outside=counts.outside,
        doubled=counts.doubled,
        dropped_names=header.dropped,
        rings=header.rings,
        origin=header.origin,
        origin_samples=header.origin_samples,
        labelled=header.labelled,
    )


def rows_to_json(rows: list[Row]) -> list[dict]:
    """Rows as plain JSON values."""
    return [{name: v for name, v in asdict(row).items() if name != "labelled" or not row.labelled} for row in rows]


def rows_from_json(value: object, where: Path) -> list[Row]:
    """Read rows strictly; a shard's file name must not be a path.

    Raises:
        InputError: a field is wrong, or a file name is a path.
    """
    if not isinstance(value, list):
        raise InputError(f"{where}: 'sessions' is not a list; ingest again", "bad-field")
    rows = [from_json(Row, row, str(where)) for row in value]
    for row in rows:
        if Path(row.file).name != row.file or row.file in ("", ".", ".."):
            raise InputError(
                f"{where}: file {row.file!r} of session {row.name} is not a plain file name; ingest again", "bad-path"
            )
    return rows


def write_manifest(folder: Path, rows: list[Row], skipped: list[dict[str, str]]) -> None:
    """Write the manifest, with the rows sorted by session name; version 3 if all sessions have labels."""
    write_json(
        folder / FILE,
        SCHEMA,
        3 if all(row.labelled for row in rows) else VERSION,
        {
            "storage": {"type": STORAGE, "relative_error": RELATIVE_ERROR, "absolute_error_per_scale": ABSOLUTE_ERROR},
            "sessions": rows_to_json(sorted(rows, key=lambda row: row.name)),
            "skipped": skipped,
        },
    )


def read_manifest(folder: Path) -> list[Row]:
    """The sessions of a folder of shards; the shards themselves are not checked.

    Raises:
        InputError: no manifest, one of another schema or version, or a session named twice.
    """
    document = read_json(folder / FILE, SCHEMA, VERSION, oldest=1)
    rows = rows_from_json(document.get("sessions"), folder / FILE)
    names = [row.name for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{folder / FILE}: session {twice!r} occurs twice; ingest again", "duplicate-session")
    return rows


def checked_path(folder: Path, row: Row) -> Path:
    """The path of a row's shard, whose size is checked.

    Raises:
        InputError: it is missing or truncated.
    """
    path = folder / SHARDS / row.file
    if not path.is_file():
        raise InputError(f"{path}: shard of session {row.name} is missing; copy it here or ingest again", "no-file")
    size = path.stat().st_size
    if size != row.bytes:
        raise InputError(
            f"{path}: shard of session {row.name} has {size} bytes, the manifest says {row.bytes}; "
            "remove it and ingest again",
            "damaged",
        )
    return path
