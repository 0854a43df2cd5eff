"""Read the arrays of one file in blocks: the signal, labels and times of some samples at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.data.tabular.array_files import ONLY, Arrays, opened_arrays, value_name
from semgjax.data.tabular.block import Block
from semgjax.data.tabular.declaration import ArraysPart, Column, Declaration
from semgjax.errors import InputError

_BLOCK = 1 << 16  # samples


def signal_name(declaration: Declaration) -> str:
    """The name of the signal's array."""
    return ONLY if declaration.files.form == "npy" else declaration.arrays.signal


def array_blocks(path: Path, declaration: Declaration) -> Iterator[Block]:
    """The samples of a file, float64, in order.

    Raises:
        InputError: an array is missing ("no-column"), of another shape ("bad-shape") or not finite ("not-finite").
    """
    part, signal = declaration.arrays, declaration.signal
    with opened_arrays(path) as arrays:
        emg = arrays.get(signal_name(declaration))
        samples, width = signal_shape(path, emg, part)
        channels = _channels(path, signal.channels, width)
        asked = declaration.labels.column if declaration.labels.source == "column" else ""
        labels, time = (_along(arrays, column, samples) for column in (asked, signal.time))
        if time is not None and time.dtype.kind != "f":
            raise InputError(f"{path}: {signal.time} holds {time.dtype}, expected numbers", "bad-number")
        for first in range(0, samples, _BLOCK):
            stop = min(first + _BLOCK, samples)
            values = np.asarray(emg[:, first:stop]).T if part.transposed else np.asarray(emg[first:stop])
            block = Block(
                values[:, channels].astype(np.float64),
                _stretch(labels, asked, values, first, stop),
                _stretch(time, signal.time, values, first, stop),
                value_name,
                lambda row, first=first: f"sample {first + row}",  # type: ignore[misc]
                first,
            )
            _check_finite(path, block)
            yield block


def signal_shape(path: Path, emg: Any, part: ArraysPart) -> tuple[int, int]:
    """(samples, columns) of a signal.

    Raises:
        InputError: no matrix of numbers ("bad-shape"), or one without samples ("empty").
    """
    shape = tuple(emg.shape)
    if len(shape) != 2 or np.dtype(emg.dtype).kind not in "iuf":
        raise InputError(
            f"{path}: the signal is {emg.dtype} of shape {shape}, expected numbers, samples x electrodes", "bad-shape"
        )
    samples, width = shape[::-1] if part.transposed else shape
    if not samples or not width:
        raise InputError(f"{path}: holds no samples (shape {shape}); leave the file out", "empty")
    if width > samples:
        raise InputError(
            f"{path}: the signal has {samples} samples of {width} electrodes; change arrays.transposed if it is the "
            "other way round",
            "bad-shape",
        )
    return samples, width


def _channels(path: Path, columns: tuple[Column, ...], width: int) -> list[int] | slice:
    if not columns:
        return slice(None)
    for column in columns:
        if not isinstance(column, int) or not 1 <= column <= width:
            raise InputError(
                f"{path}: signal.channels names {column!r}, expected numbers from 1 to {width}; correct semgjax.toml "
                "or the file",
                "no-column",
            )
    return [column - 1 for column in columns if isinstance(column, int)]


def _along(arrays: Arrays, column: Column, samples: int) -> np.ndarray | None:
    """An array that has a value for every sample; None if there is none, or if it is a column of the signal's array."""
    if not column or isinstance(column, int):
        return None
    found = arrays.vector(column)
    if found.dtype.kind in "iub":
        found = found.astype(np.float64)  # differences of unsigned numbers would wrap
    if len(found) == 1 and samples > 1:
        return np.repeat(found, samples)
    if len(found) != samples:
        raise InputError(
            f"{arrays.path}: {column} has {len(found)} values for {samples} samples; correct the file", "bad-shape"
        )
    return found


def _stretch(along: np.ndarray | None, column: Column, values: np.ndarray, first: int, stop: int) -> np.ndarray | None:
    if isinstance(column, int) and column:
        return values[:, column - 1].astype(np.float64)
    return None if along is None else along[first:stop]


def _check_finite(path: Path, block: Block) -> None:
    named = (("the signal", block.emg_TxC), ("the label", block.labels), ("the time", block.time))
    for what, values in named:
        if values is None or values.dtype.kind != "f":
            continue
        finite = np.isfinite(values).reshape(block.samples, -1).all(1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise InputError(
                f"{path}: {what} is not finite at {block.place_of(row)} ({values[row]}); repair it or leave the file "
                "out",
                "not-finite",
            )
