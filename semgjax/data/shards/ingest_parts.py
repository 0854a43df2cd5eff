"""Parts of an ingest, merged into the manifest: writes OUT/.parts/I-of-N.json, then OUT/manifest.json.

Every process of a cluster array writes its part when it is done. The process that finds all parts complete writes the
manifest, which does not depend on the process or on the number of parts.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semgjax.data.sessions import is_sharded
from semgjax.data.shards.manifest import (
    SHARDS,
    Row,
    read_manifest,
    rows_from_json,
    rows_to_json,
    write_manifest,
)
from semgjax.errors import InputError
from semgjax.files import is_locked, read_json, write_json

SCHEMA, VERSION = "semgjax/ingest-part", 2
PARTS, WORK = ".parts", ".work"
OnError = Literal["stop", "skip"]


@dataclass(frozen=True)
class Part:
    """One of N shares of an ingest.

    Attributes:
        index: 1 to `of`.
        wanted: the selection: {"users": [...], "sessions": [...]}; [] is everything.
    """

    index: int
    of: int
    wanted: dict[str, list[str]]

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{self.index}-of-{self.of}"


@dataclass(frozen=True)
class Found:
    """The result of a part: (name in the source, row) of each session, and {source, reason} of those left out."""

    rows: list[tuple[str, Row]]
    skipped: list[dict[str, str]]


def write_part(out: Path, part: Part, found: Found) -> None:
    """Record that a part is done."""
    body = {
        "wanted": part.wanted,
        "ids": [source for source, _ in found.rows],
        "sessions": rows_to_json([row for _, row in found.rows]),
        "skipped": found.skipped,
    }
    write_json(out / PARTS / f"{part.name}.json", SCHEMA, VERSION, body)


def missing_parts(out: Path, part: Part) -> list[int]:
    """The other parts of the same request that are not done yet, by index."""
    return [index for index in range(1, part.of + 1) if _read_part(out, Part(index, part.of, part.wanted)) is None]


def _read_part(out: Path, part: Part) -> Found | None:
    path = out / PARTS / f"{part.name}.json"
    if not path.exists():
        return None
    document: dict[str, Any] = read_json(path, SCHEMA, VERSION)
    if document.get("wanted") != part.wanted:
        return None
    rows = rows_from_json(document["sessions"], path)
    return Found(list(zip(document["ids"], rows, strict=True)), document["skipped"])


def merge(out: Path, part: Part, on_error: OnError) -> Found:
    """Write the manifest of all parts and of the folder's earlier manifest; returns the sessions of the parts.

    Raises:
        InputError: a selected name that no session has, or two sessions of one name.
    """
    parts = [_read_part(out, Part(index, part.of, part.wanted)) for index in range(1, part.of + 1)]
    rows = sorted((pair for one in parts if one for pair in one.rows), key=lambda pair: pair[0])
    # Several parts of an archive can report the same file.
    met = {(skip["source"], skip["reason"]) for one in parts if one for skip in one.skipped}
    skipped = [{"source": source, "reason": reason} for source, reason in sorted(met)]
    for kind, names in part.wanted.items():
        have = {row.user if kind == "users" else row.name for _, row in rows}
        absent = [name for name in names if name not in have]
        if absent and not skipped:
            raise InputError(f"--{kind} {absent[0]}: no such name in the source; see metadata.csv", "no-sessions")
    kept: dict[str, Row] = {}
    chosen: list[tuple[str, Row]] = []
    if is_sharded(out):
        kept = {row.name: row for row in read_manifest(out) if (out / SHARDS / row.file).exists()}
    before, came_from = dict(kept), dict[str, str]()
    for source, row in rows:
        other = kept.get(row.name)
        if other is not None and other.source != row.source:
            old = before.get(row.name) == other
            where = f"in {out} already, from other files" if old else f"that of {came_from[row.name]} too"
            reason = f"session_name {row.name!r} is {where}; keep one of them"
            if old:
                reason += f" (remove {SHARDS}/{other.file} to replace it)"
            if on_error == "stop":
                raise InputError(f"{source}: {reason}", "duplicate-session")
            skipped.append({"source": source, "reason": reason})
            continue
        kept[row.name], came_from[row.name] = row, source
        chosen.append((source, row))
    write_manifest(out, list(kept.values()), skipped)
    _tidy(out, part)
    return Found(chosen, skipped)


def _tidy(out: Path, part: Part) -> None:
    """Remove parts of other selections, and work folders that no process uses."""
    ours = {f"{index}-of-{part.of}.json" for index in range(1, part.of + 1)}
    for path in (out / PARTS).glob("*.json"):
        if path.name not in ours:
            path.unlink(missing_ok=True)
    for folder in (out / WORK).glob("*"):
        if folder.name != part.name and not is_locked(folder):
            shutil.rmtree(folder, ignore_errors=True)
