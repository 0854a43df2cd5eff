"""Training batches by grain, each a function of (seed, step), and evaluation batches, equal in number on every host.

Memory: no signal stays in memory but the batches read ahead (`stream` says how many) and the windows being read. What
grows with the corpus are its key presses (20 bytes each) and its windows (8 bytes each), once for every process.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import grain.python as grain
import numpy as np
from absl import flags

from semgjax.data.batching.augment import AugmentConfig, Draw, check_augment, draw
from semgjax.data.batching.change import fill_changed
from semgjax.data.batching.mixing import mixed_batches, shuffled, unlabelled_rows
from semgjax.data.batching.target_views import pick_view, stored_type, view_change
from semgjax.data.batching.targets import Targets
from semgjax.data.batching.windows import WindowSpec, fill_window, labels_of, list_windows, max_labels
from semgjax.data.sessions import Session, announce, has_half
from semgjax.data.splitting.cut import without_labels
from semgjax.errors import InputError

Batch = dict[str, np.ndarray]
"""emg [B, T, C], float32, or float16 from shards in their own unit; valid int32 [B, 2]: first and last + 1 valid
sample; labels int32 [B, N], zero-padded; label_count int32 [B]; labelled bool [B], only where there are unlabelled
sessions; target [B, T_core, K], only with a cache, as it is stored (`target_views.dequantise`)."""

AHEAD = 4
"""Batches that a process prefetches."""


@dataclass(frozen=True)
class LoadBatch:
    """(step, window indices of its global batch) -> this host's rows of the batch, augmented.

    A row's random numbers depend on the seed and the row's place among all rows of all steps, not on the number of
    hosts or on the process that loads the row.

    Attributes:
        labelled: windows of labelled sessions, which come first; None if all are.
        targets: a teacher's, of all sessions; a row then is one of their views, and has the view's changes.
    """

    sessions: Sequence[Session]
    windows: np.ndarray
    spec: WindowSpec
    augment: AugmentConfig
    label_room: int
    half: bool
    seed: int
    rows: range
    labelled: int | None = None
    targets: Targets | None = None

    def __call__(self, step: int, indices: np.ndarray) -> Batch:
        count, shape = len(self.rows), (self.spec.total, self.sessions[0].channels)
        batch = {
            "emg": np.empty((count, *shape), np.float16 if self.half else np.float32),
            "valid": np.empty((count, 2), np.int32),
            "labels": np.zeros((count, self.label_room), np.int32),
            "label_count": np.empty(count, np.int32),
        }
        if self.labelled is not None:
            batch["labelled"] = np.asarray(indices)[self.rows] < self.labelled
        if self.targets is not None:
            kept = self.targets.spec
            batch["target"] = np.empty((count, kept.frames, kept.classes), stored_type(kept.kind))
        drawn = [self._draw(int(indices[place]), step * len(indices) + place) for place in self.rows]
        for session, start, _, _ in drawn:
            announce(session, start - self.spec.left, start + self.spec.length + self.spec.right)
        for row, (session, start, change, view) in enumerate(drawn):
            self._fill(batch, row, session, start, change)
            if self.targets is not None:
                batch["target"][row] = self.targets.read(session, start // self.spec.stride, view)
        return batch

    def _draw(self, index: int, place: int) -> tuple[Session, int, Draw, int]:
        """Session, first core sample, changes and view of the row at a place among all rows of all steps."""
        which, start = (int(number) for number in self.windows[index])
        session = self.sessions[which]
        if self.targets is not None:
            view = pick_view(self.targets.spec, self.seed, place)
            return session, start, view_change(self.targets.spec, session, start // self.spec.stride, view), view
        # The jitter stays within the session and before the next window's place on the grid.
        room = min(self.spec.stride, session.samples - self.spec.length - start)
        change = draw(self.augment, room, np.random.default_rng((self.seed, place)), session.band)
        return session, start + change.shift, change, 0

    def _fill(self, batch: Batch, row: int, session: Session, start: int, change: Draw) -> None:
        batch["valid"][row] = fill_changed(batch["emg"][row], session, start, self.spec, self.augment, change)
        labels = labels_of(session, start, start if change.silent else start + self.spec.length)
        batch["labels"][row, : len(labels)] = labels
        batch["label_count"][row] = len(labels)


@dataclass(frozen=True)
class TrainData:
    """Training windows as random-access batches: `batches[step]` depends only on (seed, step)."""

    batches: grain.MapDataset
    windows: int
    """labelled windows"""
    skipped: tuple[str, ...]
    label_room: int
    """width of a batch's labels"""
    labelled_rows: float
    """rows of a batch from labelled sessions; their mean, where they are mixed by number"""
    order: grain.MapDataset
    """window indices int64 [batch] by step"""
    load: LoadBatch
    """from step and indices to a batch"""

    def with_targets(self, targets: Targets) -> "TrainData":
        """The same windows in the same order, as views of a teacher's targets.

        Raises:
            InputError: the targets are of other windows or another augmentation ("conflict"), or lack a session
                ("no-file").
        """
        spec, load = targets.spec, replace(self.load, targets=targets)
        if (spec.window, spec.augment) != (load.spec, load.augment):
            raise InputError(f"{targets.folder}: targets of other windows or of another augmentation", "conflict")
        for session in load.sessions:
            if session.name not in targets.files:
                raise InputError(f"{targets.folder}: has no targets of session {session.name}", "no-file")
        return replace(self, batches=self.order.map_with_index(load), load=load)


