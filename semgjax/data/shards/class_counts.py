"""How many events of each class the shards of a folder hold."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from semgjax.data.shards.manifest import SHARDS, Row
from semgjax.data.shards.shard_read import read_header


def class_counts(out: Path, rows: Iterable[Row]) -> dict[str, int]:
    """Name of a class -> number of its events in the sessions whose classes are no keys; 0 for one never seen.

    Raises:
        InputError: a shard cannot be read.
    """
    found: dict[str, int] = {}
    for row in rows:
        if row.classes is None:
            continue
        header = read_header(out / SHARDS / row.file)
        counts = np.bincount(header.labels, minlength=len(row.classes))
        for name, count in zip(row.classes, counts.tolist(), strict=True):
            found[name] = found.get(name, 0) + count
    return found
