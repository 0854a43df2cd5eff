"""Source: HDF5 files of emg2pose (one wristband, 16 channels), as recordings to ingest.

Each file: group /emg2pose with a compound dataset `timeseries` of time (seconds), emg [16] and joint_angles [20], and
attributes user, session, stage, side, sample_rate. The stage (which movement is made) is the one labelled event, at
the first sample. The joint angles are no events and are not taken over.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from semgjax.data.readers.metadata import text_attribute
from semgjax.data.readers.recording import BLOCK, Files, Form, Recording
from semgjax.data.readers.timeseries import hdf5_errors
from semgjax.errors import InputError

GROUP = "emg2pose"


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[h5py.Dataset, dict[str, object]]]:
    with hdf5_errors(path, "HDF5"):
        file = h5py.File(path, "r")
    with file:
        with hdf5_errors(path, f"group /{GROUP}"):
            series, attributes = file[f"{GROUP}/timeseries"], dict(file[GROUP].attrs.items())
            names, dtype = series.dtype.names or (), series.dtype
        if "emg" not in names or "time" not in names or len(dtype["emg"].shape) != 1 or series.ndim != 1:
            raise InputError(
                f"{path}: timeseries lacks the fields emg [channels] and time; is this an emg2pose file?", "no-column"
            )
        yield series, attributes


def _names(path: Path, attributes: dict[str, object]) -> tuple[str, str, str]:
    session, side, stage, user = (text_attribute(path, attributes, key) for key in ("session", "side", "stage", "user"))
    return f"{session}-{stage}-{side}", user, stage


def peek(files: Files) -> tuple[str, str]:
    """(session, stage and side as one name, user).

    Raises:
        InputError: no such file or attributes.
    """
    with _opened(files[0]) as (_, attributes):
        return _names(files[0], attributes)[:2]


def open_recording(files: Files) -> Recording:
    """The recording of one hand in one stage.

    Raises:
        InputError: fields or attributes missing, no samples, or time that decreases.
    """
    path = files[0]
    with _opened(path) as (series, attributes):
        name, user, stage = _names(path, attributes)
        rate = attributes.get("sample_rate")
        if not isinstance(rate, int | float | np.number):
            raise InputError(
                f"{path}: attribute sample_rate is {rate!r}, expected Hz; download the file again", "bad-field"
            )
        samples, channels = int(series.shape[0]), int(series.dtype["emg"].shape[0])
        with hdf5_errors(path, "time"):
            time = series["time"]
        if (np.diff(time) < 0).any():
            raise InputError(
                f"{path}: time decreases at sample {int(np.argmax(np.diff(time) < 0)) + 1}; leave it out",
                "gap-in-signal",
            )
    return Recording(
        name=name,
        user=user,
        rate=float(rate),
        channels=channels,
        samples=samples,
        labels=np.zeros(1, np.int32),
        key_first=np.zeros(1, np.int64),
        key_last=np.zeros(1, np.int64),
        blocks=lambda: _blocks(path, samples),
        classes=(stage,),
    )


def _blocks(path: Path, samples: int) -> Iterator[np.ndarray]:
    with _opened(path) as (series, _):
        for at in range(0, samples, BLOCK):
            with hdf5_errors(path, f"samples after {at}"):
                yield series[at : at + BLOCK]["emg"].astype(np.float32)


FORM = Form(peek, open_recording)
