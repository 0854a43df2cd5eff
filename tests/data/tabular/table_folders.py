"""Folders of tables for tests: text files and the semgjax.toml beside them."""

from pathlib import Path

import numpy as np

TOML = """version = 1

[files]
pattern = "{user}-{session}.csv"
form = "text"

[text]
columns = 4

[signal]
channels = [1, 2]
rate = 100
time = 3
time_unit = "ms"

[labels]
source = "column"
column = 4
rest = ["0"]

[labels.names]
"1" = "fist"
"2" = "point"
"""


def declared(folder: Path, text: str = TOML, **changes: str) -> Path:
    """Write a semgjax.toml, with lines (by the name before the equal sign) that replace those of `text`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for line in text.splitlines():
        name = line.partition(" = ")[0]
        if name in changes:
            line = changes.pop(name)
        lines.append(line)
    assert not changes, changes
    (folder / "semgjax.toml").write_text("\n".join(lines) + "\n")
    return folder


def samples(count: int = 40, seed: int = 0) -> list[list[str]]:
    """Rows of two channels, time in ms at 100 Hz, and a label: rest, fist, rest, point, rest."""
    rng = np.random.default_rng(seed)
    emg = rng.integers(-99, 99, (count, 2))
    label = np.zeros(count, int)
    label[5:12], label[20:30] = 1, 2
    return [[str(a), str(b), str(10 * n), str(c)] for n, ((a, b), c) in enumerate(zip(emg, label, strict=True))]


def written(path: Path, rows: list[list[str]], delimiter: str = ",", end: str = "\n", last: str = "\n") -> Path:
    """Write rows as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(delimiter.join(row) for row in rows) + last).encode())
    return path
