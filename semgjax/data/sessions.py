"""Read typing sessions of the emg2qwerty format, one HDF5 file each, checked in full. Writes nothing.

The format: group /emg2qwerty holds a 1-D compound dataset `timeseries` with the fields emg_left and emg_right
(16 floats each) and time (float64, unix seconds, non-decreasing, ties occur). The group's attributes are
session_name, user, condition, duration_mins and the JSON strings keystrokes and prompts. Fields are taken by
name: their order in a file is not fixed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semgjax.data.keys import label_of_key
from semgjax.data.metadata import parse_keystrokes, parse_list, text_attribute
from semgjax.data.timeseries import CHANNELS as CHANNELS
from semgjax.data.timeseries import OpenFiles, both_bands, hdf5_errors, opened_group, scan, signal_of
from semgjax.errors import InputError

SAMPLE_RATE = 2000
"""Samples a second, nominal."""

_FILES = OpenFiles(limit=32)


@dataclass(frozen=True, eq=False)
class Session:
    """What is known of a session without its signal.

    Attributes:
        labels: int32[keys], classes of the keys in order of key press.
        key_first: int64[keys], first sample with time >= the key's press (`samples` when after the end).
        key_last: int64[keys], last sample with time <= the key's press (-1 when before the start).
        dropped: names of keys outside the key set -> how often they were pressed.

    A key belongs to the samples [a, b) when a <= key_last and key_first <= b - 1, which is the same as
    time[a] <= press <= time[b - 1].
    """

    path: Path
    name: str
    user: str
    samples: int
    labels: np.ndarray
    key_first: np.ndarray
    key_last: np.ndarray
    dropped: dict[str, int]


def find_sessions(folder: Path) -> list[Path]:
    """The session files of a folder, sorted.

    Raises:
        InputError: no such folder, or no .hdf5 file in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the folder that holds the .hdf5 session files")
    # A name with a leading dot is a file that is still being copied.
    paths = sorted(path for path in folder.glob("*.hdf5") if not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder}: no .hdf5 file in this folder; give the folder of the session files")
    return paths


def peek_session(path: Path) -> tuple[str, str]:
    """(session name, user) of a file; quick, as the rest of it is neither read nor checked.

    Raises:
        InputError: no HDF5 file, or without the group or these attributes.
    """
    with opened_group(path) as (_, attributes):
        return text_attribute(path, attributes, "session_name"), text_attribute(path, attributes, "user")


def peek_sessions(folder: Path) -> dict[str, tuple[Path, str]]:
    """Session name -> (file, user) of a folder, in order of file name; as quick as `peek_session`.

    Raises:
        InputError: as `find_sessions` and `peek_session`, or two files with one session name.
    """
    found: dict[str, tuple[Path, str]] = {}
    for path in find_sessions(folder):
        name, user = peek_session(path)
        if name in found:
            raise InputError(f"{path}: session_name {name!r} is that of {found[name][0].name} too; keep one of them")
        found[name] = (path, user)
    return found


def load_sessions(folder: Path, names: Iterable[str] | None = None) -> list[Session]:
    """Open the sessions of a folder: all of them, in order of file name, or those named, in the order given.

    Raises:
        InputError: a name that no file has, two files with one name, or a session that is damaged.
    """
    found = peek_sessions(folder)
    wanted = list(found) if names is None else list(names)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(
            f"{folder}: no session {missing[0]!r} ({len(missing)} of {len(wanted)} asked for are missing); "
            "copy the files there or make the split again"
        )
    return [open_session(found[name][0]) for name in wanted]


def open_session(path: Path) -> Session:
    """Check a whole session file, the signal included, and place its keys, in bounded memory.

    Raises:
        InputError: naming the file, the fault and the mend.
    """
    with opened_group(path) as (group, attributes):
        name, user, condition = (text_attribute(path, attributes, key) for key in ("session_name", "user", "condition"))
        if condition != "on_keyboard":
            raise InputError(f"{path}: condition is {condition!r}, only 'on_keyboard' can be used; leave the file out")
        if "duration_mins" not in attributes:
            raise InputError(f"{path}: attribute duration_mins is missing; download or write the file again")
        parse_list(path, attributes, "prompts")
        strokes = sorted(parse_keystrokes(path, attributes), key=lambda stroke: stroke.start)
        classes = [(stroke, label_of_key(stroke.key)) for stroke in strokes]
        known = [(stroke.start, label) for stroke, label in classes if label is not None]
        signal = signal_of(path, group)
        key_first, key_last = scan(path, signal, np.array([press for press, _ in known], np.float64))
        return Session(
            path=path,
            name=name,
            user=user,
            samples=int(signal.shape[0]),
            labels=np.array([label for _, label in known], np.int32),
            key_first=key_first,
            key_last=key_last,
            dropped=dict(sorted(Counter(stroke.key for stroke, label in classes if label is None).items())),
        )


def read_emg(session: Session, start: int, stop: int) -> np.ndarray:
    """The signal of samples [start, stop): float32[stop - start, 32], left band in 0-15, right band in 16-31.

    Safe to call from several threads and after a fork.

    Raises:
        ValueError: not 0 <= start <= stop <= samples.
        InputError: the file is gone or was changed since it was opened.
    """
    if not 0 <= start <= stop <= session.samples:
        raise ValueError(f"samples {start}..{stop} are not within 0..{session.samples} of {session.name}")
    with hdf5_errors(session.path, f"samples {start}..{stop}"):
        emg = both_bands(_FILES.read(session.path, start, stop))
    if len(emg) != stop - start or not np.isfinite(emg).all():
        raise InputError(f"{session.path}: changed since it was checked; start again with the whole file")
    return emg
