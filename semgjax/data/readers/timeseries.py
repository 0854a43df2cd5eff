"""Read and check the HDF5 group and the signal of a session file.

Every error of the HDF5 library becomes an InputError of one line that names the file.
"""

import contextlib
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from semgjax.data.band import LARGEST
from semgjax.errors import InputError, system_fault

CHANNELS = 32
"""Electrodes of both bands: left 0-15, right 16-31."""

BANDS = ("emg_left", "emg_right")
_PER_BAND = CHANNELS // len(BANDS)
_BLOCK = 1 << 18  # samples that the scan reads at once: 36 MB
_AGAIN = "download or write the file again"
_LEAVE = "repair the file or leave it out"


@contextlib.contextmanager
def hdf5_errors(path: Path, what: str) -> Iterator[None]:
    """Errors of h5py become an InputError which says that `what` of the file cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "no-file") from None
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        # The last two come from types that numpy does not have and from missing fields.
        reason = " ".join(str(error).split()) or type(error).__name__
        fault = system_fault(error, path)
        raise fault or InputError(f"{path}: {what} cannot be read ({reason}); {_AGAIN}", "damaged") from None


@contextlib.contextmanager
def opened_group(path: Path) -> Iterator[tuple[h5py.Group, dict[str, object]]]:
    """The group /emg2qwerty of a file and its attributes.

    Raises:
        InputError: no such file, not HDF5, or a missing or damaged group.
    """
    with hdf5_errors(path, "HDF5"):
        file = h5py.File(path, "r")
    with file:
        with hdf5_errors(path, "group /emg2qwerty"):
            group = file.get("emg2qwerty")
        if not isinstance(group, h5py.Group):
            raise InputError(f"{path}: group /emg2qwerty is missing; is this an emg2qwerty session?", "bad-field")
        with hdf5_errors(path, "attributes of /emg2qwerty"):
            attributes = dict(group.attrs.items())
        yield group, attributes


def signal_of(path: Path, group: h5py.Group) -> h5py.Dataset:
    """The dataset `timeseries`, with its fields, types, channels and length checked.

    Raises:
        InputError: one of them does not match the format.
    """
    with hdf5_errors(path, "dataset timeseries"):
        dataset = group.get("timeseries")
        dtype, shape = (dataset.dtype, dataset.shape) if isinstance(dataset, h5py.Dataset) else (None, None)
    if dtype is None:
        raise InputError(f"{path}: dataset /emg2qwerty/timeseries is missing; {_AGAIN}", "bad-field")
    if dtype.names is None or shape is None or len(shape) != 1:
        raise InputError(
            f"{path}: timeseries is {dtype} of shape {shape}, expected a row of records; {_AGAIN}", "bad-field"
        )
    for field in (*BANDS, "time"):
        if field not in dtype.names:
            raise InputError(f"{path}: timeseries has no field {field}; {_AGAIN}", "no-column")
        found, wanted = _channels(dtype[field].shape), _channels(() if field == "time" else (_PER_BAND,))
        if found != wanted:
            raise InputError(f"{path}: field {field} has {found}, expected {wanted}; {_AGAIN}", "bad-field")
        if dtype[field].base.kind != "f":
            raise InputError(f"{path}: field {field} holds {dtype[field].base}, expected floats; {_AGAIN}", "bad-field")
    if dtype["time"].itemsize < 8:
        raise InputError(
            f"{path}: field time holds {dtype['time']}, too coarse, expected float64; {_AGAIN}", "bad-field"
        )
    if shape[0] == 0:
        raise InputError(f"{path}: timeseries is empty; leave the file out", "bad-field")
    with hdf5_errors(path, "dataset timeseries"):
        missing = _not_stored(dataset)
    if missing:
        raise InputError(
            f"{path}: timeseries declares {shape[0]:,} samples, but {missing} of them are in the file; {_AGAIN}",
            "damaged",
        )
    return dataset


def _not_stored(dataset: h5py.Dataset) -> str:
    """ "none" or "not all" if the file holds less than the dataset declares; HDF5 would read the rest as zeros."""
    if dataset.id.get_storage_size() == 0:
        return "none"
    if dataset.chunks is not None:
        return "not all" if dataset.id.get_num_chunks() < -(-dataset.shape[0] // dataset.chunks[0]) else ""
    return ""


def _channels(shape: tuple[int, ...]) -> str:
    return f"{' x '.join(map(str, shape))} channels" if shape else "a single value"


def scan(path: Path, dataset: h5py.Dataset, presses: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Check every sample of a signal, find the places of key presses in it and hash it, in one pass.

    Memory is bounded by a block of samples, independent of the length.

    Args:
        presses: float64[keys], unix seconds, ascending.

    Returns:
        int64[keys] twice: first sample with time >= press, last sample with time <= press; and the SHA-256 of the
        signal as float32 [samples, 32], little-endian, 64 hex digits.

    Raises:
        InputError: NaN, infinite values or values beyond LARGEST, or decreasing time, with the index of the first such
            sample.
    """
    before = np.zeros(len(presses), np.int64)
    upto = np.zeros(len(presses), np.int64)
    latest, digest = -np.inf, hashlib.sha256()
    for offset in range(0, dataset.shape[0], _BLOCK):
        with hdf5_errors(path, f"signal after sample {offset}"):
            block = dataset[offset : offset + _BLOCK]
        emg = both_bands(block)
        _check_bands(path, emg, offset)
        digest.update(emg.astype("<f4", copy=False).data)
        time = block["time"].astype(np.float64)
        finite = np.isfinite(time)
        if not finite.all():
            index = int(np.argmin(finite))
            raise InputError(f"{path}: time is {time[index]} at sample {offset + index}; {_LEAVE}", "not-finite")
        falls = np.diff(time, prepend=latest) < 0
        if falls.any():
            raise InputError(
                f"{path}: time decreases at sample {offset + int(np.argmax(falls))}; {_LEAVE}", "gap-in-signal"
            )
        latest = time[-1]
        # Blocks follow in order of time, so the counts of samples before (up to) a press add up to its place.
        before += np.searchsorted(time, presses, "left")
        upto += np.searchsorted(time, presses, "right")
    return before, upto - 1, digest.hexdigest()


