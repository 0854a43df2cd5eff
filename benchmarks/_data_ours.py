"""Our loader of `semgjax bench data`: shards through the training pipeline.

`python -m benchmarks._data_ours FOLDER HOURS BATCH BATCHES ROUNDS WORKERS` prints
{"seconds": [...], "windows", "bytes"} of each round as JSON.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.batches import stream, train_data
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import find_sessions, open_session


def main(folder: str, hours: str, batch: str, batches: str, rounds: str, workers: str) -> None:
    """Load the batches and print how long they took, from the second on."""
    count = round(float(hours) * 4)
    paths = find_sessions(Path(folder))
    sessions = [open_session(path) for path in paths[:count]]
    data = train_data(sessions, WindowSpec(), replace(AugmentConfig(), roll=1, lag=120), int(batch), seed=0)
    rows = stream(data, 0, workers=int(workers))
    next(rows)
    seconds, size = [], 0
    for _ in range(int(rounds)):
        begun = time.perf_counter()
        size = sum(next(rows)["emg"].nbytes for _ in range(int(batches)))
        seconds.append(time.perf_counter() - begun)
    rows.close()
    print(json.dumps({"seconds": seconds, "windows": int(batch) * int(batches), "bytes": size}))


if __name__ == "__main__":
    main(*sys.argv[1:])
