"""Compute the targets that a run's teachers give for the views of its windows, and write them beside its sessions.

`semgjax.data.batching.targets` reads them.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from array_record.python.array_record_module import ArrayRecordWriter

from semgjax.data.batching.target_views import TargetSpec, fill_view, quantise
from semgjax.data.batching.targets import (
    INDEX,
    SCHEMA,
    SUFFIX,
    TARGETS,
    VERSION,
    Targets,
    check_file,
    file_hash,
    open_targets,
    read_index,
    session_facts,
    target_file,
)
from semgjax.data.corpus import Corpus
from semgjax.data.sessions import Session
from semgjax.errors import InputError
from semgjax.evaluate.stitched import valid_samples
from semgjax.files import content_hash, disk_faults, folder_lock, write_json
from semgjax.model.encoder import Params
from semgjax.parallel.mesh import by_batch, local_mesh, replicated
from semgjax.parallel.runtime import is_first, on_first
from semgjax.training.criterion import Teachers, teacher_logits
from semgjax.training.mixture import unlabelled_of
from semgjax.training.run_config import RunConfig

Outputs = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(emg float32 [B, T, C], valid [B, 2]) -> log-probabilities float32 [B, T_core, K]"""
_MOST_ROWS = 32
_POLL, _SECONDS_BETWEEN_LINES = 0.5, 20.0


def cached(data: Path, config: RunConfig, teachers: Teachers, corpus: Corpus) -> Callable[[], Targets] | None:
    """What `semgjax.training.loop.train` calls for the targets of a run with distill.cache; None of one without.

    Missing targets are then computed, below `data`/targets, and said so on stderr.

    Args:
        data: folder of the sessions of `corpus`.
        teachers: several have one cache, of their mean probabilities.

    Raises:
        InputError: a teacher's frames or emission delay are not the student's ("conflict").
    """
    if not config.cached:
        return None
    for one, _ in teachers:
        for name in ("stride", "emission_delay"):
            if getattr(one, name) != getattr(config.model, name):
                raise InputError(
                    f"distill.cache: student and teacher differ in {name} ({getattr(config.model, name)} against "
                    f"{getattr(one, name)}), which only a teacher in every step can; leave the cache out",
                    "conflict",
                )
    sessions = (*corpus.train, *unlabelled_of(config, corpus)[0])
    return lambda: find_targets(data / TARGETS, spec_of(config), sessions, config, teachers)


def spec_of(config: RunConfig) -> TargetSpec:
    """What the cache of a run with distill.cache holds."""
    distill = config.distill
    assert distill is not None and distill.cache
    frames = config.window.length // config.model.stride
    teacher = content_hash(list(distill.teachers)) if distill.also else distill.teacher
    return TargetSpec(
        teacher, config.window, config.augment, distill.views, distill.cache, config.train.compute, frames,
        config.model.classes, config.model.emission_delay,
    )  # fmt: skip


def find_targets(
    root: Path, spec: TargetSpec, sessions: Sequence[Session], config: RunConfig, teachers: Teachers
) -> Targets:
    """The targets of the sessions, below `root`; those that are missing are computed first.

    With several processes all make this call; the first one computes, on its own devices.

    Raises:
        InputError: see `write_targets` and `open_targets`.
    """
    folder = spec.folder(root)
    try:
        return open_targets(folder, spec, sessions)
    except InputError as error:
        if error.code != "no-file":
            raise
    write_targets(root, spec, sessions, outputs_of(config, teachers), _rows(config))
    return open_targets(folder, spec, sessions)


