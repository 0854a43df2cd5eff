"""A teacher's outputs on disk: which views of a window they belong to, how they are stored, and their reader.

A view of a window is one fixed augmentation of it. FOLDER/<key of the spec>/ holds one ArrayRecord file for each
session, whose record 0 is a header and record 1 + window * views + view the core's log-probabilities, and index.json,
which is written last. `semgjax.distilling.cache` computes them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader

from semgjax.data.batching.augment import AugmentConfig, Draw, draw
from semgjax.data.batching.change import augment
from semgjax.data.batching.windows import WindowSpec, fill_window, window_starts
from semgjax.data.sessions import Session
from semgjax.errors import InputError, first_line, system_fault
from semgjax.files import content_hash, read_json

Kind = Literal["float16", "int8"]
SCHEMA, VERSION, INDEX, SUFFIX = "semgjax.targets", 1, "index.json", ".arrayrecord"
_FLOOR = 16.0
"""int8 keeps log-probabilities down to -16 (probability 1e-7)"""
_LEAST_HALF = -6.0e4
_OPTIONS = "readahead_buffer_size:0,max_parallelism:0"
_AGAIN = "remove it and compute the targets again"


@dataclass(frozen=True)
class TargetSpec:
    """What a cache holds: equal specs, equal targets.

    Attributes:
        teacher: identity (config hash) of the teacher's run.
        window, augment: of the student's run; the windows stay on the grid.
        views: differently augmented copies of each window.
        kind: type of the stored numbers.
        compute: number type of the teacher's forward pass.
        frames, classes: shape of one record, [T_core, K].
        seed: of the views' random numbers.

    Raises:
        InputError: augmentation moves windows off the grid ("conflict"), or a number is out of range ("bad-value").
    """

    teacher: str
    window: WindowSpec
    augment: AugmentConfig
    views: int
    kind: Kind
    compute: str
    frames: int
    classes: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.augment.jitter:
            raise InputError("augment.jitter True moves windows, which a cache cannot follow; set it False", "conflict")
        if self.kind not in ("float16", "int8"):
            raise InputError(f"cache {self.kind!r} must be float16 or int8", "bad-value")
        for name, least in (("views", 1), ("frames", 1), ("classes", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"cache: {name} {getattr(self, name)} must be {least} or more", "bad-value")

    @property
    def key(self) -> str:
        """64 hex digits: equal for equal specs."""
        return content_hash(asdict(self))

    def folder(self, root: Path) -> Path:
        """The folder of these targets below `root`."""
        return root / self.teacher[:16] / self.key[:16]


def view_change(spec: TargetSpec, session: Session, window: int, view: int) -> Draw:
    """The changes of one view: a function of (the spec's seed, session, window, view) alone."""
    name = int(hashlib.sha256(session.name.encode()).hexdigest()[:16], 16)
    return draw(spec.augment, 0, np.random.default_rng((spec.seed, name, window, view)), session.band)


def pick_view(spec: TargetSpec, seed: int, place: int) -> int:
    """The view that a run of this seed reads for the row at a place among all rows of all steps."""
    return int(np.random.default_rng((seed, place)).integers(spec.views))


def fill_view(out_TxC: np.ndarray, spec: TargetSpec, session: Session, window: int, view: int) -> tuple[int, int, Draw]:
    """Read a view's signal into `out_TxC` [total, channels]: its first valid sample, the last + 1, and its changes.

    Raises:
        InputError: the session's file was removed or changed.
    """
    change = view_change(spec, session, window, view)
    start = window * spec.window.stride
    first, last = fill_window(out_TxC, session, start, spec.window, change.lags, change.rolls)
    if not spec.augment.moves_only and last > first:
        out_TxC[first:last] = augment(out_TxC[first:last], change, session.band)
    return first, last, change


def quantise(log_probs_TxK: np.ndarray, kind: Kind) -> np.ndarray:
    """Log-probabilities as they are stored: float16, or the root of -log p in 256 steps, fine where p is large."""
    if kind == "float16":
        return np.maximum(log_probs_TxK, _LEAST_HALF).astype("<f2")
    depth = np.clip(-log_probs_TxK, 0.0, _FLOOR) / _FLOOR
    return np.round(255.0 * np.sqrt(depth)).astype(np.uint8)


def dequantise(stored: Any, kind: Kind) -> Any:
    """Stored numbers (of numpy or JAX, any shape) as float32 log-probabilities; they sum to 1 up to rounding."""
    values = stored.astype(np.float32)
    return values if kind == "float16" else -_FLOOR * (values / 255.0) ** 2


def session_facts(spec: TargetSpec, session: Session) -> dict[str, Any]:
    """The header of a session's targets: what they must fit."""
    source = session.path.name if session.stored is not None else ""
    windows = len(window_starts(session.samples, spec.window))
    return {
        "teacher": spec.teacher, "key": spec.key, "session": session.name, "user": session.user, "source": source,
        "samples": session.samples, "windows": windows,
    }  # fmt: skip


def target_file(facts: Mapping[str, Any]) -> str:
    """Name of the file with the targets of a session."""
    return f"{content_hash(dict(facts))[:32]}{SUFFIX}"


def open_targets(path: Path, spec: TargetSpec, facts: Mapping[str, Any]) -> ArrayRecordReader:
    """The reader of a session's targets, its header and its number of records checked.

    Raises:
        InputError: no such file ("no-file"), it is truncated or damaged ("damaged"), or it belongs to another
            teacher, session or window ("conflict").
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file of targets; compute the targets again", "no-file")
    try:
        reader = ArrayRecordReader(str(path), options=_OPTIONS, file_reader_buffer_size=1 << 16)
        header = json.loads(reader.read([0])[0])
        count = reader.num_records()
    except (RuntimeError, ValueError, IndexError) as error:
        raise _fault(path, error) from None
    if header != dict(facts):
        raise InputError(f"{path}: targets of another teacher, session or window; {_AGAIN}", "conflict")
    if count != 1 + facts["windows"] * spec.views:
        raise InputError(
            f"{path}: has {count} records, expected {1 + facts['windows'] * spec.views}; {_AGAIN}", "damaged"
        )
    return reader


class Targets:
    """The targets of some sessions, each file checked against the index when it is opened.

    Raises:
        InputError: the index is missing ("no-file"), belongs to another teacher, window, augmentation or type
            ("conflict"), lacks a session ("no-file"), or a file differs from its record ("damaged").
    """

    def __init__(self, folder: Path, spec: TargetSpec, sessions: Sequence[Session]) -> None:
        self._folder, self._spec = folder, spec
        files = read_index(folder, spec)
        self._readers = []
        for session in sessions:
            facts = session_facts(spec, session)
            name = target_file(facts)
            if name not in files:
                raise InputError(f"{folder}: has no targets of session {session.name}; compute them first", "no-file")
            reader = open_targets(folder / name, spec, facts)
            if file_hash(folder / name) != files[name]:
                raise InputError(f"{folder / name}: its SHA-256 differs from the recorded one; {_AGAIN}", "damaged")
            self._readers.append((folder / name, reader))

    def read(self, which: int, window: int, view: int) -> np.ndarray:
        """The stored numbers of one view [T_core, K] (see `dequantise`); `which` counts the sessions given.

        Raises:
            InputError: the record is damaged.
        """
        path, reader = self._readers[which]
        spec = self._spec
        kind = "<f2" if spec.kind == "float16" else np.uint8
        try:
            record = reader.read([1 + window * spec.views + view])[0]
            return np.frombuffer(record, kind).reshape(spec.frames, spec.classes)
        except (RuntimeError, ValueError, IndexError) as error:
            raise _fault(path, error) from None


def read_index(folder: Path, spec: TargetSpec) -> dict[str, str]:
    """SHA-256 of each file of a finished cache, by name.

    Raises:
        InputError: no index, one of another version, or of another spec ("conflict").
    """
    index = read_json(folder / INDEX, SCHEMA, VERSION)
    if index.get("spec") != asdict(spec):
        raise InputError(f"{folder}: targets of another teacher, window, augmentation or type; {_AGAIN}", "conflict")
    files = index.get("files")
    if not isinstance(files, dict):
        raise InputError(
            f"{folder / INDEX}: files is {type(files).__name__}, expected an object; {_AGAIN}", "bad-field"
        )
    return files


def file_hash(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fault(path: Path, error: Exception) -> InputError:
    return system_fault(error, path) or InputError(f"{path}: is damaged ({first_line(error)}); {_AGAIN}", "damaged")