def train_data(
    sessions: Sequence[Session],
    spec: WindowSpec,
    augment: AugmentConfig,
    batch: int,
    seed: int,
    host: int = 0,
    hosts: int = 1,
    unlabelled: Sequence[Session] = (),
    share: float | None = None,
) -> TrainData:
    """An endless sequence of shuffled, augmented batches; every epoch has its own order.

    Args:
        batch: rows over all hosts.
        host: index of this host among `hosts`; it gets its batch / hosts rows of the global batch.
        unlabelled: sessions whose windows are mixed in without labels; batches then say which rows are labelled.
        share: their share of the rows of every batch; None: by the number of their windows.

    Raises:
        InputError: no session is as long as a window, no window holds a key ("no-keys"), the batch is not a
            multiple of the hosts, the augmentation does not fit the sessions' band, or a share of unlabelled windows
            is not in [0, 1), leaves no row of one kind ("bad-value") or has no such windows ("no-sessions").
    """
    if hosts < 1 or not 0 <= host < hosts or batch % hosts:
        raise InputError(
            f"a batch of {batch} windows cannot be split over {hosts} hosts; give a multiple of {hosts}", "bad-value"
        )
    check_augment(augment, sessions[0].band)
    windows, skipped = list_windows(sessions, spec)
    if not windows:
        raise InputError(
            f"no training session holds a window of {spec.length} samples; use longer sessions or a shorter window",
            "bad-value",
        )
    room = -(-max_labels(sessions, spec.length) // 8) * 8
    # With jitter a core can start anywhere.
    if not room or not (augment.jitter or any(len(labels_of(sessions[s], at, at + spec.length)) for s, at in windows)):
        raise InputError(
            f"no window of the {len(sessions)} training sessions holds a key, so there is nothing to learn; see "
            "semgjax data check",
            "no-keys",
        )
    more, short = list_windows(unlabelled, spec) if share != 0 else ([], [])
    if share and not more:
        raise InputError(
            f"a share {share:g} of the windows is to be unlabelled, and none of {len(unlabelled)} unlabelled sessions "
            "holds a window; give a split with unlabelled sessions",
            "no-sessions",
        )
    rows = range(host * (batch // hosts), (host + 1) * (batch // hosts))
    everyone = (*sessions, *map(without_labels, unlabelled)) if more else tuple(sessions)
    places = np.array([*windows, *((len(sessions) + which, start) for which, start in more)], np.int32)
    half = augment.moves_only and all(has_half(session) for session in everyone)
    load = LoadBatch(everyone, places, spec, augment, room, half, seed, rows, len(windows) if more else None)
    if more:
        order = mixed_batches(len(windows), len(more), share, batch, seed)
        own = batch * len(windows) / len(places) if share is None else batch - int(unlabelled_rows(batch, share).sum())
    else:
        order, own = shuffled(len(windows), seed).batch(batch, drop_remainder=True), batch
    return TrainData(order.map_with_index(load), len(windows), (*skipped, *short), room, own, order, load)


def stream(data: TrainData, start: int, threads: int = 2, workers: int = 0) -> grain.DatasetIterator:
    """The batches of steps `start`, `start` + 1, ..., with a few prefetched; close it when done.

    The batches do not depend on threads or workers. Memory: about 1 + AHEAD + threads batches; with workers so many in
    each, and 2 more in transfer. Workers are processes, which take seconds to start.

    Args:
        workers: reading processes; 0 reads in threads of this process.
    """
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=AHEAD)
    batches = data.batches[start:].to_iter_dataset(options)
    if workers:
        if not flags.FLAGS.is_parsed():  # grain reads absl's flags, which only absl's programs parse
            flags.FLAGS.mark_as_parsed()
        batches = batches.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=1))
    return iter(batches)


