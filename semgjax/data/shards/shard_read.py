"""Read shards: the header, and any stretch of the signal.

Every error of the ArrayRecord library becomes an InputError of one line that names the file and the samples.
"""

import os
import resource
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader

from semgjax.data.shards.shard_format import ShardHeader, unpack
from semgjax.errors import InputError, system_fault

# No look-ahead: windows are read in random order.
OPTIONS = "readahead_buffer_size:0,max_parallelism:0"
BUFFER = 1 << 16
_SLACK = 1 << 17  # the header, and that the last record is shorter
_AGAIN = "remove it and ingest the session again"


class OpenShards:
    """A cache of the last few open files of records: opening one costs as much as reading half a window from it.

    Readers are thread-safe. The cache is emptied in a forked child, which has none of the library's threads.

    Args:
        limit: files open at a time; None: a part of the process's limit.
        opened: opens one; None: as a shard.
    """

    def __init__(self, limit: int | None = None, opened: Callable[[Path], ArrayRecordReader] | None = None):
        self._limit, self._opened = limit, opened
        self._lock = threading.Lock()
        self._readers: OrderedDict[Path, ArrayRecordReader] = OrderedDict()
        os.register_at_fork(
            before=self._lock.acquire, after_in_parent=self._lock.release, after_in_child=self._forget_and_release
        )

    def __len__(self) -> int:
        return len(self._readers)

    def reader(self, path: Path) -> ArrayRecordReader:
        """The open reader of a shard; a reader dropped from the cache closes after its last use."""
        with self._lock:
            if path not in self._readers:
                self._readers[path] = (self._opened or _open)(path)
            self._readers.move_to_end(path)
            while len(self._readers) > (self._limit or _room()):
                self._readers.popitem(last=False)
            return self._readers[path]

    def _forget_and_release(self) -> None:
        self._readers.clear()
        self._lock.release()


_SHARDS = OpenShards()


def _open(path: Path) -> ArrayRecordReader:
    try:
        os.close(os.open(path, os.O_RDONLY))  # raises the system's error, which the library does not pass on
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such shard; copy the whole folder, or ingest the session again", "no-file"
        ) from None
    except OSError as error:
        raise system_fault(error, path) or InputError(f"{path}: {error.strerror}", "unreadable") from None
    try:
        reader = ArrayRecordReader(str(path), options=OPTIONS, file_reader_buffer_size=BUFFER)
        sound = reader.ok() and reader.num_records() > 0
    except (RuntimeError, ValueError) as error:
        raise _fault(path, f"is truncated or not a shard ({_brief(error)})", error) from None
    if not sound:
        raise InputError(f"{path}: is truncated or cannot be opened; {_AGAIN}", "damaged")
    return reader


def read_header(path: Path) -> ShardHeader:
    """The header of a shard, checked against the number of its records.

    Raises:
        InputError: no such file, or one that is truncated, damaged or of another version.
    """
    reader = _open(path)
    try:
        record = reader.read([0])[0]
    except RuntimeError as error:
        raise _fault(path, f"its header is damaged ({_brief(error)})", error) from None
    header = unpack(record, path)
    if reader.num_records() != header.records:
        raise InputError(f"{path}: has {reader.num_records()} records, expected {header.records}; {_AGAIN}", "damaged")
    return header


def read_stored(path: Path, stretch: int, channels: int, start: int, stop: int) -> np.ndarray:
    """Samples [start, stop) as they are stored, float16 [stop - start, channels].

    Raises:
        InputError: the shard was removed, or records of these samples are damaged.
    """
    stored_TxC = np.empty((stop - start, channels), np.float16)
    if start == stop:
        return stored_TxC
    reader = _SHARDS.reader(path)
    # One record at a time: a list of them is read by threads of the library, at twice the processor time.
    for record in range(start // stretch, (stop - 1) // stretch + 1):
        begin = record * stretch
        try:
            values = np.frombuffer(reader.read([1 + record])[0], "<f2").reshape(-1, channels)
        except (RuntimeError, IndexError, ValueError) as error:
            what = f"record {1 + record} (from sample {begin}) is damaged ({_brief(error)})"
            raise _fault(path, what, error) from None
        first, last = max(start, begin), min(stop, begin + stretch)
        if len(values) < last - begin:
            raise InputError(f"{path}: record {1 + record} (from sample {begin}) is too short; {_AGAIN}", "damaged")
        stored_TxC[first - start : last - start] = values[first - begin : last - begin]
    return stored_TxC


def read_ahead(path: Path, samples: int, start: int, stop: int) -> None:
    """Ask the system to prefetch samples [start, stop) of a shard of `samples` samples, without waiting.

    The disk then serves many windows at once instead of one after the other. Records have one size, so their
    approximate places follow from the file's length.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return  # reported when it is read
    try:
        size = os.fstat(handle).st_size
        first = max(0, size * start // samples - _SLACK)
        os.posix_fadvise(handle, first, size * (stop - start) // samples + 2 * _SLACK, os.POSIX_FADV_WILLNEED)
    finally:
        os.close(handle)


def _fault(path: Path, what: str, error: Exception) -> InputError:
    """The system's error if there is one, else "damaged": the library checks every record's hash."""
    return system_fault(error, path) or InputError(f"{path}: {what}; {_AGAIN}", "damaged")


def _room() -> int:
    """How many shards may be open at a time: a part of the process's limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 512 if soft == resource.RLIM_INFINITY else min(512, max(4, (soft - 32) // 2))


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 120 else text[:117] + "..."
