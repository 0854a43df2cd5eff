"""A teacher's outputs on disk, and their reader.

FOLDER/<teacher>/<key of the spec>/ holds one ArrayRecord file for each session, whose record 0 is a header and record
1 + window * views + view the core's log-probabilities (`semgjax.data.batching.target_views`), and index.json, which is
written last. `semgjax.distilling.cache` computes them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader

from semgjax.data.batching.target_views import TargetSpec, stored_type
from semgjax.data.batching.windows import window_starts
from semgjax.data.sessions import Session
from semgjax.data.shards.shard_read import BUFFER, OPTIONS, OpenShards
from semgjax.errors import InputError, first_line, system_fault
from semgjax.files import content_hash, disk_faults, read_json

SCHEMA, VERSION, INDEX, SUFFIX = "semgjax.targets", 1, "index.json", ".arrayrecord"
TARGETS = "targets"
"""the folder in a folder of sessions that holds all targets"""
_AGAIN = "remove it and compute the targets again"


def session_facts(spec: TargetSpec, session: Session) -> dict[str, Any]:
    """The header of a session's targets: what they must fit."""
    # A shard's name holds a hash of its source; an HDF5 file keeps its name when its signal is replaced.
    source = session.path.name if session.stored is not None else session.signal_hash
    windows = len(window_starts(session.samples, spec.window))
    return {
        "teacher": spec.teacher, "key": spec.key, "session": session.name, "user": session.user, "source": source,
        "samples": session.samples, "windows": windows,
    }  # fmt: skip


def target_file(facts: Mapping[str, Any]) -> str:
    """Name of the file with the targets of a session."""
    return f"{content_hash(dict(facts))[:32]}{SUFFIX}"


@dataclass(frozen=True)
class Targets:
    """The targets of some sessions. Files are opened where they are read, so that this can be sent to a process.

    Attributes:
        files: name of a session -> name of its file.
    """

    folder: Path
    spec: TargetSpec
    files: Mapping[str, str]

    def read(self, session: Session, window: int, view: int) -> np.ndarray:
        """The stored numbers of one view [T_core, K] (`semgjax.data.batching.target_views.dequantise`).

        Raises:
            InputError: the file was removed, or the record is damaged.
        """
        path, spec = self.folder / self.files[session.name], self.spec
        reader = _OPEN.reader(path)
        try:
            record = reader.read([1 + window * spec.views + view])[0]
            return np.frombuffer(record, stored_type(spec.kind)).reshape(spec.frames, spec.classes)
        except (RuntimeError, ValueError, IndexError) as error:
            raise _fault(path, error) from None


def open_targets(folder: Path, spec: TargetSpec, sessions: Iterable[Session]) -> Targets:
    """The targets of these sessions, every file checked against the index: reads all of their bytes once.

    Raises:
        InputError: the index, a session in it or a file is missing ("no-file"), the index or a file belongs to
            another teacher, window, augmentation or type ("conflict"), or a file is not the recorded one ("damaged").
    """
    recorded, found = read_index(folder, spec), {}
    for session in sessions:
        facts = session_facts(spec, session)
        name = target_file(facts)
        if name not in recorded:
            raise InputError(f"{folder}: has no targets of session {session.name}; compute them first", "no-file")
        check_file(folder / name, spec, facts)
        if file_hash(folder / name) != recorded[name]:
            raise InputError(f"{folder / name}: its SHA-256 differs from the recorded one; {_AGAIN}", "damaged")
        found[session.name] = name
    return Targets(folder, spec, found)


def check_file(path: Path, spec: TargetSpec, facts: Mapping[str, Any]) -> None:
    """Check a file's header and its number of records.

    Raises:
        InputError: no such file ("no-file"), it is truncated or damaged ("damaged"), or it belongs to another
            teacher, session or window ("conflict").
    """
    reader = _opened(path)
    try:
        header = json.loads(reader.read([0])[0])
        count = reader.num_records()
    except (RuntimeError, ValueError, IndexError) as error:
        raise _fault(path, error) from None
    if header != dict(facts):
        raise InputError(f"{path}: targets of another teacher, session or window; {_AGAIN}", "conflict")
    expected = 1 + facts["windows"] * spec.views
    if count != expected:
        raise InputError(f"{path}: has {count} records, expected {expected}; {_AGAIN}", "damaged")


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
    """SHA-256 of a file, 64 hex digits.

    Raises:
        InputError: it cannot be read.
    """
    with disk_faults(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> ArrayRecordReader:
    if not path.is_file():
        raise InputError(f"{path}: no such file of targets; compute the targets again", "no-file")
    try:
        return ArrayRecordReader(str(path), options=OPTIONS, file_reader_buffer_size=BUFFER)
    except (RuntimeError, ValueError) as error:
        raise _fault(path, error) from None


def _fault(path: Path, error: Exception) -> InputError:
    return system_fault(error, path) or InputError(f"{path}: is damaged ({first_line(error)}); {_AGAIN}", "damaged")


_OPEN = OpenShards(limit=128, opened=_opened)
