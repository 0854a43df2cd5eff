"""Folders of shards of any band: toy gestures that light up some electrodes, for tests that train on them."""

from pathlib import Path

import numpy as np

from semgjax.data.band import Band
from semgjax.data.readers.recording import Form, Item, Recording, array_recording
from semgjax.data.shards.ingest import ingest_items
from semgjax.data.splitting.splits import Split, write_split

MYO = Band((8,), 200.0, ("flexion", "extension", "fist"))
TOY = Band((4,), 500.0, ("up", "down"))
RINGS = Band((8, 8, 8, 8), 1000.0, ("pinch", "wave", "rest"))
SECONDS = 12.0


def peek(files) -> tuple[str, str]:
    with np.load(files[0]) as found:
        return str(found["name"]), str(found["user"])


def read(files) -> Recording:
    with np.load(files[0]) as found:
        events = list(zip(found["seconds"].tolist(), found["labels"].tolist(), strict=True))
        classes, rings = tuple(found["classes"].tolist()), tuple(found["rings"].tolist())
        return array_recording(
            found["emg"], float(found["rate"]), events, str(found["name"]), str(found["user"]), classes, rings=rings
        )


def write_band(folder: Path, band: Band, users: int = 3, sessions: int = 2, untrained: bool = False) -> Path:
    """Shards of a band, with a split that tests on the last user; `untrained` leaves its last class out of training."""
    assert band.classes is not None
    source, names = folder / "source", {}
    source.mkdir(parents=True)
    for user in range(users):
        for number in range(sessions):
            rng = np.random.default_rng((user, number))
            name = f"u{user}-{number}"
            seconds = np.arange(0.5, SECONDS - 0.5, 1.0)
            most = len(band.classes) - (untrained and user < users - 1)
            labels = np.arange(len(seconds)) % most
            emg = rng.normal(0, 1e-2, (round(SECONDS * band.rate), band.channels))
            for second, label in zip(seconds, labels, strict=True):
                first, last = (round((second + more) * band.rate) for more in (0.0, 0.4))
                emg[first:last, label :: len(band.classes)] *= 20
            np.savez(
                source / f"{name}.npz", emg=emg.astype(np.float32), name=name, user=f"u{user}", rate=band.rate,
                seconds=seconds, labels=np.array(band.classes)[labels], classes=np.array(band.classes),
                rings=np.array(band.rings),
            )  # fmt: skip
            names[name] = user
    items = [Item(f"{name}.npz", (source / f"{name}.npz",), Form(peek, read)) for name in names]
    ingest_items(source, items, folder / "shards")
    test = tuple(name for name, user in names.items() if user == users - 1)
    train = tuple(name for name in names if name not in test)
    write_split(folder / "shards" / "splits.json", Split(train[:-1], train[-1:], test, {}))
    return folder / "shards"
