"""Source: HDF5 sessions of emg2qwerty, as recordings to ingest."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from semgjax.data.readers.recording import BLOCK, Files, Form, Recording
from semgjax.data.readers.timeseries import both_bands, hdf5_errors, opened_group, signal_of
from semgjax.data.sessions import open_session, peek_session


def peek(files: Files) -> tuple[str, str]:
    """(session name, user) of the one file.

    Raises:
        InputError: as `peek_session`.
    """
    return peek_session(files[0])


def open_recording(files: Files) -> Recording:
    """The one file, checked in full.

    Raises:
        InputError: as `open_session`.
    """
    session = open_session(files[0])
    return Recording(
        name=session.name,
        user=session.user,
        rate=session.rate,
        channels=session.channels,
        samples=session.samples,
        labels=session.labels,
        key_first=session.key_first,
        key_last=session.key_last,
        blocks=lambda: _blocks(session.path),
        dropped=session.dropped,
        doubled=session.doubled,
        labelled=session.labelled,
    )


def _blocks(path: Path) -> Iterator[np.ndarray]:
    # Not with `read_emg`, which keeps files open: a file from an archive is deleted after use.
    with opened_group(path) as (group, _):
        signal = signal_of(path, group)
        for at in range(0, signal.shape[0], BLOCK):
            with hdf5_errors(path, f"samples after {at}"):
                block = signal[at : at + BLOCK]
            yield both_bands(block)


FORM = Form(peek, open_recording)
