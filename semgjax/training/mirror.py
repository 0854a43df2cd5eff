"""Runs at an address: training writes to a local folder, which is uploaded whenever a checkpoint is complete.

The address then holds a run directory like a local one. The order of uploads ensures that a kill at any moment leaves
the newest complete checkpoint, with its metrics, or the one before it:

1. config.json, once;
2. a checkpoint's files, except the one that marks it as complete;
3. metrics.jsonl (and the files of trackers and profiles), up to that checkpoint;
4. the checkpoint's mark;
5. removal of the checkpoints that the retention rule dropped, their marks first;
6. result.json, once.

orbax could write a checkpoint to gs:// or s3:// itself, but to no other store, without the metrics that belong to it
and without hashes of its bytes; this order and the lock (semgjax.training.owner) are what neither orbax nor epath has.
Uploads run in a thread while training continues. The next save waits for the upload, so one that takes longer than the
steps between two checkpoints slows the run down.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jax

from semgjax.address import PART, Store, is_address, open_address, reaching
from semgjax.errors import InputError, SemgjaxError, Unsaved, first_line
from semgjax.training.checkpoint import HASHES, MARKER, STATE, whole_steps
from semgjax.training.owner import LOCK, Holder, address_lock
from semgjax.training.run_folder import CHECKPOINTS, CONFIG, METRICS, RESULT

Publish = Callable[[], None]
"""Uploads what is complete in a run's folder."""
_VIEWS = ("tensorboard", "profile")
_EXPORT = "model.json"
"""file by which an export is known; its others depend on its format, and all of them belong to it"""


@contextlib.contextmanager
def working_folder(out: Path | str) -> Iterator[tuple[Path, Publish | None]]:
    """The folder to train in: `out` itself or, for an address, a temporary copy of what resuming needs.

    Call the second value whenever a checkpoint is complete on disk. The temporary folder holds the run's small files,
    its newest complete checkpoint, and the others without their state, for the retention rule to rank. At the end of
    the block everything is uploaded and the folder is removed. Errors name the address.

    Raises:
        InputError: the address cannot be used, holds other files, or is in use; or there are several processes.
        Unsaved: an upload failed after its retries; the folder is kept.
    """
    if not is_address(str(out)):
        yield Path(out), None
        return
    store = open_address(str(out))
    if jax.process_count() > 1:
        raise InputError(
            f"{out}: a run of {jax.process_count()} processes needs a folder that all of them share; mount the bucket "
            "(with gcsfuse, for example) and give that folder",
            "conflict",
        )
    with reaching(store.address):
        _check_free(store)
        store.check_bucket()
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="semgjax-run-"))
        stack.callback(shutil.rmtree, folder)
        try:
            with address_lock(store) as holder, _named(folder, store.address):
                mirror = Mirror(store, folder, holder)
                mirror.fetch()
                try:
                    yield folder, mirror.publish
                except Unsaved:
                    raise
                except SemgjaxError:
                    mirror.publish()  # the last metrics of a run that diverged, for example
                    raise
                mirror.publish()
        except Unsaved:
            stack.pop_all()
            raise


@contextlib.contextmanager
def finished_folder(place: str) -> Iterator[Path]:
    """A finished run or an export to read: the folder itself or, for an address, a temporary copy.

    Errors within the block name the address.

    Raises:
        InputError: the address cannot be read.
    """
    if not is_address(place):
        yield Path(place)
        return
    store = open_address(place)
    with tempfile.TemporaryDirectory(prefix="semgjax-read-") as temporary, _named(Path(temporary), store.address):
        with reaching(store.address):
            names = store.names()
            newest = max(_whole(names), default=None)
            wanted = [n for n in names if n in (CONFIG, RESULT) or _step(n) == newest is not None]
            store.fetch(names if _EXPORT in names else wanted, Path(temporary))
        yield Path(temporary)


