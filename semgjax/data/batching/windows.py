"""Cut sessions into windows: a core, whose keys are the labels, with context on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.data.sessions import Session, read_emg, read_half
from semgjax.errors import InputError


@dataclass(frozen=True)
class WindowSpec:
    """How sessions are cut into windows, in samples of the sessions.

    Attributes:
        length: of the core of a window, whose keys are its labels
        stride: distance from one core to the next
        left: context before the core
        right: context after the core

    Raises:
        InputError: a length or stride below 1, a context below 0.
    """

    length: int = 8000
    stride: int = 8000
    left: int = 1800
    right: int = 200

    def __post_init__(self) -> None:
        for name, least in (("length", 1), ("stride", 1), ("left", 0), ("right", 0)):
            if getattr(self, name) < least:
                raise InputError(
                    f"window {name} is {getattr(self, name)} samples, expected {least} or more", "bad-value"
                )

    @property
    def total(self) -> int:
        """Samples of a window with its context."""
        return self.left + self.length + self.right


def window_starts(samples: int, spec: WindowSpec) -> np.ndarray:
    """First core sample of each window of a session, int64[W].

    W is (samples - length) // stride + 1, none when the session is shorter than a core. Samples past the last
    core are in no window.
    """
    if samples < spec.length:
        return np.zeros(0, np.int64)
    return np.arange((samples - spec.length) // spec.stride + 1, dtype=np.int64) * spec.stride


def list_windows(sessions: Sequence[Session], spec: WindowSpec) -> tuple[list[tuple[int, int]], list[str]]:
    """(session index, first core sample) of every window, and the names of sessions too short for one."""
    starts = [window_starts(session.samples, spec) for session in sessions]
    pairs = [(index, int(start)) for index, row in enumerate(starts) for start in row]
    return pairs, [session.name for session, row in zip(sessions, starts, strict=True) if not len(row)]


def labels_of(session: Session, start: int, stop: int) -> np.ndarray:
    """Classes of the keys of samples [start, stop), int32[n]: time[start] <= press <= time[stop - 1].

    Raises:
        ValueError: not 0 <= start <= stop <= samples.
    """
    if not 0 <= start <= stop <= session.samples:
        raise ValueError(f"samples {start}..{stop} are not within 0..{session.samples} of {session.name}")
    if start == stop:
        return session.labels[:0]
    # Both indices grow with the press, so the keys form one stretch.
    first = np.searchsorted(session.key_last, start, "left")
    end = np.searchsorted(session.key_first, stop - 1, "right")
    return session.labels[first:end]


def read_window(
    session: Session, start: int, spec: WindowSpec, lags: Sequence[int] = ()
) -> tuple[np.ndarray, int, int]:
    """The signal around the core that begins at sample `start`: (emg float32[total, channels], first, last).

    As `fill_window`, in a new array.
    """
    emg_TxC = np.empty((spec.total, session.channels), np.float32)
    first, last = fill_window(emg_TxC, session, start, spec, lags)
    return emg_TxC, first, last


def fill_window(
    out_TxC: np.ndarray,
    session: Session,
    start: int,
    spec: WindowSpec,
    lags: Sequence[int] = (),
    rolls: Sequence[int] = (),
) -> tuple[int, int]:
    """Read the signal around the core that begins at sample `start` into `out_TxC` [total, channels]: (first, last).

    The core always begins at row spec.left; it may extend beyond the session. Rows [first, last) are signal of
    all rings; the others, outside the session, are zero.

    With lags each ring after the first is read by so many samples later than the first, and all of them earlier by the
    middle of the range, so that the labels stay in the middle: with two rings and one lag, row i holds sample
    start - spec.left + i - lag // 2 of the first and start - spec.left + i + (lag - lag // 2) of the second.

    Args:
        out_TxC: contiguous; float32, or float16 for the signal as stored in a shard (`has_half`).
        lags: one for each ring but the first; () for none.
        rolls: places by which each ring's electrodes turn; () for none.

    Raises:
        InputError: the file was removed or changed since it was opened.
    """
    rings = session.band.rings
    offsets = (0, *lags) if lags else (0,) * len(rings)
    middle = (min(offsets) + max(offsets)) // 2
    begins = [start - spec.left + offset - middle for offset in offsets]  # samples of row 0
    first = min(max(0, -min(begins)), spec.total)
    last = max(min(spec.total, session.samples - max(begins)), first)
    out_TxC[:first] = 0
    out_TxC[last:] = 0
    if last == first:
        return first, last
    begin = min(begins) + first
    read = read_half if out_TxC.dtype == np.float16 else read_emg
    block_TxC = read(session, begin, max(begins) + last)
    signal_TxC = out_TxC[first:last]
    if not any(offsets) and not any(rolls):
        signal_TxC[:] = block_TxC
        return first, last
    turned_TxC, low = signal_TxC, 0
    for ring, (size, place) in enumerate(zip(rings, begins, strict=True)):
        emg_TxC = block_TxC[place + first - begin :][: last - first]
        _copy_turned(turned_TxC, emg_TxC, low, low + size, rolls[ring] if rolls else 0)
        if ring:
            signal_TxC[:, low : low + size] = turned_TxC[:, low : low + size]
        else:
            turned_TxC = np.empty_like(signal_TxC)
        low += size
    return first, last


def _copy_turned(out_TxC: np.ndarray, emg_TxC: np.ndarray, low: int, high: int, roll: int) -> None:
    """Columns [low, high) rotated by `roll` places; the other columns are undefined. Arrays are contiguous.

    Moving the whole array by a few values, and then the columns that wrap around, is seven times faster than copying
    the band row by row.
    """
    roll = (roll + (high - low) // 2) % (high - low) - (high - low) // 2  # in the shorter direction
    out, emg = out_TxC.reshape(-1), emg_TxC.reshape(-1)
    if roll > 0:
        out[roll:] = emg[:-roll]
        out_TxC[:, low : low + roll] = emg_TxC[:, high - roll : high]
    elif roll < 0:
        out[:roll] = emg[-roll:]
        out_TxC[:, high + roll : high] = emg_TxC[:, low : low - roll]
    else:
        out[:] = emg


def max_labels(sessions: Sequence[Session], length: int) -> int:
    """The largest number of keys in any stretch of `length` samples; 0 if all sessions are shorter."""
    most = 0
    for session in sessions:
        # A stretch that is moved later until its first key is at its start loses no key, so only stretches that start
        # at a key have to be counted, and the last one for keys near the end.
        starts = np.minimum(session.key_last, session.samples - length)
        starts = starts[starts >= 0]
        end = np.searchsorted(session.key_first, starts + length - 1, "right")
        count = end - np.searchsorted(session.key_last, starts, "left")
        most = max(most, int(count.max(initial=0)))
    return most
