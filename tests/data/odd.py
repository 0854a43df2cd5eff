"""Sessions with everything odd that real ones hold: field order, ties, keys on window edges and after the end, ..."""

import json
from pathlib import Path

import numpy as np

from semgjax.data.batching.windows import WindowSpec
from tests.data.fixtures import START, random_emg, sample_times, write_session

SPEC = WindowSpec(length=800, stride=700, left=180, right=20)
SAMPLES = (9003, 5200, 799, 3001)


def write_odd_sessions(folder: Path) -> Path:
    """Four sessions of two users; the third is shorter than a window of SPEC."""
    orders = [("emg_right", "time", "emg_left"), ("time", "emg_left", "emg_right")]
    for number, samples in enumerate(SAMPLES):
        time = sample_times(samples)
        time[700:705] = time[700]  # ties over a window's first sample
        if samples > 1502:
            time[1498:1502] = time[1498]
        edges = [time[place] for start in range(0, samples - 800, 700) for place in (start, start + 799)]
        presses = [
            *edges,
            time[0] - 1,
            time[-1],
            time[-1] + 0.5,
            time[700],
            time[min(1499, samples - 1)],
            START + 0.1234,
        ]
        keys = ["a", "Key.space", "B", "Key.shift_r", "\u2019", "Key.backspace", "\u2026"]
        strokes = [{"key": keys[i % 7], "start": float(press), "other": [None]} for i, press in enumerate(presses)]
        for stroke in strokes[::2]:
            stroke["end"] = stroke["start"] + 0.1
        prompts = [{"name": "text_prompt", "start": START, "end": START + 1, "payload": None}]
        write_session(
            folder / f"odd{number}.hdf5",
            emg=random_emg(samples, number),
            time=time,
            order=orders[number % 2],
            user=f"u{number % 2}",
            keystrokes=strokes,
            attributes={"prompts": json.dumps(prompts), "more": 3, "num_channels": np.int64(32)},
        )
    return folder
