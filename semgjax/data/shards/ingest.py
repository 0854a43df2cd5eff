"""Convert sessions to shards, in parallel and resumable: writes OUT/shards/*.arrayrecord, then OUT/manifest.json.

A shard's name is a hash of its source (bytes, session name, user), and its bytes depend only on the source. Finished
sessions are therefore recognised, and the result does not depend on the number of workers or on interruptions.
"""

import contextlib
import hashlib
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from semgjax.data.readers.archive import Entry, Untrusted, stream_entries
from semgjax.data.readers.discover import LeftOut
from semgjax.data.readers.known import NO_OPTIONS, find_items, is_archive
from semgjax.data.readers.recording import Files, Item
from semgjax.data.readers.timeseries import CHANNELS
from semgjax.data.sessions import is_sharded
from semgjax.data.shards.ingest_parts import PARTS, WORK, Found, OnError, Part, merge, missing_parts, write_part
from semgjax.data.shards.manifest import FILE, SHARDS, Row, read_manifest, row_of
from semgjax.data.shards.shard_format import ShardHeader
from semgjax.data.shards.shard_read import read_header
from semgjax.data.shards.shard_write import WriteFailed, shard_path, write_shard
from semgjax.data.tabular.declaration import TableOptions
from semgjax.errors import InputError, SemgjaxError, system_fault
from semgjax.files import content_hash, folder_lock

Progress = Callable[[int, float], None]
"""(sessions done, share of the source read)"""
READERS = 2
"""increased when the output of a reader changes, so that earlier shards are not reused"""
_OURS = {SHARDS, FILE, WORK, ".parts", "splits.json", "metadata.csv", "targets"}


@dataclass(frozen=True)
class Ingested:
    """The result of an ingest.

    Attributes:
        made: number of sessions whose shard was made now; `reused` counts those made before.
        skipped: {source, reason} of each session left out, and of each file that looks like a session but is not read.
        waiting: parts of a cluster array that are not done yet; the manifest is written when there are none.
    """

    made: int
    reused: int
    skipped: list[dict[str, str]]
    waiting: list[int]
    rows: list[Row]


@dataclass(frozen=True)
class _Task:
    entry: Entry
    out: Path
    work: Path
    wanted: dict[str, list[str]]


@dataclass(frozen=True)
class _Outcome:
    """Of one session: a row, or the reason why it was left out, or neither if it was not selected."""

    entry: Entry
    row: Row | None = None
    reason: str = ""
    code: str = "damaged"
    reused: bool = False


def ingest(
    src: Path,
    out: Path,
    *,
    users: Iterable[str] = (),
    sessions: Iterable[str] = (),
    channels: Sequence[str] = (),
    table: TableOptions = NO_OPTIONS,
    workers: int = 1,
    shard: tuple[int, int] = (1, 1),
    on_error: OnError = "stop",
    progress: Progress | None = None,
) -> Ingested:
    """Ingest a folder of HDF5 sessions, BIDS sessions or tables, or an archive of HDF5 sessions.

    Args:
        users: only their sessions; () for all.
        sessions: only the sessions of these names; () for all.
        channels: labels of a BIDS folder's electrodes, left 0 to 15, then right 0 to 15; () sorts them by their names.
        table: for a folder of tables, which has a semgjax.toml.
        workers: number of processes. Each holds about a minute of signal in memory.
        shard: (I, N): this process ingests the I-th of N parts; the last one to finish writes the manifest.
        on_error: "skip" leaves out damaged sessions and records the reason in the manifest.

    Raises:
        InputError: the source cannot be read, a session is damaged or has the name of another (with "stop"), or `out`
            contains other files.
    """
    index, of = shard
    if not 1 <= index <= of:
        raise InputError(f"shard {index}/{of}: give I/N with I from 1 to N", "bad-value")
    if channels and (len(channels) != CHANNELS or len(set(channels)) != CHANNELS):
        raise InputError(
            f"--channels: {len(set(channels))} different names, expected {CHANNELS}, left 0-15, then right 0-15",
            "bad-value",
        )
    part = Part(index, of, {"users": sorted(set(users)), "sessions": sorted(set(sessions))})

    def mine(number: int) -> bool:
        return number % of == index - 1

    if is_archive(src) and not table.asked:
        if channels:
            raise InputError(f"--channels: {src} is an archive of HDF5 sessions, which name their bands", "conflict")
        return _ingest(src, out, lambda work: stream_entries(src, work, mine), part, workers, on_error, progress)
    items, left_out = find_items(src, channels, table)
    return ingest_items(src, items, out, left_out, part=part, workers=workers, on_error=on_error, progress=progress)


