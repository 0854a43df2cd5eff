"""Write one session as a shard: FOLDER/<hash of its source>.arrayrecord, whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from array_record.python.array_record_module import ArrayRecordWriter

from semgjax.data.readers.recording import Recording
from semgjax.data.shards.shard_format import SUFFIX, ShardHeader, encode, header_of, pack, scale_for
from semgjax.errors import InputError, fault_code

_OPTIONS = "group_size:1,uncompressed,max_parallelism:1"


class WriteFailed(InputError):
    """The folder of the shards cannot be written. No other session could be written either, so ingest stops."""


def shard_path(folder: Path, source: str) -> Path:
    """The path of the shard with this source hash."""
    return folder / f"{source[:32]}{SUFFIX}"


def write_shard(recording: Recording, source: str, folder: Path, work: Path) -> ShardHeader:
    """Write a session to `shard_path`, by renaming a file in `work` on the same disk.

    The bytes depend only on the recording and its source hash. Memory: a few of the source's blocks.

    Raises:
        InputError: the source's signal does not match its header, or has values that are not finite.
        WriteFailed: the disk is full or not writable.
    """
    path = shard_path(folder, source)
    draft = work / f"{path.name}.{os.getpid()}"
    try:
        header = header_of(recording, source, 1.0)
        peak = _write(draft, header, recording)
        if scale_for(peak) != 1:
            header = header_of(recording, source, scale_for(peak))
            _write(draft, header, recording)
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise WriteFailed(f"{path}: cannot be written ({error.strerror}); {_RETRY}", fault_code(error)) from None
    finally:
        draft.unlink(missing_ok=True)
    return header


_RETRY = "fix that and run the same command again; finished sessions are kept"


def _write(draft: Path, header: ShardHeader, recording: Recording) -> float:
    """Write the file for a given scale; returns the largest absolute value of the signal."""
    draft.touch()  # raises an OSError with errno, which the library does not
    peak = 0.0
    try:
        writer = ArrayRecordWriter(str(draft), _OPTIONS)
        writer.write(pack(header))
        for emg_TxC in _stretches(recording, header.stretch):
            peak = max(peak, float(np.abs(emg_TxC).max()))
            with np.errstate(over="ignore"):  # on overflow the session is written again with a scale
                writer.write(encode(emg_TxC, header.scale).tobytes())
        if not writer.ok():
            raise RuntimeError("the writer stopped")
        writer.close()
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise WriteFailed(
            f"{draft.parent}: a shard cannot be written ({reason[:120]}); {_RETRY}", fault_code(error)
        ) from None
    return peak


def _stretches(recording: Recording, stretch: int) -> Iterator[np.ndarray]:
    """The signal in stretches of a record's length, checked against the recording's header."""
    waiting = np.zeros((0, recording.channels), np.float32)
    seen = 0
    for block in recording.blocks():
        if block.ndim != 2 or block.shape[1] != recording.channels or not np.isfinite(block).all():
            raise InputError(
                f"session {recording.name}: samples after {seen} are not finite values of "
                f"{recording.channels} channels; leave the session out",
                "not-finite",
            )
        seen += len(block)
        waiting = np.concatenate([waiting, block]) if len(waiting) else block
        whole = len(waiting) // stretch * stretch
        yield from (waiting[at : at + stretch] for at in range(0, whole, stretch))
        waiting = waiting[whole:]
    if len(waiting):
        yield waiting
    if seen != recording.samples:
        raise InputError(
            f"session {recording.name}: {seen} samples, its header says {recording.samples}; correct it",
            "bad-value",
        )
