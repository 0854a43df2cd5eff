"""The files of one session, joined: their samples in order, events, joints, and checks of their times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from semgjax.data.tabular.array_blocks import array_blocks, signal_name, signal_shape
from semgjax.data.tabular.array_files import opened_arrays
from semgjax.data.tabular.block import Block
from semgjax.data.tabular.declaration import Declaration
from semgjax.data.tabular.delimited import read_blocks
from semgjax.data.tabular.label_runs import Event, Runs
from semgjax.errors import InputError

_KEPT = 1 << 27
"""Bytes of signal up to which a session is kept in memory between the passes; a longer one is read anew."""
_RATE_ERROR = 0.01
"""Share by which the rate of the times may differ from the declared one."""
_FEW = 20
"""Samples below which times do not give a rate."""


@dataclass(frozen=True)
class Seen:
    """What a first pass through a session finds.

    Attributes:
        starts: first sample of every file.
        joints: first sample of every part but the first.
        peak: largest absolute value in the files.
    """

    samples: int
    channels: int
    starts: tuple[int, ...]
    joints: tuple[int, ...]
    events: list[Event]
    peak: float


class Parts:
    """The files of a session in order.

    Args:
        files: (path, values of its placeholders).
    """

    def __init__(self, files: Sequence[tuple[Path, dict[str, str]]], declaration: Declaration) -> None:
        self._files, self._declaration = files, declaration
        self._kept: list[tuple[np.ndarray, bool]] | None = None

    def scan(self) -> Seen:
        """Read everything once, and check it.

        Raises:
            InputError: see `semgjax.data.tabular.table_source.open_recording`.
        """
        declaration = self._declaration
        runs = Runs(declaration.labels)
        samples, channels, starts, joints = 0, 0, [], []
        kept: list[tuple[np.ndarray, bool]] | None = []
        size, peak = 0, 0.0
        for path, values in self._files:
            starts.append(samples)
            for block, start, stop, fresh in self._pieces(path):
                if fresh:
                    runs.end()
                    joints += [samples] if samples else []
                channels = channels or block.emg_TxC.shape[1]
                if block.emg_TxC.shape[1] != channels:
                    raise InputError(
                        f"{path}: has {block.emg_TxC.shape[1]} electrodes, {self._files[0][0]} of the same session has "
                        f"{channels}; correct one of them",
                        "channel-count",
                    )
                found = _labels(declaration, block, values)
                if found is not None:
                    named = block if declaration.labels.source == "column" else replace(block, name_of=str)
                    runs.add(path, named, found[start:stop], start)
                samples += stop - start
                peak = max(peak, float(np.abs(block.emg_TxC[start:stop]).max()))
                size += (stop - start) * channels * 8
                if kept is not None:
                    kept.append((block.emg_TxC[start:stop], fresh))
                    kept = kept if size <= _KEPT else None
        runs.end()
        self._kept = kept
        return Seen(samples, channels, tuple(starts), tuple(joints), runs.events, peak)

    def stretches(self) -> Iterator[tuple[np.ndarray, bool]]:
        """The signal in pieces, float64: (samples, whether they begin a part)."""
        if self._kept is not None:
            yield from self._kept
            return
        for path, _ in self._files:
            for block, start, stop, fresh in self._pieces(path):
                yield block.emg_TxC[start:stop], fresh

    def _pieces(self, path: Path) -> Iterator[tuple[Block, int, int, bool]]:
        """A file's blocks, cut at gaps: (block, first sample, the one after the last, whether a part begins there)."""
        declaration = self._declaration
        signal = declaration.signal
        clock = _Clock(path, declaration)
        fresh = True
        if declaration.files.form == "text":
            label = declaration.labels.column if declaration.labels.source == "column" else ""
            blocks = read_blocks(path, declaration.text, signal.channels, label, signal.time)
        else:
            _check_array_file(path, declaration)
            blocks = array_blocks(path, declaration)
        inner = _joints_inside(path, declaration)
        for block in blocks:
            cuts = {*clock.gaps(block), *(j - block.first for j in inner if 0 < j - block.first < block.samples)}
            begins = block.first in inner and block.first > 0
            edges = [0, *sorted(cuts - {0}), block.samples]
            for start, stop in zip(edges[:-1], edges[1:], strict=True):
                yield block, start, stop, fresh or start > 0 or 0 in cuts or begins
                fresh = False
        clock.check_rate()


def _labels(declaration: Declaration, block: Block, values: dict[str, str]) -> np.ndarray | None:
    if declaration.labels.source == "path":
        return np.full(block.samples, values["label"])
    return block.labels if declaration.labels.source == "column" else None


