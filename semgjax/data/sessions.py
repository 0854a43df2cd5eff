"""Read sessions: HDF5 files of the emg2qwerty format, checked in full, or shards made from any source.

A folder with a manifest.json is a folder of shards (semgjax.data.shards.shard_format); opening a shard reads no
signal. Any other folder holds HDF5 files. All code that uses sessions works with both.

The HDF5 format: group /emg2qwerty holds a 1-D compound dataset `timeseries` with the fields emg_left and emg_right
(16 floats each) and time (float64, unix seconds, non-decreasing, ties occur). The group's attributes are
session_name, user, condition, duration_mins and the JSON strings keystrokes and prompts. Fields are taken by name:
their order in a file is not fixed. A file without keystrokes is a session without labels.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.data.band import TYPING, Band, default_rings
from semgjax.data.key_counts import count_doubled
from semgjax.data.keys import label_of_key
from semgjax.data.readers.discover import hdf5_files
from semgjax.data.readers.metadata import parse_keystrokes, parse_list, text_attribute
from semgjax.data.readers.timeseries import CHANNELS as CHANNELS
from semgjax.data.readers.timeseries import OpenFiles, both_bands, hdf5_errors, opened_group, scan, signal_of
from semgjax.data.shards.manifest import FILE as MANIFEST
from semgjax.data.shards.manifest import SHARDS, checked_path, read_manifest
from semgjax.data.shards.shard_format import SUFFIX as SHARD
from semgjax.data.shards.shard_format import decode
from semgjax.data.shards.shard_read import read_ahead, read_header, read_stored
from semgjax.errors import InputError
from semgjax.notebook import facts

SAMPLE_RATE = 2000
"""Samples a second, nominal."""

_FILES = OpenFiles(limit=32)


@dataclass(frozen=True)
class Stored:
    """How a shard holds a signal: divided by `scale`, in records of `stretch` samples."""

    scale: float
    stretch: int


@dataclass(frozen=True, eq=False, repr=False)
class Session:
    """A session: labels, places of the keys and facts; the signal is read on demand.

    Attributes:
        labels: int32[keys], classes of the keys in order of key press.
        key_first: int64[keys], first sample with time >= the key's press (`samples` when after the end).
        key_last: int64[keys], last sample with time <= the key's press (-1 when before the start).
        dropped: names of keys that are not in the key set -> number of presses.
        rate: samples a second, nominal.
        classes: names of the labels' classes; None for the key set.
        stored: how the shard at `path` holds the signal; None for an HDF5 file.
        doubled: keys that repeat one of the same class at the same time.
        array: float32[samples, channels], a signal in memory (see `session_of_array`); None when it is in a file.
        rings: electrodes of each ring, in the order of the channels; () stands for `default_rings`.
        key_end: int64[keys], last sample of each event, -1 where it is not known; None: of all of them.
        joints: first sample of every part, but the first, of a signal that was joined from several.
        origin: the session from whose events this one was spliced; "" for a session as it was recorded.
        origin_samples: samples of that session; 0 without one.
        labelled: whether its labels are known; False: only the signal is, and there are no keys.
        signal_hash: SHA-256 of the signal of an HDF5 file, which is read whole when it is opened; "" for any other.

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
    channels: int = CHANNELS
    rate: float = SAMPLE_RATE
    classes: tuple[str, ...] | None = None
    stored: Stored | None = None
    doubled: int = 0
    array: np.ndarray | None = None
    rings: tuple[int, ...] = ()
    key_end: np.ndarray | None = None
    joints: tuple[int, ...] = ()
    origin: str = ""
    origin_samples: int = 0
    labelled: bool = True
    signal_hash: str = ""

    @property
    def band(self) -> Band:
        """Its rings, rate and classes."""
        return Band(self.rings or default_rings(self.channels), float(self.rate), self.classes)

    @property
    def spliced(self) -> bool:
        """Whether its signal is of real events in a made-up order."""
        return bool(self.origin)

    @property
    def recorded_samples(self) -> int:
        """Samples of the recording that it is, or that it was spliced from."""
        return self.origin_samples or self.samples

    @property
    def emg(self) -> "Signal":
        """The signal, read on slicing: `session.emg[a:b]` is float32[b - a, channels], left band first."""
        return Signal(self)

    @property
    def text(self) -> str:
        """The typed text, one glyph per key; other classes by name, separated by spaces."""
        return self.band.text(self.labels)

    def __repr__(self) -> str:
        """One line."""
        return f"Session({self.name}, user {self.user}, {self._size}, {self._count} labels)"

    def _repr_html_(self) -> str:
        shown = self.text if len(self.text) <= 200 else f"{self.text[:200]} ..."
        rows = {"user": self.user, "signal": self._size, "labels": self._count, "text": shown, "file": self.path}
        return facts(f"Session {self.name}", rows.items())

    @property
    def _count(self) -> str:
        return str(len(self.labels)) if self.labelled else "no"

    @property
    def _size(self) -> str:
        return f"{self.samples / self.rate:.1f} s, {self.channels} channels at {self.rate:g} Hz"


