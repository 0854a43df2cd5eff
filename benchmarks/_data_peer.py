"""The reference loader of `semgjax bench data`: sessions' HDF5 files through a torch DataLoader, in the usual style.

`python -m benchmarks._data_peer FOLDER HOURS BATCH BATCHES ROUNDS WORKERS` prints
{"seconds": [...], "windows", "bytes"} of each round as JSON.
A window is a slice of the file's compound dataset; its labels are found by going through the session's keystrokes. The
augmentation is ours: core jitter, band rotation, lag. No spectrogram is made.
"""

import json
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from semgjax.data.keys import label_of_key

CORE, LEFT, RIGHT, LAG = 8000, 1800, 200, 120


class Windows(Dataset):
    """Windows of a list of session files; a file is opened when first needed, and stays open."""

    def __init__(self, paths):
        self.paths, self.open = paths, {}
        self.index = []
        for number, path in enumerate(paths):
            with h5py.File(path) as file:
                samples = len(file["emg2qwerty/timeseries"])
            self.index += [(number, start, samples) for start in range(0, samples - CORE + 1, CORE)]

    def __len__(self):
        return len(self.index)

    def session(self, number):
        if number not in self.open:
            group = h5py.File(self.paths[number])["emg2qwerty"]
            self.open[number] = group["timeseries"], json.loads(group.attrs["keystrokes"])
        return self.open[number]

    def __getitem__(self, item):
        number, start, samples = self.index[item]
        series, keystrokes = self.session(number)
        start += np.random.randint(0, max(min(CORE, samples - CORE - start), 1))
        records = series[max(start - LEFT, 0) : min(start + CORE + RIGHT, samples)]
        first = min(start, LEFT)
        begin, end = records["time"][first], records["time"][first + CORE - 1]
        labels = []
        for stroke in keystrokes:
            if begin <= stroke["start"] <= end:
                label = label_of_key(stroke["key"])
                if label is not None:
                    labels.append(label)
        emg = torch.stack([torch.as_tensor(records["emg_left"]), torch.as_tensor(records["emg_right"])], dim=1)
        emg = torch.stack([emg[:, band].roll(int(np.random.randint(-1, 2)), dims=1) for band in (0, 1)], dim=1)
        lag = int(np.random.randint(-LAG, LAG + 1))
        if lag > 0:
            emg = torch.stack([emg[:-lag, 0], emg[lag:, 1]], dim=1)
        elif lag < 0:
            emg = torch.stack([emg[-lag:, 0], emg[:lag, 1]], dim=1)
        return emg, torch.as_tensor(labels, dtype=torch.long)


def collate(rows):
    """[T, B, 2, 16] and [N, B], padded, with their lengths."""
    emg, labels = [emg for emg, _ in rows], [labels for _, labels in rows]
    lengths = torch.as_tensor([len(one) for one in emg]), torch.as_tensor([len(one) for one in labels])
    return pad_sequence(emg), pad_sequence(labels), *lengths


def main(folder: str, hours: str, batch: str, batches: str, rounds: str, workers: str) -> None:
    """Load the batches and print how long they took, from the second on."""
    paths = sorted(Path(folder).glob("*.hdf5"))[: round(float(hours) * 4)]
    loader = DataLoader(
        Windows(paths), int(batch), shuffle=True, num_workers=int(workers), collate_fn=collate, drop_last=True
    )

    def endless():
        while True:
            yield from loader

    rows = endless()
    next(rows)
    seconds, size = [], 0
    for _ in range(int(rounds)):
        begun = time.perf_counter()
        size = sum(next(rows)[0].nbytes for _ in range(int(batches)))
        seconds.append(time.perf_counter() - begun)
    print(json.dumps({"seconds": seconds, "windows": int(batch) * int(batches), "bytes": size}))


if __name__ == "__main__":
    main(*sys.argv[1:])