def _rows(config: RunConfig) -> int:
    """Windows in one forward pass: those of a batch, at most _MOST_ROWS, a multiple of this process's devices."""
    devices = jax.local_device_count()
    return max(1, min(config.train.batch, _MOST_ROWS) // devices) * devices


def outputs_of(config: RunConfig, teachers: Teachers) -> Outputs:
    """The teachers' outputs in a step of the run, jitted, the rows split over this process's devices."""
    mesh = local_mesh()
    rows, whole = by_batch(mesh), replicated(mesh)
    networks = tuple(network for network, _ in teachers)

    def forward(params: tuple[Params, ...], emg_BxTxC: jax.Array, valid_Bx2: jax.Array) -> jax.Array:
        known = tuple(zip(networks, params, strict=True))
        valid_BxT = valid_samples(valid_Bx2, emg_BxTxC.shape[1])
        logits = teacher_logits(config, known, emg_BxTxC.astype(config.train.compute), valid_BxT)
        return jax.nn.log_softmax(logits.astype(jnp.float32), axis=-1)

    run = jax.jit(forward, in_shardings=(whole, rows, rows), out_shardings=rows)
    params = jax.device_put(tuple(params for _, params in teachers), whole)
    return lambda emg_BxTxC, valid_Bx2: np.asarray(run(params, emg_BxTxC, valid_Bx2))


def write_targets(root: Path, spec: TargetSpec, sessions: Sequence[Session], outputs: Outputs, batch: int) -> Path:
    """Write the targets that are missing below `root` and return their folder (`TargetSpec.folder`).

    Each session's file is written whole or not at all, so that a stopped call resumes after the last finished one;
    a call with further sessions adds theirs. While another process writes there, this one waits. Memory: `batch`
    windows and the teacher.

    Args:
        outputs: of the teacher that spec.teacher names.
        batch: windows in one forward pass.

    Raises:
        InputError: the disk is full or does not permit it, a session cannot be read, or an earlier file is damaged.
    """
    folder = spec.folder(root)
    files: dict[str, str] = {}
    progress = _Progress(spec, len(sessions))
    with contextlib.ExitStack() as stack:
        on_first(lambda: files.update(_begin(stack, folder, spec)))
        for session in sessions:
            # One after the other in all processes: none waits long for the first.
            on_first(partial(_add, folder, spec, session, outputs, batch, files, progress))
        body = {"spec": asdict(spec), "files": dict(sorted(files.items()))}
        on_first(lambda: write_json(folder / INDEX, SCHEMA, VERSION, body))
    progress.end(folder)
    return folder


def _begin(stack: contextlib.ExitStack, folder: Path, spec: TargetSpec) -> dict[str, str]:
    """Hold the folder until `stack` closes, once no other process does: the files that are recorded there."""
    said = False
    while True:
        try:
            stack.enter_context(folder_lock(folder))
            break
        except InputError as error:
            if error.code != "in-use":
                raise
            if not said:
                _say(f"{str(error).partition(';')[0]}; waiting for it")
            said = True
            time.sleep(_POLL)
    for draft in folder.glob(f".*{SUFFIX}.*"):  # of a call that was killed
        draft.unlink()
    return read_index(folder, spec) if (folder / INDEX).exists() else {}


def _add(
    folder: Path, spec: TargetSpec, session: Session, outputs: Outputs, batch: int, files: dict[str, str],
    progress: "_Progress",
) -> None:  # fmt: skip
    """Write the targets of a session, unless they are there, and note their hash in `files`."""
    facts = session_facts(spec, session)
    path = folder / target_file(facts)
    if not path.exists():
        progress.begin()
        _write(path, json.dumps(facts, sort_keys=True).encode(), _records(spec, session, outputs, batch))
        files.pop(path.name, None)
    check_file(path, spec, facts)
    if path.name not in files:
        files[path.name] = file_hash(path)
    progress.advance()


def _records(spec: TargetSpec, session: Session, outputs: Outputs, batch: int) -> Iterator[bytes]:
    """The records of a session, in their order."""
    windows = int(session_facts(spec, session)["windows"])
    places = [(window, view) for window in range(windows) for view in range(spec.views)]
    emg_BxTxC = np.zeros((batch, spec.window.total, session.channels), np.float32)
    valid_Bx2 = np.zeros((batch, 2), np.int32)
    for begin in range(0, len(places), batch):
        part = places[begin : begin + batch]
        valid_Bx2[:] = 0
        for row, (window, view) in enumerate(part):
            first, last, _ = fill_view(emg_BxTxC[row], spec, session, window, view)
            valid_Bx2[row] = first, last
        log_probs = outputs(emg_BxTxC, valid_Bx2)[: len(part)]
        if log_probs.shape[1:] != (spec.frames, spec.classes):
            shape = log_probs.shape[1:]
            raise InputError(f"teacher {spec.teacher[:16]}: emits {shape}, the student {spec.frames, spec.classes}",
                             "conflict")  # fmt: skip
        if not np.isfinite(log_probs).all():
            raise InputError(f"session {session.name}: the teacher's outputs are not finite; use another", "not-finite")
        yield from (quantise(one, spec.kind).tobytes() for one in log_probs)


def _write(path: Path, header: bytes, records: Iterator[bytes]) -> None:
    """Write a file of records, by renaming a draft beside it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with disk_faults(path):
            draft.touch()  # raises an OSError with errno, which the library does not
            writer = ArrayRecordWriter(str(draft), "group_size:1,uncompressed,max_parallelism:1")
            writer.write(header)
            for record in records:
                writer.write(record)
            if not writer.ok():
                raise InputError(
                    f"{path}: cannot be written; free some space and run the same command again", "io-error"
                )
            writer.close()
            with open(draft, "rb") as file:
                os.fsync(file.fileno())
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


class _Progress:
    """Lines on stderr while targets are computed: the first, one every 20 seconds, and the last."""

    def __init__(self, spec: TargetSpec, sessions: int) -> None:
        self._what = f"targets of teacher {spec.teacher[:16]}"
        self._sessions, self._done, self._begun, self._last = sessions, 0, 0.0, 0.0

    def begin(self) -> None:
        """A session's targets are missing."""
        if not self._begun:
            self._begun = self._last = time.monotonic()
            _say(f"{self._what}: computing, {self._done} of {self._sessions} sessions")

    def advance(self) -> None:
        """A session's targets are there."""
        self._done += 1
        if self._begun and time.monotonic() - self._last > _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            _say(f"{self._what}: {self._done} of {self._sessions} sessions")

    def end(self, folder: Path) -> None:
        """All are there."""
        if self._begun:
            size = sum(path.stat().st_size for path in folder.glob(f"*{SUFFIX}")) / 1e6
            _say(f"{self._what}: {size:.1f} MB in {folder}, {time.monotonic() - self._begun:.0f} s")


def _say(line: str) -> None:
    if is_first():
        print(f"semgjax: {line}", file=sys.stderr, flush=True)