def _windows_batch(
    sessions: Sequence[Session], pairs: Sequence[tuple[int, int]], spec: WindowSpec, batch: int
) -> dict[str, np.ndarray]:
    """Signal and valid samples of (session index, first core sample) pairs, padded with empty rows."""
    channels = sessions[0].channels
    emg = np.zeros((batch, spec.total, channels), np.float32)
    valid = np.zeros((batch, 2), np.int32)
    for row, (which, start) in enumerate(pairs):
        valid[row] = fill_window(emg[row], sessions[which], start, spec)
    return {"emg": emg, "valid": valid}


def session_chunks(session: Session, spec: WindowSpec, batch: int) -> Iterator[Batch]:
    """A whole session in windows of the training shape with adjacent cores, in batches padded with empty rows.

    Every sample is in one core; the last core may extend beyond the session's end. Batches have no labels.
    """
    starts = range(0, session.samples, spec.length)
    for begin in range(0, len(starts), batch):
        yield _windows_batch([session], [(0, start) for start in starts[begin : begin + batch]], spec, batch)


def eval_chunks(
    sessions: Sequence[Session], spec: WindowSpec, batch: int, host: int = 0, hosts: int = 1
) -> Iterator[Batch]:
    """Whole sessions, one after the other, in chunks as `session_chunks`; equally many batches on every host.

    Beside emg and valid, `session` int32 [B] is the index of a row's session (-1 of a row of padding) and `start`
    int32 [B] the first sample of its core, by which the hosts' outputs are put together.

    Args:
        batch: rows over all hosts; a host gets batch / hosts of them.

    Raises:
        InputError: the batch is not a multiple of the hosts.
    """
    pairs = [(which, start) for which, s in enumerate(sessions) for start in range(0, s.samples, spec.length)]
    yield from _shared(sessions, pairs, spec, batch, host, hosts)


def eval_windows(
    sessions: Sequence[Session], spec: WindowSpec, batch: int, host: int = 0, hosts: int = 1
) -> Iterator[Batch]:
    """The windows of the training grid in order, with labels, not augmented; equally many batches on every host.

    The members of a training batch, and `session` and `start` as in `eval_chunks`. Rows of padding have no labels.

    Raises:
        InputError: the batch is not a multiple of the hosts.
    """
    pairs, _ = list_windows(sessions, spec)
    room = -(-max_labels(sessions, spec.length) // 8) * 8
    for rows in _shared(sessions, pairs, spec, batch, host, hosts):
        labels = np.zeros((len(rows["session"]), room), np.int32)
        count = np.zeros(len(labels), np.int32)
        for row, (which, start) in enumerate(zip(rows["session"], rows["start"], strict=True)):
            if which >= 0:
                found = labels_of(sessions[which], int(start), int(start) + spec.length)
                count[row] = len(found)
                labels[row, : len(found)] = found
        yield {**rows, "labels": labels, "label_count": count}


def _shared(
    sessions: Sequence[Session], pairs: list[tuple[int, int]], spec: WindowSpec, batch: int, host: int, hosts: int
) -> Iterator[Batch]:
    """One host's rows of every batch of `pairs`, the last batch padded."""
    if hosts < 1 or not 0 <= host < hosts or batch % hosts:
        raise InputError(
            f"a batch of {batch} windows cannot be split over {hosts} hosts; give a multiple of {hosts}", "bad-value"
        )
    rows = batch // hosts
    for begin in range(0, len(pairs), batch):
        mine = pairs[begin + host * rows : begin + (host + 1) * rows]
        padding = [(-1, 0)] * (rows - len(mine))
        places = np.array([*mine, *padding], np.int32)
        yield {
            **_windows_batch(sessions, mine, spec, rows),
            "session": places[:, 0].copy(),
            "start": places[:, 1].copy(),
        }
