"""A recording of packets made a session of emg2qwerty's format: writes OUT.hdf5, whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from semgjax.data.band import TYPING
from semgjax.data.readers.timeseries import hdf5_errors, opened_group
from semgjax.errors import InputError
from semgjax.files import disk_faults
from semgjax.streaming.clock_drift import Drift
from semgjax.streaming.packets import HEADER, Packet, packet_of, read_head

GROUP, LOST = "emg2qwerty", "lost"
_BESIDES = 1 << 20  # bytes of a session beside its samples, with room
ROW = np.dtype([("emg_left", "<f4", (16,)), ("emg_right", "<f4", (16,)), ("time", "<f8")])


@dataclass
class _Part:
    """A stretch that begins anew: the host's times of its samples, or the device's where the host's say nothing."""

    first: int
    end: int
    host: Drift = field(default_factory=Drift)
    begun: float = np.nan  # unix time of the first sample, roughly
    device: bool = False


def read_packets(path: Path) -> Iterator[Packet]:
    """The packets of a recording; one that a killed process left half written at the end is left out.

    Raises:
        InputError: no such file, or what is in it is no packet ("no-file", "bad-packet").
    """
    try:
        file = open(path, "rb")  # noqa: SIM115
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "no-file") from None
    with file:
        while len(head_bytes := file.read(HEADER.size)) == HEADER.size:
            head = read_head(head_bytes, str(path))
            body = file.read(head.size)
            if len(body) < head.size:
                return
            yield packet_of(head, body)


def read_lost(path: Path, samples: int) -> np.ndarray:
    """(first, count) of each stretch of lost samples that a recording lists, int64 [n, 2]; [0, 2] of other sessions.

    Args:
        samples: of the session.

    Raises:
        InputError: the list is no such table, or names samples that are not there ("bad-field").
    """
    with opened_group(path) as (group, _), hdf5_errors(path, LOST):
        if LOST not in group:
            return np.zeros((0, 2), np.int64)
        found = np.asarray(group[LOST])
    if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "iu":
        raise InputError(
            f"{path}: /{GROUP}/{LOST} is {found.dtype} {list(found.shape)}, expected int64 [n, 2]; record it again",
            "bad-field",
        )
    lost = found.astype(np.int64)
    if len(lost) and (lost.min() < 0 or lost.max() > samples or lost.sum(axis=1).max() > samples):
        raise InputError(f"{path}: /{GROUP}/{LOST} names samples beyond {samples}; record it again", "bad-field")
    return lost


def write_session(part: Path, out: Path, user: str) -> float:
    """Make a session without labels of a recording, in memory that does not grow with it; returns its seconds.

    Lost samples are zero, and /emg2qwerty/lost has a row (first, count) for each stretch of them. Times are unix
    seconds: along a line through the times of arrival, which keep the host's clock without their jitter, or those of
    the device where there are no others.

    Raises:
        InputError: `out` exists ("out-exists"), the disk is full ("no-space"), another number of channels or another
            rate than the format has ("band-misfit"), no samples ("empty"), or as `read_packets`.
    """
    if out.exists():
        raise InputError(f"{out}: exists; choose a new file", "out-exists")
    parts, lost = _parts(part)
    samples = parts[-1].end
    temporary = out.with_name(f".{out.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with disk_faults(out):
        try:
            _reserve(temporary, samples * ROW.itemsize + _BESIDES)
            place = _frame(temporary, samples, lost, out.stem, user)
            with open(temporary, "r+b") as file:
                os.posix_fallocate(file.fileno(), place, samples * ROW.itemsize)
                file.seek(place)
                for rows in _rows(part, parts):
                    file.write(rows.tobytes())
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, out)
        finally:
            temporary.unlink(missing_ok=True)
    return samples / TYPING.rate


