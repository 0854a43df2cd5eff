"""Compute a teacher's targets of sessions and write them to disk, for `semgjax.data.batching.targets`."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from array_record.python.array_record_module import ArrayRecordWriter

from semgjax.data.batching.targets import (
    INDEX,
    SCHEMA,
    SUFFIX,
    VERSION,
    TargetSpec,
    file_hash,
    fill_view,
    open_targets,
    quantise,
    read_index,
    session_facts,
    target_file,
)
from semgjax.data.sessions import Session
from semgjax.errors import InputError
from semgjax.evaluate.stitched import Forward, make_forward
from semgjax.files import disk_faults, folder_lock, write_json
from semgjax.model.encoder import Params
from semgjax.model.kind import Network


def write_targets(
    root: Path, spec: TargetSpec, sessions: Sequence[Session], network: Network, params: Params, batch: int
) -> Path:
    """Write the targets that are missing below `root` and return their folder (`TargetSpec.folder`).

    Each session's file is written whole or not at all, so that a stopped call resumes after the last finished one;
    a call with further sessions adds theirs. Memory: `batch` windows and the teacher.

    Args:
        network, params: the teacher, without dropout; the caller says by spec.teacher which one it is.
        batch: windows in one forward pass.

    Raises:
        InputError: the disk is full or in use, a session cannot be read, or an earlier file is damaged.
    """
    folder = spec.folder(root)
    forward = make_forward(network, spec.window)
    with folder_lock(folder):
        for draft in folder.glob(f".*{SUFFIX}.*"):  # of a call that was killed
            draft.unlink()
        files = read_index(folder, spec) if (folder / INDEX).exists() else {}
        for session in sessions:
            facts = session_facts(spec, session)
            path = folder / target_file(facts)
            if not path.exists():
                records = _records(spec, session, int(facts["windows"]), forward, params, batch)
                _write(path, json.dumps(facts, sort_keys=True).encode(), records)
                files.pop(path.name, None)
            open_targets(path, spec, facts)
            if path.name not in files:
                files[path.name] = file_hash(path)
        write_json(folder / INDEX, SCHEMA, VERSION, {"spec": asdict(spec), "files": dict(sorted(files.items()))})
    return folder


def _records(
    spec: TargetSpec, session: Session, windows: int, forward: Forward, params: Params, batch: int
) -> Iterator[bytes]:
    """The records of a session, in their order."""
    places = [(window, view) for window in range(windows) for view in range(spec.views)]
    emg_BxTxC = np.zeros((batch, spec.window.total, session.channels), np.float32)
    valid_Bx2 = np.zeros((batch, 2), np.int32)
    for begin in range(0, len(places), batch):
        part = places[begin : begin + batch]
        valid_Bx2[:] = 0
        for row, (window, view) in enumerate(part):
            first, last, _ = fill_view(emg_BxTxC[row], spec, session, window, view)
            valid_Bx2[row] = first, last
        logits = forward(params, jnp.asarray(emg_BxTxC).astype(spec.compute), valid_Bx2)
        log_probs = np.asarray(jax.nn.log_softmax(logits.astype(jnp.float32), axis=-1))[: len(part)]
        if log_probs.shape[1:] != (spec.frames, spec.classes):
            shape = log_probs.shape[1:]
            raise InputError(f"teacher {spec.teacher[:16]}: emits {shape}, the student {spec.frames, spec.classes}",
                             "conflict")  # fmt: skip
        if not np.isfinite(log_probs).all():
            raise InputError(f"session {session.name}: the teacher's outputs are not finite; use another", "not-finite")
        yield from (quantise(one, spec.kind).tobytes() for one in log_probs)


def _write(path: Path, header: bytes, records: Iterator[bytes]) -> None:
    """Write a file of records, by renaming a draft beside it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with disk_faults(path):
            draft.touch()  # raises an OSError with errno, which the library does not
            writer = ArrayRecordWriter(str(draft), "group_size:1,uncompressed,max_parallelism:1")
            writer.write(header)
            for record in records:
                writer.write(record)
            if not writer.ok():
                raise InputError(
                    f"{path}: cannot be written; free some space and run the same command again", "io-error"
                )
            writer.close()
            with open(draft, "rb") as file:
                os.fsync(file.fileno())
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