@dataclass(frozen=True, repr=False)
class Signal:
    """A session's signal as an array that is read in slices: shape [samples, channels], float32."""

    session: Session

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, channels)"""
        return self.session.samples, self.session.channels

    dtype = np.dtype(np.float32)
    ndim = 2

    def __len__(self) -> int:
        return self.session.samples

    def __getitem__(self, index: slice | tuple[Any, ...]) -> np.ndarray:
        """Samples of a slice with step 1, clipped to the session; after a comma any index of the channels.

        Raises:
            TypeError: the first index is not a slice.
            ValueError: its step is not 1.
            InputError: the file was removed or changed since it was opened.
        """
        rows, *columns = index if isinstance(index, tuple) else (index,)
        if not isinstance(rows, slice):
            raise TypeError(f"session.emg takes a slice of samples, such as emg[0:2000], not {rows!r}")
        start, stop, step = rows.indices(self.session.samples)
        if step != 1:
            raise ValueError(f"session.emg takes samples in order (step 1), not in steps of {step}")
        signal = read_emg(self.session, start, max(start, stop))
        return signal[(slice(None), *columns)] if columns else signal

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The whole signal, for `numpy.asarray`."""
        return np.asarray(self[:], dtype)

    def __repr__(self) -> str:
        """One line."""
        return f"Signal({self.session.name}, float32{list(self.shape)}, read on slicing)"


def is_sharded(folder: Path) -> bool:
    """Whether a folder holds a complete set of shards: it has a manifest."""
    return (folder / MANIFEST).exists()