class Mirror:
    """Keeps an address equal to a run's folder. The caller holds the address's lock.

    Args:
        holder: returns who else holds the address; None while this process does.
    """

    def __init__(self, store: Store, folder: Path, holder: Holder) -> None:
        self._store, self._folder, self._holder = store, folder, holder
        self._steps: set[int] = set()
        self._sent: dict[str, tuple[int, int]] = {}

    def fetch(self) -> None:
        """Download what resuming needs, and remove what an interrupted upload left.

        Raises:
            InputError: the address cannot be reached.
        """
        with reaching(self._store.address):
            names = self._store.names()
            self._steps = _whole(names)
            cut_short = {step for name in names if (step := _step(name)) is not None} - self._steps
            for step in sorted(cut_short):
                self._store.remove_folder(f"{CHECKPOINTS}/{step}")
            parts = {name for name in names if name.endswith(PART)}
            for name in sorted(parts):
                if _step(name) not in cut_short:
                    self._store.remove(name)
            small = [name for name in (CONFIG, METRICS, RESULT) if name in names]
            newest = max(self._steps, default=None)
            # A finished run needs no state, unless its checkpoint still lacks the hashes of its bytes.
            if RESULT in small and f"{CHECKPOINTS}/{newest}/{HASHES}" in names:
                newest = None
            kept = [
                name
                for name in names
                if (step := _step(name)) in self._steps
                and (step == newest or name.split("/")[2] != STATE)
                and name not in parts
            ]
            self._store.fetch([*small, *kept], self._folder)
        for name in [*small, *(name for name in kept if name.endswith(f"/{HASHES}"))]:
            self._sent[name] = self._stamp(name)

    def publish(self) -> None:
        """Upload everything that is new and complete, in the order given above.

        Raises:
            Unsaved: an upload failed, or another process has taken the address over.
        """
        try:
            self._publish()
        except SemgjaxError:
            raise
        except Exception as error:
            raise Unsaved(
                f"{self._store.address}: an upload failed ({type(error).__name__}: {first_line(error)}); the run's "
                f"state is kept in {self._folder}: resume there with out {self._folder}, or restore the access and run "
                "the same command, which resumes from the last checkpoint at the address"
            ) from error

    def _publish(self) -> None:
        self._check()
        here = whole_steps(self._folder / CHECKPOINTS)
        new, dropped = sorted(here - self._steps), sorted(self._steps - here)
        self._put_changed([CONFIG])
        for step in new:
            files = self._files(f"{CHECKPOINTS}/{step}")
            self._store.put([name for name in files if not name.endswith(f"/{MARKER}")], self._folder)
            self._sent |= {name: self._stamp(name) for name in files if name.endswith(f"/{HASHES}")}
        self._put_changed([*(name for view in _VIEWS for name in self._files(view)), METRICS])
        self._check()  # again, for uploading the state may take long
        for step in new:
            marker = f"{CHECKPOINTS}/{step}/{MARKER}"
            self._store.replace(marker, (self._folder / marker).read_bytes())
            self._steps.add(step)
        for step in dropped:
            self._store.remove(f"{CHECKPOINTS}/{step}/{MARKER}")
            self._store.remove_folder(f"{CHECKPOINTS}/{step}")
            self._steps.remove(step)
        # Hashes of a checkpoint whose process was killed before it wrote them.
        self._put_changed([f"{CHECKPOINTS}/{step}/{HASHES}" for step in sorted(here)])
        self._put_changed([RESULT])

    def _check(self) -> None:
        other = self._holder()
        if other is not None:
            raise Unsaved(
                f"{self._store.address}: was taken over by {other}, which continues it; this run ends, and its "
                f"state is kept in {self._folder}"
            )

    def _put_changed(self, names: Sequence[str]) -> None:
        for name in names:
            if (self._folder / name).exists() and self._sent.get(name) != (stamp := self._stamp(name)):
                self._store.replace(name, (self._folder / name).read_bytes())
                self._sent[name] = stamp

    def _stamp(self, name: str) -> tuple[int, int]:
        facts = os.stat(self._folder / name)
        return facts.st_size, facts.st_mtime_ns

    def _files(self, name: str) -> list[str]:
        found = sorted(path for path in (self._folder / name).rglob("*") if path.is_file())
        return [path.relative_to(self._folder).as_posix() for path in found]


def _check_free(store: Store) -> None:
    """Check that the address is empty or holds a run; which one is compared later.

    Raises:
        InputError: it holds other files ("out-exists").
    """
    names = store.names()
    others = [name for name in names if name != LOCK and not name.endswith(PART)]
    if others and CONFIG not in names:
        raise InputError(
            f"{store.address}: is not empty ({others[0]}) and holds no run; choose another address", "out-exists"
        )


def _step(name: str) -> int | None:
    """The step of the checkpoint that a file belongs to, or None."""
    match = re.match(rf"{CHECKPOINTS}/(\d+)/.", name)
    return None if match is None else int(match[1])


def _whole(names: Sequence[str]) -> set[int]:
    """The steps whose checkpoints are complete."""
    return {step for n in names if (step := _step(n)) is not None and n == f"{CHECKPOINTS}/{step}/{MARKER}"}


@contextlib.contextmanager
def _named(folder: Path, address: str) -> Iterator[None]:
    """Put the address in place of the temporary folder in every error."""
    try:
        yield
    except Unsaved:
        raise
    except SemgjaxError as error:
        raise type(error)(str(error).replace(str(folder), address), error.code) from error