def ingest_items(
    src: Path,
    items: list[Item],
    out: Path,
    left_out: Sequence[LeftOut] = (),
    *,
    part: Part | None = None,
    workers: int = 1,
    on_error: OnError = "stop",
    progress: Progress | None = None,
) -> Ingested:
    """Ingest sessions of any kind (semgjax.data.readers.recording); messages name `src` and their ids.

    Args:
        left_out: files of the source that are not read, for the manifest.

    Raises:
        InputError: as `ingest`.
    """
    whole = part or Part(1, 1, {"users": [], "sessions": []})
    twice = _same_names(items, whole.wanted)
    if twice and on_error == "stop":
        raise InputError(f"{src}/{next(iter(twice.values()))}", "duplicate-session")
    mine = [item for number, item in enumerate(items) if number % whole.of == whole.index - 1]
    sizes = [sum(path.stat().st_size for path in item.files if path.is_file()) for item in mine]

    def entries(work: Path) -> Iterator[Entry]:
        seen = 0
        if whole.index == 1:
            yield from (Entry(file.id, 0.0, reason=f"{file.id}: {file.reason}", passed=True) for file in left_out)
        for item, size in zip(mine, sizes, strict=True):
            seen += size
            share = seen / max(sum(sizes), 1)
            yield Entry(item.id, share, None if item.id in twice else item, reason=twice.get(item.id, ""))

    return _ingest(src, out, entries, whole, workers, on_error, progress)


def _same_names(items: Sequence[Item], wanted: dict[str, list[str]]) -> dict[str, str]:
    """Item's id -> what is wrong, of each session whose name an item before it has; damaged ones are passed over."""
    first: dict[str, str] = {}
    found = {}
    for item in items:
        try:
            name, user = item.form.peek(item.files)
        except InputError:
            continue  # reported when the whole session is read
        if not _is_wanted(name, user, wanted):
            continue
        other = first.setdefault(name, item.id)
        if other != item.id:
            found[item.id] = f"{item.id}: its session name {name!r} is that of {other} too; keep one of them"
    return found


def _ingest(
    src: Path,
    out: Path,
    entries: Callable[[Path], Iterator[Entry]],
    part: Part,
    workers: int,
    on_error: OnError,
    progress: Progress | None,
) -> Ingested:
    if workers < 1:
        raise InputError(f"workers is {workers}; give 1 or more", "bad-value")
    _check_out(out)
    new, work = not out.exists(), out / WORK / part.name
    try:
        return _ingest_into(src, out, work, entries, part, workers, on_error, progress)
    except BaseException:
        if part.of == 1:
            _remove_empty(out, work, new)
        raise


def _remove_empty(out: Path, work: Path, new: bool) -> None:
    """After an error: remove folders without finished shards; finished shards are kept."""
    shutil.rmtree(work, ignore_errors=True)
    for folder in (work.parent, out / PARTS, out / SHARDS, *([out] if new else [])):
        with contextlib.suppress(OSError):  # not empty, or never made
            folder.rmdir()


def _ingest_into(
    src: Path,
    out: Path,
    work: Path,
    entries: Callable[[Path], Iterator[Entry]],
    part: Part,
    workers: int,
    on_error: OnError,
    progress: Progress | None,
) -> Ingested:
    outcomes: list[_Outcome] = []
    with folder_lock(work):
        _clear(work)  # files of an ingest that was killed
        (out / SHARDS).mkdir(exist_ok=True)
        share = 0.0
        tasks = (_Task(entry, out, work, part.wanted) for entry in entries(work))
        try:
            for outcome in _run(tasks, workers):
                if outcome.reason and on_error == "stop" and not outcome.entry.passed:
                    raise InputError(_shown(src, outcome), outcome.code)
                outcomes.append(outcome)
                share = max(share, outcome.entry.share)
                if progress is not None:
                    progress(len(outcomes), share)
        except Untrusted:
            _drop(out, outcomes)
            raise
        finally:
            _clear(work)
        rows = [(outcome.entry.id, outcome.row) for outcome in outcomes if outcome.row is not None]
        skipped = [{"source": o.entry.id, "reason": o.reason} for o in outcomes if o.reason]
        found = Found(rows, skipped)
        write_part(out, part, found)
        waiting = missing_parts(out, part)
        if not waiting:
            found = merge(out, part, on_error)
    shutil.rmtree(work, ignore_errors=True)
    kept = {source for source, _ in found.rows}
    done = [outcome.reused for outcome in outcomes if outcome.row is not None and outcome.entry.id in kept]
    return Ingested(len(done) - sum(done), sum(done), found.skipped, waiting, [row for _, row in found.rows])


def _drop(out: Path, outcomes: Sequence[_Outcome]) -> None:
    """Remove the shards made from a source with a wrong checksum, except those of an earlier manifest."""
    ours = {row.file for row in read_manifest(out)} if is_sharded(out) else set()
    for outcome in outcomes:
        if outcome.row is not None and outcome.row.file not in ours:
            (out / SHARDS / outcome.row.file).unlink(missing_ok=True)


