"""What records a live signal: a session of emg2qwerty's format or an XDF file, both through files that only grow.

FILE.hdf5 is written at the end, from FILE.hdf5.part: packets of samples (semgjax.streaming.packets), one after the
other. If the process is killed the packets remain, and `semgjax data recover` makes the session of them.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from semgjax.data.band import TYPING
from semgjax.errors import InputError
from semgjax.streaming.packets import MOST_SAMPLES, Packet, encode_packet
from semgjax.streaming.recording import xdf_format
from semgjax.streaming.recording.append_log import AppendLog
from semgjax.streaming.recording.hdf5_recording import write_session
from semgjax.streaming.sources.source import Described
from semgjax.streaming.timeline import Placed

PART = ".part"
_CLOCK_EVERY = 5.0  # seconds between two offsets of a clock

Note = Callable[[str], None]


class Recorder(Protocol):
    """Something that records."""

    @property
    def failed(self) -> InputError | None:
        """Why it records no more."""

    def put(self, placed: Placed, offset: float | None) -> None:
        """The next samples, and the offset of the device's clock if the source knows it; returns at once."""

    def finish(self) -> None:
        """Complete the file; there is none if nothing was put.

        Raises:
            InputError: something of the recording is not in it; the line says what is where.
        """

    def discard(self) -> None:
        """Remove the file."""


def open_recorders(paths: Sequence[Path], about: Described, live: bool, user: str, note: Note) -> list[Recorder]:
    """The recorders of several files; if one cannot be made, none is left.

    Raises:
        InputError: a file is named twice ("conflict"), or as `open_recorder`.
    """
    twice = next((path for at, path in enumerate(paths) if path.absolute() in map(Path.absolute, paths[:at])), None)
    if twice is not None:
        raise InputError(f"--record {twice}: is named twice; name each file once", "conflict")
    found: list[Recorder] = []
    try:
        for path in paths:
            found.append(open_recorder(path, about, live, user, note))
    except InputError:
        for recorder in found:
            recorder.discard()
        raise
    return found


def open_recorder(path: Path, about: Described, live: bool, user: str, note: Note) -> Recorder:
    """The recorder of a file: .hdf5 or .xdf.

    Args:
        live: whether samples arrive at the device's pace, so that the times of arrival are those of the signal.
        user: of a session.
        note: called with one line about the disk.

    Raises:
        InputError: another ending ("bad-value"), a source that the format cannot hold ("band-misfit"), an existing
            file ("out-exists"), or one that cannot be made.
    """
    if path.suffix not in (".hdf5", ".xdf"):
        raise InputError(f"--record {path}: name a file that ends in .hdf5 or .xdf", "bad-value")
    if path.exists():
        raise InputError(f"{path}: exists; choose a new file for the recording", "out-exists")
    if path.suffix == ".xdf":
        return XdfRecorder(path, about, live, note)
    if (about.channels, about.rate) != (TYPING.channels, TYPING.rate):
        raise InputError(
            f"{path}: emg2qwerty's format holds {TYPING.channels} channels at {TYPING.rate:g} Hz, {about.name} gives "
            f"{about.channels} at {about.rate:g} Hz; record an .xdf file",
            "band-misfit",
        )
    part = path.with_name(path.name + PART)
    if part.exists():
        raise InputError(
            f"{part}: is a recording that was cut off; finish it with `semgjax data recover {part}`, or choose another "
            "file",
            "out-exists",
        )
    return HdfRecorder(path, part, about, live, user, note)


class HdfRecorder:
    """A session of emg2qwerty's format."""

    def __init__(self, path: Path, part: Path, about: Described, live: bool, user: str, note: Note) -> None:
        self._path, self._about, self._live, self._user = path, about, live, user
        self._log = AppendLog(part, note)
        self._unix = time.time() - time.monotonic()
        self._begun = False

    @property
    def failed(self) -> InputError | None:
        """See `Recorder`."""
        return self._log.failed

    def put(self, placed: Placed, offset: float | None) -> None:
        """See `Recorder`."""
        if placed.missing:
            return  # the next packet's number shows it
        emg_TxC = np.where(placed.valid_T[:, None], placed.emg_TxC, np.float32(np.nan))
        moment = float(placed.times[0]) if placed.times is not None else np.nan
        for at in range(0, len(emg_TxC), MOST_SAMPLES):
            # Of what is read as fast as it is decoded, arrival says only when the recording was made.
            dated = self._live or (placed.times is None and not self._begun)
            sent = placed.received + self._unix if dated else np.nan
            fresh = placed.fresh and at == 0
            self._log.put(
                encode_packet(
                    Packet(emg_TxC[at : at + MOST_SAMPLES], self._about.rate, placed.first + at, moment, sent, fresh)
                )
            )
            self._begun, moment = True, np.nan

    def finish(self) -> None:
        """See `Recorder`."""
        part, failed = self._log.path, None
        try:
            self._log.close()
        except InputError as error:
            failed = error
        if part.stat().st_size:
            try:
                write_session(part, self._path, self._user)
            except InputError as error:
                raise InputError(
                    f"{error}; the recording is in {part}: make room, then `semgjax data recover {part}`", error.code
                ) from None
        if failed is not None:  # it names the packets, which stay
            raise failed
        part.unlink()

    def discard(self) -> None:
        """See `Recorder`."""
        self._log.discard()


class XdfRecorder:
    """An XDF file with one stream; a file that was cut off lacks its footer, and is read all the same."""

    def __init__(self, path: Path, about: Described, live: bool, note: Note) -> None:
        self._rate, self._live = about.rate, live
        self._log = AppendLog(path, note)
        self._log.put(xdf_format.file_header())
        self._log.put(xdf_format.stream_header(about.name, about.rate, about.channels, time.monotonic()))
        self._origin: float | None = None
        self._first, self._last, self._count = np.nan, np.nan, 0
        self._told, self._least = time.monotonic(), np.inf

    @property
    def failed(self) -> InputError | None:
        """See `Recorder`."""
        return self._log.failed

    def put(self, placed: Placed, offset: float | None) -> None:
        """See `Recorder`."""
        if placed.missing:
            return  # the next times show it
        size = len(placed.emg_TxC)
        times_T = placed.times
        if times_T is None:
            if self._origin is None or placed.fresh:
                self._origin = placed.received - (placed.first + size) / self._rate
            times_T = self._origin + (placed.first + np.arange(size)) / self._rate
        emg_TxC = np.where(placed.valid_T[:, None], placed.emg_TxC, np.float32(np.nan))
        self._log.put(xdf_format.samples(times_T, emg_TxC))
        self._first = float(times_T[0]) if not self._count else self._first
        self._last, self._count = float(times_T[-1]), self._count + size
        # Without an offset that the device agreed on: the least lateness of some seconds.
        self._least = min(self._least, placed.received - self._last)
        if placed.received - self._told > _CLOCK_EVERY or self._count == size:
            found = self._least if offset is None and self._live else offset
            if found is not None:
                self._log.put(xdf_format.clock_offset(placed.received, found))
            self._log.put(xdf_format.boundary())
            self._told, self._least = placed.received, np.inf

    def finish(self) -> None:
        """See `Recorder`."""
        if not self._count:
            self.discard()
            return
        self._log.put(xdf_format.stream_footer(self._first, self._last, self._count))
        self._log.close()

    def discard(self) -> None:
        """See `Recorder`."""
        self._log.discard()