def _parts(path: Path) -> tuple[list[_Part], np.ndarray]:
    """The stretches of a recording, and (first, count) of its lost samples."""
    parts: list[_Part] = []
    lost: list[tuple[int, int]] = []
    at = 0
    for packet in read_packets(path):
        if (packet.emg_TxC.shape[1], packet.rate) != (TYPING.channels, TYPING.rate):
            raise InputError(
                f"{path}: {packet.emg_TxC.shape[1]} channels at {packet.rate:g} Hz; a session of emg2qwerty's format "
                f"has {TYPING.channels} at {TYPING.rate:g} Hz: record an .xdf file",
                "band-misfit",
            )
        end = packet.first + len(packet.emg_TxC)
        if not parts or packet.fresh:
            parts.append(_Part(packet.first, end, device=np.isfinite(packet.time) and not np.isfinite(packet.sent)))
        now = parts[-1]
        now.end = end
        if np.isfinite(packet.sent):
            now.host.add((end - now.first) / packet.rate, packet.sent)
            if not np.isfinite(now.begun):
                now.begun = packet.sent - (end - now.first) / packet.rate
        bad = np.ones(end - at, bool)
        bad[packet.first - at :] = ~np.isfinite(packet.emg_TxC).all(axis=1)
        for first, count in _stretches(bad, at):
            if lost and sum(lost[-1]) == first:
                lost[-1] = (lost[-1][0], lost[-1][1] + count)
            else:
                lost.append((first, count))
        at = end
    if not parts:
        raise InputError(f"{path}: holds no samples", "empty")
    return parts, np.array(lost, np.int64).reshape(-1, 2)


def _reserve(path: Path, size: int) -> None:
    """Fail now if the disk has no room: an HDF5 file that runs out of it while it is written harms the process."""
    with open(path, "xb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    path.unlink()


def _frame(path: Path, samples: int, lost: np.ndarray, name: str, user: str) -> int:
    """A session whose samples are still to be written; the place of the first one in the file."""
    with h5py.File(path, "w") as file:
        group = file.create_group(GROUP)
        group.create_dataset(LOST, data=lost)
        group.attrs["session_name"], group.attrs["user"] = name, user
        group.attrs["condition"], group.attrs["duration_mins"] = "on_keyboard", samples / TYPING.rate / 60
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        kind, space = h5py.h5t.py_create(ROW, logical=True), h5py.h5s.create_simple((samples,))
        return int(h5py.h5d.create(group.id, b"timeseries", kind, space, plan).get_offset())


def _rows(path: Path, parts: list[_Part]) -> Iterator[np.ndarray]:
    """The samples of the session, in order, lost ones as zeros."""
    at, latest, which = 0, -np.inf, -1
    for packet in read_packets(path):
        which += packet.fresh or which < 0
        end = packet.first + len(packet.emg_TxC)
        rows = np.zeros(end - at, ROW)
        emg = np.where(np.isfinite(packet.emg_TxC).all(axis=1)[:, None], packet.emg_TxC, 0)
        rows["emg_left"][packet.first - at :], rows["emg_right"][packet.first - at :] = emg[:, :16], emg[:, 16:]
        rows["time"] = np.maximum.accumulate(np.maximum(_times(parts[which], packet, np.arange(at, end)), latest))
        latest, at = rows["time"][-1], end
        yield rows


def _times(now: _Part, packet: Packet, numbers: np.ndarray) -> np.ndarray:
    if now.device and np.isfinite(packet.time):
        return packet.time + (numbers - packet.first) / packet.rate
    since = (numbers - now.first) / packet.rate
    begun = now.host.host_time(0.0)
    if begun is None:
        return (now.begun if np.isfinite(now.begun) else 0.0) + since
    slope = now.host.slope or 0.0
    return begun + since * (1.0 + slope)


def _stretches(bad_T: np.ndarray, at: int) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad_T, [False]]).astype(np.int8)))
    return [(at + int(a), int(b - a)) for a, b in edges.reshape(-1, 2)]
