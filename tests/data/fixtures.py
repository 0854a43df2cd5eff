"""Writes small session files in the emg2qwerty format, sound or with one thing wrong, for tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

START = 1_600_000_000.0
"""Unix seconds of the first sample."""


def sample_times(samples: int) -> np.ndarray:
    """float64[samples]: 2 kHz from START on."""
    return START + np.arange(samples) / 2000.0


def random_emg(samples: int, seed: int = 0) -> np.ndarray:
    """float32[samples, 32] with a spread like that of real signals."""
    return np.random.default_rng(seed).normal(0, 14, (samples, 32)).astype(np.float32)


def typed(text: str, first: float = START + 0.25, interval: float = 0.25) -> list[dict[str, Any]]:
    """One keystroke a character, `interval` seconds apart; a blank is Key.space."""
    return [
        {
            "key": "Key.space" if key == " " else key,
            "start": first + i * interval,
            "end": first + i * interval + 0.1,
        }
        for i, key in enumerate(text)
    ]


def write_session(
    path: Path,
    samples: int = 10_000,
    *,
    name: str | None = None,
    user: str = "7",
    keystrokes: Sequence[Any] = (),
    emg: np.ndarray | None = None,
    time: np.ndarray | None = None,
    order: Sequence[str] = ("emg_right", "time", "emg_left"),
    emg_type: str = "<f4",
    time_type: str = "<f8",
    channels: int = 16,
    dataset: str | None = "timeseries",
    attributes: Mapping[str, Any] | None = None,
) -> Path:
    """Write one session file; the defaults make a sound one.

    Args:
        path: the file; its stem is the session's name unless `name` is given.
        samples: length; taken from `emg` or `time` where one is given.
        emg: [samples, 2 * channels], left band first; random when not given.
        time: float64[samples], unix seconds; regular 2 kHz when not given.
        order: the fields of a record, in the file's order; leave one out to make a file without it.
        dataset: its name in the group; None leaves it out.
        attributes: replace (or with None remove) attributes of the group.
    """
    if emg is not None or time is not None:
        samples = len(emg if emg is not None else time)  # type: ignore[arg-type]
    emg = random_emg(samples)[:, : 2 * channels] if emg is None else emg
    types = {"emg_left": (emg_type, (channels,)), "emg_right": (emg_type, (channels,)), "time": (time_type,)}
    records = np.zeros(samples, np.dtype([(field, *types[field]) for field in order]))
    values = {
        "emg_left": emg[:, :channels],
        "emg_right": emg[:, channels:],
        "time": sample_times(samples) if time is None else time,
    }
    for field in order:
        records[field] = values[field]
    everything: dict[str, Any] = {
        "session_name": path.stem if name is None else name,
        "user": user,
        "condition": "on_keyboard",
        "duration_mins": samples / 2000 / 60,
        "keystrokes": json.dumps(list(keystrokes)),
        "prompts": json.dumps([{"name": "text_prompt", "start": START, "end": START + 1, "payload": {"text": "a"}}]),
        **(attributes or {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        group = file.create_group("emg2qwerty")
        if dataset is not None:
            group.create_dataset(dataset, data=records)
        group.attrs.update({key: value for key, value in everything.items() if value is not None})
    return path