def _check_bands(path: Path, emg: np.ndarray, offset: int) -> None:
    usable = np.abs(emg) <= LARGEST  # False for NaN
    if usable.all():
        return
    row, column = (int(index) for index in np.argwhere(~usable)[0])
    band, channel = BANDS[column // _PER_BAND], column % _PER_BAND
    raise InputError(
        f"{path}: {band} is {emg[row, column]} at sample {offset + row}, channel {channel}; {_LEAVE}", "not-finite"
    )


def both_bands(block: np.ndarray) -> np.ndarray:
    """Records of a timeseries -> float32[samples, 32]; a value beyond float32 becomes infinite."""
    emg = np.empty((len(block), CHANNELS), np.float32)
    with np.errstate(over="ignore"):
        for index, band in enumerate(BANDS):
            emg[:, index * _PER_BAND : (index + 1) * _PER_BAND] = block[band]
    return emg


class OpenFiles:
    """A cache of the last few open files, since opening a file costs more than reading a window from it.

    Thread-safe. Files are closed before a fork, across which file offsets and HDF5's state would be shared.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._lock = threading.Lock()
        self._files: OrderedDict[Path, tuple[h5py.File, h5py.Dataset]] = OrderedDict()
        os.register_at_fork(
            before=self._close_and_hold, after_in_parent=self._lock.release, after_in_child=self._lock.release
        )

    def __len__(self) -> int:
        return len(self._files)

    def read(self, path: Path, start: int, stop: int) -> np.ndarray:
        """Records [start, stop) of a file's timeseries; h5py's errors are not converted."""
        with self._lock:  # costs no speed: HDF5 reads one at a time anyway
            if path not in self._files:
                file = h5py.File(path, "r")
                self._files[path] = (file, file["emg2qwerty/timeseries"])
            self._files.move_to_end(path)
            while len(self._files) > self._limit:
                self._files.popitem(last=False)[1][0].close()
            return self._files[path][1][start:stop]

    def _close_and_hold(self) -> None:
        self._lock.acquire()
        while self._files:
            self._files.popitem()[1][0].close()
