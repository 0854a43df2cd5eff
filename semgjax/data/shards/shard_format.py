"""The shard format: one session as float16 stretches of fixed length, after a header record.

A shard is an ArrayRecord file of uncompressed groups of one record, so that single records can be read and the
library checks the hash of each record it reads. Record 0 is a line of JSON and the places of the keys;
record 1 + k holds samples [k * stretch, (k + 1) * stretch) as little-endian float16 [n, channels], divided by
`scale`. A stored sample differs from its source by at most
max(RELATIVE_ERROR * |source|, ABSOLUTE_ERROR * scale): half a unit in the last place of float16.
A shard with labels is written as version 2, one without as version 3, whose header says so (`labelled`).
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.data.band import default_rings
from semgjax.data.readers.recording import Recording
from semgjax.errors import InputError
from semgjax.files import canonical_json

SCHEMA, VERSION = "semgjax/shard", 3
OLDEST = 1
SUFFIX = ".arrayrecord"
STORAGE = "float16"
RELATIVE_ERROR = 2.0**-11
ABSOLUTE_ERROR = 2.0**-25
LARGEST = 65504.0
"""Largest float16."""

_KEYS = (("labels", "<i4"), ("key_first", "<i8"), ("key_last", "<i8"), ("key_end", "<i8"))
_FACTS = {
    "name": str,
    "user": str,
    "rate": float,
    "channels": int,
    "samples": int,
    "stretch": int,
    "scale": float,
    "keys": int,
    "source": str,
    "dropped": dict,
    "tags": list,
    "doubled": int,
    "rings": list,
    "joints": list,
    "origin": str,
    "origin_samples": int,
}
_LISTS = ("tags", "rings", "joints")


@dataclass(frozen=True, eq=False)
class ShardHeader:
    """Record 0 of a shard; members that `Recording` has too have the same meaning.

    Attributes:
        stretch: samples of a record.
        scale: a power of two, 1 if the signal fits float16.
        source: SHA-256 of what the session was read from.
        key_end: as of `Recording`, -1 where it is not known.
    """

    name: str
    user: str
    rate: float
    channels: int
    samples: int
    stretch: int
    scale: float
    source: str
    labels: np.ndarray
    key_first: np.ndarray
    key_last: np.ndarray
    classes: tuple[str, ...] | None
    dropped: dict[str, int]
    tags: tuple[str, ...]
    doubled: int
    rings: tuple[int, ...]
    key_end: np.ndarray
    joints: tuple[int, ...]
    origin: str
    origin_samples: int
    labelled: bool = True

    @property
    def records(self) -> int:
        """Records of the whole file."""
        return 1 + -(-self.samples // self.stretch)


def header_of(recording: Recording, source: str, scale: float) -> ShardHeader:
    """The header of a recording's shard; records last about half a second."""
    members = ("name", "user", "rate", "channels", "samples", "labels", "key_first", "key_last")
    more = ("classes", "dropped", "tags", "doubled", "rings", "joints", "origin", "origin_samples", "labelled")
    ends = recording.key_end
    return ShardHeader(
        **{member: getattr(recording, member) for member in (*members, *more)},
        stretch=max(1, round(recording.rate / 2)),
        scale=scale,
        source=source,
        key_end=np.full(len(recording.labels), -1, np.int64) if ends is None else ends,
    )


def scale_for(peak: float) -> float:
    """The power of two to divide a signal by whose largest absolute value is `peak`.

    1 if that loses nothing: no overflow, and a peak far above float16's smallest normal number.
    """
    if peak == 0 or 1 <= peak <= LARGEST:
        return 1.0
    return 2.0 ** (math.frexp(peak)[1] - 15)  # moves the peak to [2^14, 2^15)


def encode(emg_TxC: np.ndarray, scale: float) -> np.ndarray:
    """float32 [n, channels] -> float16 as it is stored."""
    return (emg_TxC if scale == 1 else emg_TxC.astype(np.float64) / scale).astype("<f2")


def decode(stored_TxC: np.ndarray, scale: float) -> np.ndarray:
    """float16 as it is stored -> float32 in the source's unit."""
    emg_TxC = stored_TxC.astype(np.float32)
    return emg_TxC if scale == 1 else emg_TxC * np.float32(scale)