def _check_array_file(path: Path, declaration: Declaration) -> None:
    """The rate that a file names is the declared one, and it has as many electrodes as the rings."""
    part, signal = declaration.arrays, declaration.signal
    with opened_arrays(path) as arrays:
        if part.rate:
            rate = arrays.number(part.rate)
            if abs(rate - signal.rate) > 1e-6 * signal.rate:
                raise InputError(
                    f"{path}: {part.rate} is {rate:g} Hz, signal.rate is {signal.rate:g} Hz; leave the file out, "
                    "resample it, or correct semgjax.toml",
                    "rate-differs",
                )
        if not signal.channels and signal.rings:
            _, width = signal_shape(path, arrays.get(signal_name(declaration)), part)
            if width != sum(signal.rings):
                raise InputError(
                    f"{path}: has {width} electrodes, signal.rings {list(signal.rings)} {sum(signal.rings)}; correct "
                    "semgjax.toml or the file",
                    "channel-count",
                )


def _joints_inside(path: Path, declaration: Declaration) -> frozenset[int]:
    """First samples of the recordings that were joined in one file of arrays."""
    name = declaration.arrays.joints
    if not name:
        return frozenset()
    with opened_arrays(path) as arrays:
        found = np.asarray(arrays.get(name)[...])
        samples, _ = signal_shape(path, arrays.get(signal_name(declaration)), declaration.arrays)
    if found.dtype.kind not in "iuf" or not (found.ndim < 2 or 1 in found.shape or found.shape[1] == 2):
        raise InputError(f"{path}: {name} is {found.dtype} of shape {found.shape}, expected [n] or [n, 2]", "bad-shape")
    firsts = found[:, 0] if found.ndim == 2 and found.shape[1] == 2 else found.reshape(-1)
    if (np.diff(firsts) <= 0).any() or (firsts < 0).any() or (firsts >= samples).any() or (firsts % 1 != 0).any():
        raise InputError(f"{path}: {name} does not ascend within {samples} samples; correct the file", "bad-value")
    return frozenset(int(first) for first in firsts) - {0}


class _Clock:
    """Checks the times of one file."""

    def __init__(self, path: Path, declaration: Declaration) -> None:
        self._path, self._signal = path, declaration.signal
        # Events in seconds are placed by the rate, so that a drift would displace the last ones.
        self._exact = declaration.labels.source == "events" and declaration.events.tick > 0
        self._latest: float | None = None
        self._steps, self._seconds = 0, 0.0

    def gaps(self, block: Block) -> list[int]:
        """Samples of a block before which there is a gap.

        Raises:
            InputError: time decreases, or has a gap that is not declared ("gap-in-signal").
        """
        if block.time is None:
            return []
        before = block.time[0] if self._latest is None else self._latest
        steps = np.diff(block.time, prepend=before) * self._signal.tick
        self._latest = float(block.time[-1])
        falls = np.flatnonzero(steps < 0)
        if len(falls):
            row = int(falls[0])
            earlier = block.time[row - 1] if row else before
            raise InputError(
                f"{self._path}: {block.place_of(row)}: time goes back from {earlier:.10g} to {block.time[row]:.10g}; "
                "sort or repair the file, or leave it out",
                "gap-in-signal",
            )
        long = np.flatnonzero(steps > max(self._signal.longest_step, 1.5 / self._signal.rate))
        if len(long) and self._signal.gaps == "refuse":
            row = int(long[0])
            raise InputError(
                f"{self._path}: {block.place_of(row)}: {steps[row]:.4g} s without samples; set signal.gaps to 'joint' "
                "to start a new part there, or raise signal.longest_step",
                "gap-in-signal",
            )
        inside = np.delete(steps, long)
        self._steps += len(inside) - (1 if block.first == 0 else 0)
        self._seconds += float(inside.sum())
        return [int(row) for row in long]

    def check_rate(self) -> None:
        """Compare the rate of all times with the declared one.

        Raises:
            InputError: they differ by more than a hundredth ("rate-differs").
        """
        if self._steps < _FEW:
            return
        rate = self._signal.rate
        ticks = 2 * self._signal.tick if self._signal.time_unit != "s" else 0.0
        expected = self._steps / rate
        allowed = 2 / rate if self._exact else _RATE_ERROR * expected
        if abs(self._seconds - expected) > allowed + ticks:
            found = self._steps / self._seconds if self._seconds else float("inf")
            raise InputError(
                f"{self._path}: its times have {found:.6g} samples a second, signal.rate is {rate:g}; correct "
                "signal.rate or signal.time_unit, leave the file out, or take out signal.time if times are unreliable",
                "rate-differs",
            )
