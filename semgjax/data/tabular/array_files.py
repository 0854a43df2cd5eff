"""Arrays of .npy, .npz and .mat files by name: no pickled objects, and sizes are checked before anything is read."""

import contextlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from semgjax.data.readers.timeseries import hdf5_errors
from semgjax.errors import InputError
from semgjax.files import reading_faults

LARGEST = 1 << 32
"""Bytes of one array that has to be in memory as a whole."""
ONLY = "signal"
"""The name of a .npy file's only array."""
_AGAIN = "write the file again"
_MAT_BYTES = {"double": 8, "int64": 8, "uint64": 8, "single": 4, "int32": 4, "uint32": 4, "int16": 2, "uint16": 2}


class Arrays:
    """The arrays of an open file.

    Attributes:
        shapes: shape of every array; of .mat files as MATLAB shows it.
    """

    def __init__(self, path: Path, shapes: dict[str, tuple[int, ...]], get: Callable[[str], Any]) -> None:
        self.path, self.shapes, self._get = path, shapes, get

    def get(self, name: str) -> Any:
        """An array, or what gives its rows when it is sliced.

        Raises:
            InputError: no array of this name ("no-column"), one that holds no numbers or text, or a damaged one.
        """
        if name not in self.shapes:
            have = ", ".join(map(repr, list(self.shapes)[:40])) or "nothing"
            raise InputError(
                f"{self.path}: has no array {name!r}; it has {have}; correct semgjax.toml or the file", "no-column"
            )
        return self._get(name)

    def vector(self, name: str) -> np.ndarray:
        """An array of one dimension, or with one that is not 1, as [n].

        Raises:
            InputError: as `get`, or it is a matrix ("bad-shape").
        """
        array = np.asarray(self.get(name)[...])
        if sum(size != 1 for size in array.shape) > 1:
            raise InputError(f"{self.path}: {name} is {_shape(array.shape)}, expected a single row", "bad-shape")
        return array.reshape(-1)

    def text(self, name: str) -> str:
        """A single value as text: 7 for 7 and 7.0.

        Raises:
            InputError: as `vector`, or it holds several values ("bad-shape").
        """
        array = self.vector(name)
        if len(array) != 1:
            raise InputError(f"{self.path}: {name} holds {len(array)} values, expected one", "bad-shape")
        return value_name(array[0])

    def number(self, name: str) -> float:
        """A single number.

        Raises:
            InputError: as `text`, or it is no number ("bad-number").
        """
        text = self.text(name)
        try:
            return float(text)
        except ValueError:
            raise InputError(f"{self.path}: {name} is {text[:40]!r}, expected a number", "bad-number") from None


def value_name(value: Any) -> str:
    """A number or text as text: whole numbers without a point."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    if isinstance(value, str):
        return value.strip()
    number = float(value)
    return str(int(number)) if np.isfinite(number) and number == int(number) else repr(number)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single value"


@contextlib.contextmanager
def opened_arrays(path: Path) -> Iterator[Arrays]:
    """The arrays of a .npy, .npz or .mat file, of any version of MATLAB.

    Raises:
        InputError: no such file, or not readable as what its name says.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file", "no-file")
    suffix = path.suffix.lower()
    if suffix == ".npy":
        yield _npy(path)
    elif suffix == ".npz":
        with reading_faults(path, "as .npz"):
            archive = zipfile.ZipFile(path)
        with archive:
            yield _npz(path, archive)
    elif suffix == ".mat" and h5py.is_hdf5(path):
        with hdf5_errors(path, "MATLAB 7.3 file"):
            file = h5py.File(path, "r")
        with file:
            yield _mat73(path, file)
    elif suffix == ".mat":
        yield _mat(path)
    else:
        raise InputError(f"{path}: is neither .npy, .npz nor .mat; correct files.form or files.pattern", "bad-path")


def _check_size(path: Path, name: str, size: int) -> None:
    if size > LARGEST:
        raise InputError(
            f"{path}: {name} takes {size / 1e9:.1f} GB, more than {LARGEST / 1e9:.1f} GB; split it into several files",
            "too-large",
        )


