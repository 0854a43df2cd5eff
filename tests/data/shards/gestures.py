"""Small folders of shards with gestures whose ends are known, in recordings of one gesture each, for tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from semgjax.data.readers.recording import Files, Form, Item, Recording, array_recording
from semgjax.data.shards.ingest import ingest_items

RATE = 200
CLASSES = ("fist", "flexion", "radial")
EACH = 3
"""events of a class; the recording of a class begins with 2 s of rest, each event and the rest after it take 2 s"""


def gestures(
    name: str, user: str, change: Callable[[np.ndarray], np.ndarray] = lambda emg: emg, seed: int = 0
) -> Recording:
    """A session of 9 events in 3 recordings, 8 electrodes at 200 Hz: noise, 8 times stronger at a class's electrodes.

    change: of the whole signal, [T, 8].
    """
    part = RATE * 2 * (1 + 2 * EACH)
    emg = np.random.default_rng([seed, *name.encode()]).normal(0, 2.0, (len(CLASSES) * part, 8))
    events, ends = [], []
    for number, label in enumerate(CLASSES):
        for event in range(EACH):
            first = number * part + RATE * (2 + 4 * event)
            emg[first : first + 2 * RATE, np.array_split(range(8), len(CLASSES))[::-1][number]] *= 8
            events.append((first / RATE, label))
            ends.append((first + 2 * RATE - 1) / RATE)
    joints = [part * number for number in range(1, len(CLASSES))]
    return array_recording(change(emg), RATE, events, name, user, CLASSES, ends=ends, joints=joints, rings=(8,))


def write_shards(folder: Path, recordings: list[Recording]) -> Path:
    """A folder of their shards, each made from a file of its own name beside the folder."""
    found = {recording.name: recording for recording in recordings}

    def item(name: str) -> Item:
        file = folder.parent / f"{name}.source"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        peek: Callable[[Files], tuple[str, str]] = lambda files: (name, found[name].user)  # noqa: E731
        return Item(name, (file,), Form(peek, lambda files: found[name]))

    ingest_items(folder, [item(name) for name in found], folder)
    return folder
