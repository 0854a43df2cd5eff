"""The protocol of generic sources: any array of samples x channels with labelled events.

A new kind of source is two functions, in a module that worker processes can import:

    peek(files) -> (session name, user)      quick, called first
    open(files) -> Recording                 everything else; the signal is read in blocks, in order

combined in a `Form(peek, open)`, and one `Item(id, files, FORM)` for every session. `ingest_items` does the rest.
semgjax/data/readers/emg2pose.py is an example.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from semgjax.data.band import default_rings
from semgjax.data.key_counts import count_doubled
from semgjax.errors import InputError

Files = tuple[Path, ...]
BLOCK = 1 << 16
"""Approximate number of samples in a block."""


@dataclass(frozen=True, eq=False)
class Recording:
    """One session of any source.

    Attributes:
        rate: samples a second, nominal.
        labels: int32[n], class of each event, in order of time.
        key_first: int64[n], first sample with time >= the event's (`samples` when after the end).
        key_last: int64[n], last sample with time <= the event's (-1 when before the start).
        blocks: yields the signal from the start, float32 [n, channels] each; called again if the signal needs a scale.
        classes: names of the labels' classes; None for the keys of semgjax.data.keys.
        dropped: names of events of no class -> their number.
        tags: remarks about the quality.
        doubled: events that repeat one of the same class at the same time.
        rings: electrodes of each ring, in the order of the channels; () stands for `default_rings`.
        key_end: int64[n], last sample of each event, -1 where the source does not give it; None: of all of them.
        joints: first sample of every part, but the first, of a signal that was joined from several, ascending.
        origin: the session from whose events this one was spliced; "" for a session as it was recorded.
        origin_samples: samples of that session; 0 without one.
        labelled: whether the source says what was done; False: only the signal is known.
    """

    name: str
    user: str
    rate: float
    channels: int
    samples: int
    labels: np.ndarray
    key_first: np.ndarray
    key_last: np.ndarray
    blocks: Callable[[], Iterator[np.ndarray]]
    classes: tuple[str, ...] | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    doubled: int = 0
    rings: tuple[int, ...] = ()
    key_end: np.ndarray | None = None
    joints: tuple[int, ...] = ()
    origin: str = ""
    origin_samples: int = 0
    labelled: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rings", tuple(self.rings) or default_rings(self.channels))
        object.__setattr__(self, "joints", tuple(int(joint) for joint in self.joints))
        if not self.name or not self.user:
            raise InputError(f"session {self.name!r} of user {self.user!r}: both need a name", "bad-field")
        if not (math.isfinite(self.rate) and self.rate > 0) or self.channels < 1 or self.samples < 1:
            raise InputError(
                f"session {self.name}: {self.samples} samples x {self.channels} channels at {self.rate} Hz; "
                "all three must be positive",
                "channel-count",
            )
        sizes = {len(self.labels), len(self.key_first), len(self.key_last)}
        if len(sizes) > 1 or (np.diff(self.key_first) < 0).any() or (np.diff(self.key_last) < 0).any():
            raise InputError(
                f"session {self.name}: labels and places must be equal in number and in order of time", "bad-value"
            )
        if not self.labelled and (len(self.labels) or self.dropped):
            raise InputError(f"session {self.name}: is without labels, and has events; give one of both", "conflict")
        if sum(self.rings) != self.channels or min(self.rings) < 1:
            raise InputError(
                f"session {self.name}: rings {self.rings} do not add up to {self.channels} channels", "channel-count"
            )
        self._check_ends_and_joints()

    def _check_ends_and_joints(self) -> None:
        ends, joints = self.key_end, self.joints
        if ends is not None and (
            len(ends) != len(self.labels) or ((ends >= 0) & (ends < self.key_first)).any() or (ends < -1).any()
        ):
            raise InputError(f"session {self.name}: an event ends before it begins, or has no end", "bad-value")
        if any(not a < b for a, b in zip((0, *joints), (*joints, self.samples), strict=True)):
            raise InputError(
                f"session {self.name}: joints {joints[:3]} ... must ascend within its {self.samples} samples",
                "bad-value",
            )


@dataclass(frozen=True)
class Form:
    """How sessions of one kind are read: two top-level functions.

    Attributes:
        options: settings that change what `open` returns; part of a shard's identity.
    """

    peek: Callable[[Files], tuple[str, str]]
    open: Callable[[Files], Recording]
    options: str = ""


@dataclass(frozen=True)
class Item:
    """One session of a source.

    Attributes:
        id: its name in the source, used in messages; sessions are sorted by it.
        files: the files to read; their hash identifies the session.
    """

    id: str
    files: Files
    form: Form


def place_events(seconds: np.ndarray, samples: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Places of events in a regularly sampled signal, sample i at i / rate seconds: key_first and key_last.

    Args:
        seconds: float64[n] since the first sample, ascending.
    """
    time = np.arange(samples) / rate
    first = np.searchsorted(time, seconds, "left")
    return first.astype(np.int64), np.searchsorted(time, seconds, "right").astype(np.int64) - 1


def array_recording(
    emg_TxC: np.ndarray,
    rate: float,
    events: Sequence[tuple[float, str]],
    name: str,
    user: str,
    classes: tuple[str, ...],
    *,
    ends: Sequence[float] | None = None,
    joints: Sequence[int] = (),
    rings: tuple[int, ...] = (),
) -> Recording:
    """A recording from an array and its events: (seconds since the first sample, name of the class).

    Events whose name is not among `classes` are dropped and counted.

    Args:
        ends: seconds at which each event ends, in the order of `events`; NaN where it is not known.
        joints: as of `Recording`.
        rings: as of `Recording`.

    Raises:
        InputError: as `Recording`, or as many ends as events are not given.
    """
    if ends is not None and len(ends) != len(events):
        raise InputError(f"session {name}: {len(ends)} ends for {len(events)} events", "bad-shape")
    all_ends = [math.nan] * len(events) if ends is None else [float(end) for end in ends]
    found = [
        (second, classes.index(label), end)
        for (second, label), end in zip(events, all_ends, strict=True)
        if label in classes
    ]
    found.sort(key=lambda event: event[:2])
    known = [(second, label) for second, label, _ in found]
    others = [label for _, label in events if label not in classes]
    first, last = place_events(np.array([second for second, _ in known], np.float64), len(emg_TxC), rate)
    end_seconds = np.array([end for _, _, end in found], np.float64)
    given = np.isfinite(end_seconds)
    _, end_last = place_events(np.where(given, end_seconds, 0.0), len(emg_TxC), rate)
    return Recording(
        name=name,
        user=user,
        rate=rate,
        channels=emg_TxC.shape[1],
        samples=len(emg_TxC),
        labels=np.array([label for _, label in known], np.int32),
        key_first=first,
        key_last=last,
        blocks=lambda: (emg_TxC[at : at + BLOCK].astype(np.float32) for at in range(0, len(emg_TxC), BLOCK)),
        classes=classes,
        doubled=count_doubled(known),
        dropped={label: others.count(label) for label in sorted(set(others))},
        rings=rings,
        key_end=None if ends is None else np.where(given, end_last, -1),
        joints=tuple(joints),
    )