def _check_kind(path: Path, name: str, dtype: np.dtype) -> None:
    if dtype.kind not in "biufUS":
        raise InputError(f"{path}: {name} holds {dtype}, expected numbers or text; {_AGAIN}", "bad-field")


def _npy(path: Path) -> Arrays:
    with open(path, "rb") as file, reading_faults(path, "as .npy"):
        shape, _, dtype = _npy_header(file)
        _check_kind(path, ONLY, dtype)
        if path.stat().st_size - file.tell() != int(np.prod(shape, dtype=object)) * dtype.itemsize:
            raise InputError(f"{path}: declares {_shape(shape)} values, but holds others; {_AGAIN}", "damaged")
    return Arrays(path, {ONLY: shape}, lambda _: np.load(path, mmap_mode="r"))


def _npy_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)


def _npz(path: Path, archive: zipfile.ZipFile) -> Arrays:
    found: dict[str, tuple[tuple[int, ...], np.dtype]] = {}
    with reading_faults(path, "as .npz"):
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            name = info.filename.removesuffix(".npy")
            with archive.open(info) as member:
                shape, _, dtype = _npy_header(member)
                size = int(np.prod(shape, dtype=object)) * dtype.itemsize
                if dtype.kind != "O" and info.file_size - member.tell() != size:
                    raise InputError(f"{path}: {name} declares {_shape(shape)} values, but holds others", "damaged")
            found[name] = shape, dtype

    def get(name: str) -> np.ndarray:
        shape, dtype = found[name]
        _check_kind(path, name, dtype)
        _check_size(path, name, int(np.prod(shape, dtype=object)) * dtype.itemsize)
        with reading_faults(path, f"array {name}"), archive.open(f"{name}.npy") as member:
            return np.lib.format.read_array(member)

    return Arrays(path, {name: shape for name, (shape, _) in found.items()}, get)


def _mat(path: Path) -> Arrays:
    with reading_faults(path, "as .mat"):
        found = {name: (tuple(shape), kind) for name, shape, kind in scipy.io.whosmat(path)}

    def get(name: str) -> np.ndarray:
        shape, kind = found[name]
        _check_size(path, name, int(np.prod(shape, dtype=object)) * _MAT_BYTES.get(kind, 1))
        with reading_faults(path, f"array {name}"):
            array = np.asarray(scipy.io.loadmat(path, variable_names=[name])[name])
        if (
            array.dtype.kind == "O"
            and array.size
            and all(isinstance(v, np.ndarray) and v.dtype.kind == "U" for v in array.flat)
        ):
            array = np.array(["".join(v.reshape(-1)) for v in array.flat])  # a cell array of texts
        _check_kind(path, name, array.dtype)
        return array

    return Arrays(path, {name: shape for name, (shape, _) in found.items()}, get)


class _Turned:
    """A dataset of a MATLAB 7.3 file, whose order of axes is the reverse of MATLAB's."""

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self._path, self._dataset = path, dataset
        self.shape, self.dtype = dataset.shape[::-1], dataset.dtype

    def __getitem__(self, place: Any) -> np.ndarray:
        with hdf5_errors(self._path, self._dataset.name):
            if isinstance(place, slice) and self._dataset.ndim == 2:
                return np.asarray(self._dataset[:, place]).T
            if isinstance(place, tuple) and place[:1] == (slice(None),):  # [:, a:b] of channels x samples
                return np.asarray(self._dataset[place[1]]).T
            return np.asarray(self._dataset[()]).T


def _mat73(path: Path, file: h5py.File) -> Arrays:
    with hdf5_errors(path, "MATLAB 7.3 file"):
        found = {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
        shapes = {name: item.shape[::-1] for name, item in found.items()}

    def get(name: str) -> Any:
        dataset = found[name]
        with hdf5_errors(path, name):
            kind = dataset.attrs.get("MATLAB_class", b"")
            if kind == b"char":
                return np.array(["".join(map(chr, np.asarray(dataset[()]).T.reshape(-1)))])
        _check_kind(path, name, dataset.dtype)
        return _Turned(path, dataset)

    return Arrays(path, shapes, get)