def find_sessions(folder: Path) -> list[Path]:
    """The session files of a folder: shards in order of session name, or HDF5 files in order of file name.

    Raises:
        InputError: no such folder, no .hdf5 file in it, or a shard that is missing or cut short.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the folder that holds the .hdf5 session files", "no-file")
    if is_sharded(folder):
        return [checked_path(folder, row) for row in read_manifest(folder)]
    if (folder / SHARDS).is_dir():
        raise InputError(f"{folder}: its ingest is not finished; run the same ingest command again", "not-finished")
    paths, _ = hdf5_files(folder, below=False)
    if not paths:
        _, left_out = hdf5_files(folder)
        why = f" ({left_out[0].id} is {left_out[0].reason})" if left_out else ""
        raise InputError(
            f"{folder}: no .hdf5 or .h5 file in this folder{why}; give the folder of the session files", "no-sessions"
        )
    return paths


def peek_session(path: Path) -> tuple[str, str]:
    """(session name, user) of a file; quick, since the rest of it is neither read nor checked.

    Raises:
        InputError: not an HDF5 file, or one without the group or these attributes; a damaged shard.
    """
    if path.suffix == SHARD:
        header = read_header(path)
        return header.name, header.user
    with opened_group(path) as (_, attributes):
        return text_attribute(path, attributes, "session_name"), text_attribute(path, attributes, "user")


def peek_sessions(folder: Path) -> dict[str, tuple[Path, str]]:
    """Session name -> (file, user) of a folder, in order of file name; as quick as `peek_session`.

    Raises:
        InputError: as `find_sessions` and `peek_session`, or two files with one session name.
    """
    if is_sharded(folder):
        return {row.name: (checked_path(folder, row), row.user) for row in read_manifest(folder)}
    found: dict[str, tuple[Path, str]] = {}
    for path in find_sessions(folder):
        name, user = peek_session(path)
        if name in found:
            raise InputError(
                f"{path}: session_name {name!r} is that of {found[name][0].name} too; keep one of them",
                "duplicate-session",
            )
        found[name] = (path, user)
    return found


def load_sessions(folder: Path, names: Iterable[str] | None = None) -> list[Session]:
    """Open the sessions of a folder: all of them, in order of file name, or those named, in the order given.

    Raises:
        InputError: a name that no file has, two files with one name, or a damaged session.
    """
    found = peek_sessions(folder)
    wanted = list(found) if names is None else list(names)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(
            f"{folder}: no session {missing[0]!r} ({len(missing)} of {len(wanted)} are missing); "
            "copy the files there or make the split again",
            "no-sessions",
        )
    return [open_session(found[name][0]) for name in wanted]


def open_session(path: Path) -> Session:
    """Check a whole session file, including the signal, and place its keys, in bounded memory.

    A shard was checked when it was made: here only its header is checked, its records when they are read.

    Raises:
        InputError: naming the file, the fault and the remedy.
    """
    if path.suffix == SHARD:
        return _open_shard(path)
    with opened_group(path) as (group, attributes):
        name, user, condition = (text_attribute(path, attributes, key) for key in ("session_name", "user", "condition"))
        if condition != "on_keyboard":
            raise InputError(
                f"{path}: condition is {condition!r}, only 'on_keyboard' can be used; leave the file out", "bad-value"
            )
        if "duration_mins" not in attributes:
            raise InputError(
                f"{path}: attribute duration_mins is missing; download or write the file again", "bad-field"
            )
        labelled = "keystrokes" in attributes
        if labelled or "prompts" in attributes:
            parse_list(path, attributes, "prompts")
        found = parse_keystrokes(path, attributes) if labelled else []
        strokes = sorted(found, key=lambda stroke: stroke.start)
        classes = [(stroke, label_of_key(stroke.key)) for stroke in strokes]
        known = [(stroke.start, label) for stroke, label in classes if label is not None]
        signal = signal_of(path, group)
        key_first, key_last, signal_hash = scan(path, signal, np.array([press for press, _ in known], np.float64))
        return Session(
            path=path,
            name=name,
            user=user,
            samples=int(signal.shape[0]),
            labels=np.array([label for _, label in known], np.int32),
            key_first=key_first,
            key_last=key_last,
            dropped=dict(sorted(Counter(stroke.key for stroke, label in classes if label is None).items())),
            doubled=count_doubled(known),
            labelled=labelled,
            signal_hash=signal_hash,
        )


def _open_shard(path: Path) -> Session:
    header = read_header(path)
    return Session(
        path=path,
        name=header.name,
        user=header.user,
        samples=header.samples,
        labels=header.labels,
        key_first=header.key_first,
        key_last=header.key_last,
        dropped=header.dropped,
        channels=header.channels,
        rate=header.rate,
        classes=header.classes,
        stored=Stored(header.scale, header.stretch),
        doubled=header.doubled,
        rings=header.rings,
        key_end=header.key_end,
        joints=header.joints,
        origin=header.origin,
        origin_samples=header.origin_samples,
        labelled=header.labelled,
    )


def session_of_array(emg_TxC: np.ndarray, band: Band = TYPING, name: str = "array") -> Session:
    """A session of a band without labels whose signal is in memory: [samples, channels], ring after ring."""
    labels, places = np.zeros(0, np.int32), np.zeros(0, np.int64)
    array = np.ascontiguousarray(emg_TxC, np.float32)
    facts = {"channels": array.shape[1], "rate": band.rate, "classes": band.classes, "rings": band.rings}
    return Session(Path(name), name, "", len(array), labels, places, places, {}, **facts, array=array)


def read_emg(session: Session, start: int, stop: int) -> np.ndarray:
    """The signal of samples [start, stop): float32[stop - start, channels], left band in 0-15, right band in 16-31.

    Safe to call from several threads and after a fork.

    Raises:
        ValueError: not 0 <= start <= stop <= samples.
        InputError: the file was removed or changed since it was opened.
    """
    if session.stored is not None:
        return decode(read_half(session, start, stop), session.stored.scale)
    _check_range(session, start, stop)
    if session.array is not None:
        return session.array[start:stop]
    with hdf5_errors(session.path, f"samples {start}..{stop}"):
        emg = both_bands(_FILES.read(session.path, start, stop))
    if len(emg) != stop - start or not np.isfinite(emg).all():
        raise InputError(f"{session.path}: changed since it was checked; open the file again", "changed")
    return emg


def has_half(session: Session) -> bool:
    """Whether `read_half` gives the signal in its own unit, so that the device can convert it."""
    return session.stored is not None and session.stored.scale == 1


def read_half(session: Session, start: int, stop: int) -> np.ndarray:
    """The signal of samples [start, stop) of a shard as it is stored: float16[stop - start, channels], over its scale.

    Raises:
        ValueError: not 0 <= start <= stop <= samples, or not a shard.
        InputError: the shard was removed or is damaged.
    """
    if session.stored is None:
        raise ValueError(f"session {session.name} is not a shard")
    _check_range(session, start, stop)
    return read_stored(session.path, session.stored.stretch, session.channels, start, stop)


def announce(session: Session, start: int, stop: int) -> None:
    """Prefetch samples [start, stop), clipped to the session, of a shard; does nothing for other files."""
    if session.stored is not None:
        begin = max(0, start)
        read_ahead(session.path, session.samples, begin, max(begin, min(stop, session.samples)))


def _check_range(session: Session, start: int, stop: int) -> None:
    if not 0 <= start <= stop <= session.samples:
        raise ValueError(f"samples {start}..{stop} are not within 0..{session.samples} of {session.name}")
