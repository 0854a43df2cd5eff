"""The protocol of generic sources: any array of samples x channels with labelled events.

A new kind of source is two functions, in a module that worker processes can import:

    peek(files) -> (session name, user)      quick, called first
    open(files) -> Recording                 everything else; the signal is read in blocks, in order

combined in a `Form(peek, open)`, and one `Item(id, files, FORM)` for every session. `ingest_items` does the rest.
semgjax/data/readers/emg2pose.py is an example.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

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

    def __post_init__(self) -> None:
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
    emg_TxC: np.ndarray, rate: float, events: list[tuple[float, str]], name: str, user: str, classes: tuple[str, ...]
) -> Recording:
    """A recording from an array and its events: (seconds since the first sample, name of the class).

    Events whose name is not among `classes` are dropped and counted.
    """
    known = sorted((second, classes.index(label)) for second, label in events if label in classes)
    others = [label for _, label in events if label not in classes]
    first, last = place_events(np.array([second for second, _ in known], np.float64), len(emg_TxC), rate)
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
    )
