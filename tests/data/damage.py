"""Every way in which a session file can be bad: name -> (what makes it, the field or value that its message names)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.data.fixtures import START, random_emg, sample_times, typed, write_session

SAMPLES = 9000


def _with(**options: Any) -> Callable[[Path], object]:
    return lambda path: write_session(path, SAMPLES, **options)


def _keystrokes(value: Any) -> Callable[[Path], object]:
    return _with(attributes={"keystrokes": json.dumps(value)})


def _truncated(path: Path) -> None:
    write_session(path, SAMPLES)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _no_group(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("another")


def _group_is_a_dataset(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["emg2qwerty"] = np.zeros(3)


def _plain_array(path: Path) -> None:
    write_session(path, SAMPLES, dataset=None)
    with h5py.File(path, "a") as file:
        file["emg2qwerty/timeseries"] = random_emg(100)


def _clock_type(path: Path) -> None:
    write_session(path, SAMPLES, dataset=None)
    with h5py.File(path, "a") as file:
        space = h5py.h5s.create_simple((3,))
        h5py.h5d.create(file["emg2qwerty"].id, b"timeseries", h5py.h5t.UNIX_D32LE, space)


def _bad_sample(value: float, sample: int, column: int) -> Callable[[Path], object]:
    emg = random_emg(SAMPLES)
    emg[[sample, sample + 5], column] = value
    return _with(emg=emg)


def _time(sample: int, value: float) -> Callable[[Path], object]:
    time = sample_times(SAMPLES)
    time[sample] = value
    return _with(time=time)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no HDF5": (lambda path: path.write_text("session,user\n"), "HDF5"),
    "empty file": (lambda path: path.write_bytes(b""), "HDF5"),
    "truncated": (_truncated, "truncated"),
    "no group": (_no_group, "/emg2qwerty"),
    "group is a dataset": (_group_is_a_dataset, "/emg2qwerty"),
    "no dataset": (_with(dataset=None), "timeseries"),
    "plain array": (_plain_array, "timeseries"),
    "type that numpy lacks": (_clock_type, "timeseries"),
    "no left band": (_with(order=("emg_right", "time")), "emg_left"),
    "no right band": (_with(order=("emg_left", "time")), "emg_right"),
    "no time": (_with(order=("emg_left", "emg_right")), "time"),
    **{
        f"no {name}": (_with(attributes={name: None}), name)
        for name in ("session_name", "user", "condition", "duration_mins", "prompts")
    },
    "15 channels": (_with(channels=15), "emg_left has 15"),
    "integer samples": (_with(emg_type="<i2"), "int16"),
    "integer time": (_with(time_type="<i8"), "int64"),
    "coarse time": (_with(time_type="<f4"), "float32"),
    "empty signal": (_with(emg=np.zeros((0, 32))), "timeseries"),
    "NaN on the left": (_bad_sample(np.nan, 4321, 15), "sample 4321, channel 15"),
    "infinite on the right": (_bad_sample(-np.inf, 8990, 16), "sample 8990, channel 0"),
    "huge on the left": (_bad_sample(2e10, 17, 3), "sample 17, channel 3"),
    "NaN in time": (_time(17, np.nan), "sample 17"),
    "decreasing time": (_time(5000, START), "sample 5000"),
    "another condition": (_with(attributes={"condition": "standing"}), "'standing'"),
    "keystrokes no JSON": (_with(attributes={"keystrokes": "[{"}), "keystrokes"),
    "prompts no JSON": (_with(attributes={"prompts": "{'a': 1}"}), "prompts"),
    "deep JSON": (_with(attributes={"keystrokes": "[" * 20_000}), "keystrokes"),
    "keystrokes no list": (_keystrokes({"key": "a"}), "keystrokes"),
    "keystroke no object": (_keystrokes([*typed("a"), "b"]), "keystrokes[1]"),
    "keystroke without key": (_keystrokes([*typed("ab"), {"start": START}]), "keystrokes[2]"),
    "keystroke without start": (_keystrokes([{"key": "a"}]), "keystrokes[0]"),
    "key no text": (_keystrokes([{"key": None, "start": START}]), "keystrokes[0]"),
    "start no number": (_keystrokes([{"key": "a", "start": "soon"}]), "'soon'"),
    "start a truth value": (_keystrokes([{"key": "a", "start": True}]), "True"),
    "start NaN": (_keystrokes([{"key": "a", "start": float("nan")}]), "nan"),
    "start too large": (_keystrokes([{"key": "a", "start": 10**400}]), "1000"),
    "empty key": (_keystrokes([{"key": "", "start": START}]), "keystrokes[0]"),
    "user empty": (_with(attributes={"user": ""}), "user"),
    "user no text": (_with(attributes={"user": 7.5}), "user"),
    "user not in UTF-8": (_with(attributes={"user": np.bytes_(b"\xff")}), "user"),
}
