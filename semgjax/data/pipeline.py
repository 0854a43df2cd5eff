"""Batches of windows by grain: training batches as a function of (seed, step), evaluation chunks of whole sessions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grain.python as grain
import numpy as np

from semgjax.data.augment import AugmentConfig, draw
from semgjax.data.change import augment
from semgjax.data.sessions import Session
from semgjax.data.windows import WindowSpec, labels_of, list_windows, max_labels, read_window
from semgjax.errors import InputError

Batch = dict[str, np.ndarray]
"""emg float32 [B, T, C]; valid int32 [B, 2]: first and last + 1 valid sample; labels int32 [B, N], zero-padded;
label_count int32 [B]."""


@dataclass(frozen=True)
class LoadWindow:
    """Index of a training window -> its signal and labels, augmented; a grain random map."""

    sessions: Sequence[Session]
    windows: Sequence[tuple[int, int]]
    spec: WindowSpec
    augment: AugmentConfig
    label_room: int

    def __call__(self, index: int, rng: np.random.Generator) -> Batch:
        which, start = self.windows[index]
        session = self.sessions[which]
        # The jitter never leaves the session, nor passes the next window's place on the grid.
        room = min(self.spec.stride, session.samples - self.spec.length - start)
        change = draw(self.augment, room, rng)
        start += change.shift
        emg, first, last = read_window(session, start, self.spec, lag=change.lag)
        labels = labels_of(session, start, start if change.silent else start + self.spec.length)
        padded = np.zeros(self.label_room, np.int32)
        padded[: len(labels)] = labels
        return {
            "emg": augment(emg, change, first, last),
            "valid": np.array([first, last], np.int32),
            "labels": padded,
            "label_count": np.array(len(labels), np.int32),
        }


@dataclass(frozen=True)
class TrainData:
    """Training windows as random-access batches: `batches[step]` is a function of (seed, step) alone."""

    batches: grain.MapDataset
    windows: int
    skipped: tuple[str, ...]


def train_data(
    sessions: Sequence[Session], spec: WindowSpec, augment: AugmentConfig, batch: int, seed: int
) -> TrainData:
    """Shuffled, augmented batches without end; every epoch has its own order.

    Raises:
        InputError: no session is as long as a window.
    """
    windows, skipped = list_windows(sessions, spec)
    if not windows:
        raise InputError(
            f"no training session holds a window of {spec.length} samples; use longer sessions or a shorter window"
        )
    room = -(-max_labels(sessions, spec.length) // 8) * 8
    load = LoadWindow(tuple(sessions), tuple(windows), spec, augment, room)
    order = grain.MapDataset.source(range(len(windows))).seed(seed).shuffle().repeat()
    return TrainData(order.random_map(load).batch(batch, drop_remainder=True), len(windows), tuple(skipped))


def stream(data: TrainData, start: int, threads: int = 2) -> grain.DatasetIterator:
    """The batches from step `start` on, read ahead by a few; close it when done."""
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=4)
    return iter(data.batches[start:].to_iter_dataset(options))


def session_chunks(session: Session, spec: WindowSpec, batch: int) -> Iterator[Batch]:
    """A whole session in windows of the training shape, core next to core, in batches padded with empty rows.

    Every sample is in one core; the last core may reach past the session's end. Batches have no labels.
    """
    starts = range(0, session.samples, spec.length)
    for begin in range(0, len(starts), batch):
        rows = [read_window(session, start, spec) for start in starts[begin : begin + batch]]
        emg = np.zeros((batch, spec.total, rows[0][0].shape[1]), np.float32)
        valid = np.zeros((batch, 2), np.int32)
        for row, (signal, first, last) in enumerate(rows):
            emg[row], valid[row] = signal, (first, last)
        yield {"emg": emg, "valid": valid}