def _clear(work: Path) -> None:
    for path in work.iterdir():
        if path.name != ".lock":
            path.unlink()


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; give a new folder or a folder of shards", "not-a-file")
    strangers = sorted(p.name for p in out.iterdir() if p.name not in _OURS) if out.is_dir() else []
    if strangers:
        raise InputError(
            f"{out}: is not empty ({strangers[0]}) and is not a folder of shards; give another folder", "out-exists"
        )


def _shown(src: Path, outcome: _Outcome) -> str:
    return f"{src}{':' if is_archive(src) else '/'}{outcome.reason}"


def _run(tasks: Iterator[_Task], workers: int) -> Iterator[_Outcome]:
    """Run the tasks, with a short queue for the workers; outcomes are yielded as they arrive."""
    if workers == 1:
        for task in tasks:
            yield _finish(task, make_shard(task))
        return
    context = multiprocessing.get_context("spawn")  # HDF5's and ArrayRecord's threads do not survive a fork
    pool = ProcessPoolExecutor(workers, context, initializer=_end_with_parent, initargs=(os.getpid(),))
    running: dict[Future[_Outcome], _Task] = {}
    try:
        for task in tasks:
            running[pool.submit(make_shard, task)] = task
            while len(running) > workers + 1:
                yield from _take(running)
        while running:
            yield from _take(running)
    except BrokenProcessPool:
        raise SemgjaxError("a worker process was killed, possibly for lack of memory; use fewer --workers") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _take(running: dict[Future[_Outcome], _Task]) -> Iterator[_Outcome]:
    for done in wait(running, return_when=FIRST_COMPLETED).done:
        yield _finish(running.pop(done), done.result())


def _finish(task: _Task, outcome: _Outcome) -> _Outcome:
    """Remove a file that was copied from an archive."""
    if task.entry.item is not None:
        for path in task.entry.item.files:
            if path.parent == task.work:
                path.unlink(missing_ok=True)
    return outcome


def make_shard(task: _Task) -> _Outcome:
    """Convert one session to one shard.

    Raises:
        WriteFailed: the folder of the shards cannot be written.
    """
    entry, item = task.entry, task.entry.item
    if item is None:
        return _Outcome(entry, reason=entry.reason)
    try:
        name, user = item.form.peek(item.files)
        if not _is_wanted(name, user, task.wanted):
            return _Outcome(entry)
        digest = _identity(entry.digest or hash_files(item.files), name, user, item.form.options)
        path = shard_path(task.out / SHARDS, digest)
        done = _finished(path, digest)
        header = done or write_shard(item.form.open(item.files), digest, path.parent, task.work)
        return _Outcome(entry, row_of(header, path), reused=done is not None)
    except WriteFailed:
        raise
    except InputError as error:
        return _Outcome(entry, reason=_named(item, str(error)), code=error.code)


def _named(item: Item, reason: str) -> str:
    """A reason that names files as the source does, not by temporary or absolute paths, and that names one."""
    folder = str(item.files[0]).removesuffix(item.id)
    ids = [item.id, *(str(path).removeprefix(folder) for path in item.files[1:])]
    for path, name in zip(item.files, ids, strict=True):
        reason = reason.replace(str(path), name)
    return reason if reason.startswith(tuple(ids)) else f"{item.id}: {reason}"


def _identity(content: str, name: str, user: str, options: str) -> str:
    """A shard's identity: hash of the source's bytes, session name, user, and the reader's version and options."""
    return content_hash({"content": content, "name": name, "user": user, "readers": READERS, "options": options})


def _is_wanted(name: str, user: str, wanted: dict[str, list[str]]) -> bool:
    return (not wanted["users"] or user in wanted["users"]) and (not wanted["sessions"] or name in wanted["sessions"])


def _finished(path: Path, digest: str) -> ShardHeader | None:
    """The header of a finished shard; None if it is missing or damaged and has to be made again."""
    if not path.exists():
        return None
    try:
        header = read_header(path)
    except InputError:
        return None
    return header if header.source == digest else None


def hash_files(files: Files) -> str:
    """SHA-256 of a file's bytes, or of those of several files.

    Raises:
        InputError: one of them cannot be read.
    """
    digests = []
    for path in files:
        try:
            with open(path, "rb") as file:
                digests.append(hashlib.file_digest(file, "sha256"))
        except OSError as error:
            raise system_fault(error, path) or InputError(f"{path}: {error.strerror}", "unreadable") from None
    if len(digests) == 1:
        return digests[0].hexdigest()
    return hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()


def _end_with_parent(parent: int) -> None:
    """End this worker within a second after its parent was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
