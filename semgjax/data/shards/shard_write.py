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
    """The place of the shards cannot be written: no fault of the session, so that going on is no use."""


def shard_path(folder: Path, source: str) -> Path:
    """Where the session with this source hash lies."""
    return folder / f"{source[:32]}{SUFFIX}"


def write_shard(recording: Recording, source: str, folder: Path, work: Path) -> ShardHeader:
    """Write a session to `shard_path`, by way of a file in `work` on the same disk.

    The bytes depend on the recording and its source hash alone. Memory: a few of the source's blocks.

    Raises:
        InputError: the source gives another signal than it said, or values that are not finite.
        WriteFailed: the disk is full or refuses.
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
        raise WriteFailed(f"{path}: cannot be written ({error.strerror}); {_MEND}", fault_code(error)) from None
    finally:
        draft.unlink(missing_ok=True)
    return header


_MEND = "mend that and run the same command again; finished sessions are kept"


def _write(draft: Path, header: ShardHeader, recording: Recording) -> float:
    """Write the file for a given scale; the largest absolute value of the signal."""
    draft.touch()  # says by its errno why a file cannot be made there, which the library does not
    peak = 0.0
    try:
        writer = ArrayRecordWriter(str(draft), _OPTIONS)
        writer.write(pack(header))
        for emg_TxC in _stretches(recording, header.stretch):
            peak = max(peak, float(np.abs(emg_TxC).max()))
            with np.errstate(over="ignore"):  # then the peak says so, and the session is written again
                writer.write(encode(emg_TxC, header.scale).tobytes())
        if not writer.ok():
            raise RuntimeError("the writer stopped")
        writer.close()
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise WriteFailed(
            f"{draft.parent}: a shard cannot be written ({reason[:120]}); {_MEND}", fault_code(error)
        ) from None
    return peak


def _stretches(recording: Recording, stretch: int) -> Iterator[np.ndarray]:
    """The signal in stretches of a record's length, checked against what the recording says of it."""
    waiting = np.zeros((0, recording.channels), np.float32)
    seen = 0
    for block in recording.blocks():
        if block.ndim != 2 or block.shape[1] != recording.channels or not np.isfinite(block).all():
            raise InputError(
                f"session {recording.name}: samples from {seen} on are not finite values of "
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
            f"session {recording.name}: gave {seen} samples, not {recording.samples} as it said; repair it", "bad-value"
        )
