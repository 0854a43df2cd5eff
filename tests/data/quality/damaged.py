"""Simulated sessions without a fault, and copies with one thing made wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.quality.findings import Finding
from semgjax.data.quality.session_checks import check_session
from tests.data.fixtures import write_session

RATE = 2000
Keys = list[dict[str, Any]]


def damaged(
    sound: Path,
    path: Path,
    *,
    emg: Callable[[np.ndarray], np.ndarray] = lambda emg: emg,
    time: Callable[[np.ndarray], np.ndarray] = lambda time: time,
    keys: Callable[[Keys], Keys] = lambda keys: keys,
    name: str | None = None,
    user: str | None = None,
) -> Path:
    """Write a copy of `sound` at `path` with its signal [T, 32], its times or its keystrokes changed."""
    with h5py.File(sound) as file:
        group = file["emg2qwerty"]
        records = group["timeseries"][:]
        strokes = json.loads(group.attrs["keystrokes"])
        user = str(group.attrs["user"]) if user is None else user
    signal = np.concatenate([records["emg_left"], records["emg_right"]], axis=1)
    changed = emg(signal.copy())
    return write_session(
        path, emg=changed, time=time(records["time"].copy())[: len(changed)], keystrokes=keys(strokes), user=user,
        name=name,
    )  # fmt: skip


def findings_of(path: Path) -> dict[str, Finding]:
    """Code -> what a check of this one session finds; no code comes twice in these tests."""
    found = check_session(path, WindowSpec()).findings
    assert len({finding.code for finding in found}) == len(found)
    return {finding.code: finding for finding in found}
