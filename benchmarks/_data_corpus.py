"""The corpus of `semgjax bench data`: a little simulated signal, tiled to sessions of full length; writes FOLDER/hdf5.

Simulating 20 hours takes hours of processor time and adds nothing here: how long a window takes to load does not
depend on what it holds. Each session is the simulated one over and over, with its own gain and start, so that no two
sessions have the same bytes.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from semgjax.data.simulate import simulate

RATE = 2000
MINUTES = 15


@dataclass(frozen=True)
class Base:
    """A simulated session to tile: its records without time, and (second, key) of its keystrokes."""

    records: np.ndarray
    strokes: list[tuple[float, str]]


def base_session(folder: Path) -> Base:
    """Two minutes of one user."""
    simulate(folder, users=1, sessions=1, minutes=2, seed=0)
    with h5py.File(next(folder.glob("*.hdf5"))) as file:
        group = file["emg2qwerty"]
        records = group["timeseries"][:]
        strokes = json.loads(group.attrs["keystrokes"])
    begun = records["time"][0]
    return Base(records, [(stroke["start"] - begun, stroke["key"]) for stroke in strokes])


def write_sessions(folder: Path, base: Base, numbers: range) -> None:
    """One file of 15 minutes for each number; the bytes depend on the number alone."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = MINUTES * 60 * RATE
    tile, seconds = len(base.records), len(base.records) / RATE
    for number in numbers:
        rng = np.random.default_rng(number)
        shift, begun = int(rng.integers(tile)), 1.6e9 + 1000.0 * number
        with h5py.File(folder / f"s{number:03d}.hdf5", "w") as file:
            group = file.create_group("emg2qwerty")
            series = group.create_dataset("timeseries", shape=(samples,), dtype=base.records.dtype)
            for at in range(0, samples, tile):
                block = np.roll(base.records, -shift)[: min(tile, samples - at)].copy()
                gain = np.float32(rng.uniform(0.5, 1.5))
                block["emg_left"] *= gain
                block["emg_right"] *= gain
                block["time"] = begun + (at + np.arange(len(block))) / RATE
                series[at : at + len(block)] = block
            strokes = [
                {"key": key, "start": begun + (second - shift / RATE) % seconds + at / RATE}
                for at in range(0, samples, tile)
                for second, key in base.strokes
            ]
            group.attrs.update(
                session_name=f"s{number:03d}",
                user=f"u{number % 7}",
                condition="on_keyboard",
                duration_mins=float(MINUTES),
                keystrokes=json.dumps(sorted(strokes, key=lambda stroke: stroke["start"])),
                prompts="[]",
            )