def pack(header: ShardHeader) -> bytes:
    """Record 0."""
    facts = {
        "schema": SCHEMA,
        # A shard with labels keeps the bytes of version 2.
        **({"version": 2} if header.labelled else {"version": VERSION, "labelled": False}),
        "storage": STORAGE,
        "classes": None if header.classes is None else list(header.classes),
        "keys": len(header.labels),
        **{name: getattr(header, name) for name in _FACTS if name not in ("keys", *_LISTS, "rate", "scale")},
        **{name: list(getattr(header, name)) for name in _LISTS},
        "rate": float(header.rate),
        "scale": float(header.scale),
    }
    arrays = [np.asarray(getattr(header, name)).astype(kind).tobytes() for name, kind in _KEYS]
    return b"".join([canonical_json(facts).encode(), b"\n", *arrays])


def unpack(record: bytes, path: Path) -> ShardHeader:
    """Read record 0.

    Raises:
        InputError: it is not a header, or one of another version.
    """
    line, _, rest = record.partition(b"\n")
    try:
        facts = json.loads(line)
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise InputError(f"{path}: is not a {SCHEMA} file; ingest the session again", "wrong-schema")
    version = facts.get("version")
    if version not in range(OLDEST, VERSION + 1) or facts.get("storage") != STORAGE:
        raise InputError(
            f"{path}: {SCHEMA} version {facts.get('version')!r} with storage {facts.get('storage')!r}, this semgjax "
            f"reads version {VERSION} with {STORAGE}; ingest again",
            "wrong-version",
        )
    if version == 1:
        facts, rest = _from_version_1(facts, rest)
    labelled = facts.get("labelled") if version == VERSION else True
    sizes = [np.dtype(kind).itemsize for _, kind in _KEYS]
    if (
        not _sound(facts)
        or type(labelled) is not bool
        or (facts["keys"] and not labelled)
        or len(rest) != facts["keys"] * sum(sizes)
    ):
        raise InputError(f"{path}: its header is damaged; ingest the session again", "damaged")
    arrays: dict[str, Any] = {}
    at = 0
    for (name, kind), size in zip(_KEYS, sizes, strict=True):
        length = facts["keys"] * size
        arrays[name] = np.frombuffer(rest[at : at + length], kind).astype(np.dtype(kind).newbyteorder("="))
        at += length
    listed: dict[str, Any] = {name: tuple(facts[name]) for name in _LISTS}
    classes = facts["classes"]
    return ShardHeader(
        **{name: facts[name] for name in _FACTS if name not in ("keys", *_LISTS)},
        **arrays,
        **listed,
        classes=None if classes is None else tuple(classes),
        labelled=labelled,
    )


def _from_version_1(facts: dict[str, Any], rest: bytes) -> tuple[dict[str, Any], bytes]:
    """What version 2 holds more: `doubled` (in most of version 1 too), rings, ends of events, joints and origin."""
    channels, keys = facts.get("channels"), facts.get("keys")
    rings = list(default_rings(channels)) if type(channels) is int else None
    more = {"doubled": 0, "rings": rings, "joints": [], "origin": "", "origin_samples": 0}
    unknown = np.full(keys if type(keys) is int and 0 <= keys <= len(rest) else 0, -1, "<i8").tobytes()
    return {**more, **facts}, rest + unknown


def _sound(facts: dict[str, Any]) -> bool:
    if not all(type(facts.get(name)) is kind for name, kind in _FACTS.items()):
        return False
    classes = facts.get("classes", 0)
    listed = classes is None or (isinstance(classes, list) and all(isinstance(name, str) for name in classes))
    positive = all(facts[name] > 0 for name in ("rate", "channels", "samples", "stretch", "scale"))
    whole = all(type(value) is int and value > 0 for name in ("rings", "joints") for value in facts[name])
    ringed = whole and sum(facts["rings"]) == facts["channels"] and facts["origin_samples"] >= 0
    return listed and positive and ringed and facts["keys"] >= 0
