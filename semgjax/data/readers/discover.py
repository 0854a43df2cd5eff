"""Find the session files of a folder, and the files that look like sessions but are not read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HDF5 = (".hdf5", ".h5")
"""suffixes of session files, in upper or lower case"""
_SIGNALS = (*HDF5, ".hdf", ".bdf", ".edf", ".gdf", ".xdf", ".fif", ".set", ".vhdr", ".mat", ".npz", ".npy", ".nwb")
_PACKED = (".gz", ".zip", ".xz", ".bz2", ".part", ".crdownload", ".tmp")


@dataclass(frozen=True)
class LeftOut:
    """A file that looks like a session but is not read: its path in the folder, and the reason."""

    id: str
    reason: str


def files_of(folder: Path, below: bool = True) -> list[Path]:
    """Files and links in a folder (and in its sub-folders if `below`) that look like signals, sorted by path."""
    found = []
    for place, folders, names in os.walk(folder):
        found += [Path(place) / name for name in names if looks_like_signal(name)]
        if not below:
            folders.clear()
    return sorted(found)


def looks_like_signal(name: str) -> bool:
    """Whether a file has the suffix of a recording, also if it is compressed or partly downloaded."""
    stem, suffix = os.path.splitext(name.lower())
    return suffix in _SIGNALS or (suffix in _PACKED and os.path.splitext(stem)[1] in _SIGNALS)


def why_unread(path: Path) -> str:
    """Why a file cannot be read whatever its content; "" if it can."""
    if path.name.startswith("._"):
        return "a metadata file of macOS, not the session itself"
    if path.name.startswith("."):
        return "a hidden file, possibly one that is still being copied"
    if path.is_symlink() and not path.exists():
        return "a link to a missing file"
    return "" if path.is_file() else "not a regular file"


def hdf5_files(folder: Path, below: bool = True) -> tuple[list[Path], list[LeftOut]]:
    """The .hdf5 and .h5 files of a folder, in order of name, and other files that look like sessions.

    Args:
        below: also search the sub-folders for other files, which takes time if there are many.
    """
    paths, left_out = [], []
    for path in files_of(folder, below):
        reason = why_unread(path) or _no_session(path, folder)
        if reason:
            left_out.append(LeftOut(path.relative_to(folder).as_posix(), reason))
        else:
            paths.append(path)
    left_out += [LeftOut(path.name, "a folder") for path in _folders(folder)]
    return paths, left_out


def _no_session(path: Path, folder: Path) -> str:
    if path.suffix.lower() not in HDF5:
        return "of an unsupported format; sessions are .hdf5 or .h5"
    return "" if path.parent == folder else "in a sub-folder; ingest that folder separately"


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_dir() and path.suffix.lower() in HDF5)
