"""The sources that `ingest` can read: a folder of HDF5 sessions, a BIDS folder, tables, an archive of HDF5 sessions."""

from collections.abc import Sequence
from pathlib import Path

import h5py

from semgjax.data.readers import bids, emg2pose, emg2qwerty
from semgjax.data.readers.discover import LeftOut, hdf5_files
from semgjax.data.readers.recording import Files, Form, Item, Recording
from semgjax.data.readers.timeseries import hdf5_errors
from semgjax.data.sessions import find_sessions, is_sharded
from semgjax.data.tabular import table_source
from semgjax.data.tabular.declaration import FILE as DECLARATION
from semgjax.data.tabular.declaration import TableOptions, declaration_of
from semgjax.errors import InputError

NO_OPTIONS = TableOptions()
ARCHIVES = (".tar", ".tar.gz", ".tgz")


def is_archive(src: Path) -> bool:
    """Whether a source is a tar archive, which is read as a stream."""
    return src.name.endswith(ARCHIVES)


def find_items(
    src: Path,
    channels: Sequence[str] = (),
    table: TableOptions = NO_OPTIONS,
) -> tuple[list[Item], list[LeftOut]]:
    """The sessions of a folder, in order of their path in it, and every other file that looks like one.

    Args:
        channels: labels of a BIDS folder's electrodes in order; () orders them by their names.
        table: for a folder of tables, which has a semgjax.toml.

    Raises:
        InputError: not a folder, one without readable sessions, or a folder of shards.
    """
    if src.is_dir() and is_sharded(src):
        raise InputError(f"{src}: is a folder of shards; give the folder that they were made from", "conflict")
    if src.is_file():
        raise InputError(
            f"{src}: is neither a folder nor an archive ({', '.join(ARCHIVES)}); give one of these", "not-a-file"
        )
    if table.required or table.toml or (src / DECLARATION).is_file():
        if channels:
            raise InputError(f"--channels: {src} holds tables; name the channels in {DECLARATION}", "conflict")
        if not src.is_dir():
            raise InputError(f"{src}: no such folder; name the folder of the tables", "no-file")
        return table_source.find_items(src, declaration_of(src, table))
    if table.filters:
        raise InputError(f"{src}: filters are applied to tables only; it has no {DECLARATION}", "conflict")
    if src.is_dir() and any(path.is_dir() for path in src.glob("sub-*")):
        items, left_out = bids.find_items(src, channels)
    else:
        if channels:
            raise InputError(f"--channels: {src} is not a BIDS folder; HDF5 sessions name their bands", "conflict")
        items = [Item(path.name, (path,), HDF5) for path in find_sessions(src)]
        _, left_out = hdf5_files(src)
    if not items:
        why = f": {left_out[0].id} is {left_out[0].reason}" if left_out else ""
        raise InputError(
            f"{src}: no sub-*/[ses-*/]emg/*_task-typing_emg.bdf or .edf in this BIDS folder{why}; copy the signals too",
            "no-sessions",
        )
    return items, left_out


def _form_of(path: Path) -> Form:
    with hdf5_errors(path, "HDF5"), h5py.File(path, "r") as file:
        return emg2pose.FORM if emg2pose.GROUP in file else emg2qwerty.FORM


def peek_hdf5(files: Files) -> tuple[str, str]:
    """(session name, user) of an HDF5 file of any known format.

    Raises:
        InputError: another format, or one without these attributes.
    """
    return _form_of(files[0]).peek(files)


def open_hdf5(files: Files) -> Recording:
    """The recording of an HDF5 file of any known format.

    Raises:
        InputError: another format, or a damaged file.
    """
    return _form_of(files[0]).open(files)


HDF5 = Form(peek_hdf5, open_hdf5)
