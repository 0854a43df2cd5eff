"""Runs at an address: a local folder is trained in, and mirrored to ADDRESS whenever a checkpoint has become whole.

What stands at the address is a run directory, as good as a local one. Files go there in such an order that a kill
at any moment leaves the newest whole checkpoint, with its metrics, or the one before it:

1. config.json, once;
2. a checkpoint's files, but for the one that marks it as whole;
3. metrics.jsonl (and the files of trackers and profiles), which then has the lines of that checkpoint;
4. the checkpoint's mark;
5. checkpoints that the retention rule dropped are dropped, their marks first;
6. result.json, once.

It all happens in the thread that waits for the checkpoint to be on disk, while training goes on. The next save waits
for it, so an upload that takes longer than the steps between two checkpoints slows the run down.
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
"""Puts what is whole in a run's folder to its address."""
_VIEWS = ("tensorboard", "profile")
_EXPORT = ("model.json", "params")


@contextlib.contextmanager
def working_folder(out: Path | str) -> Iterator[tuple[Path, Publish | None]]:
    """The folder to train in: `out` itself or, where that is an address, a new temporary one that mirrors it.

    The second value is to be called when a checkpoint is whole on disk. The folder holds all of the run that going
    on needs: its small files, its newest whole checkpoint , and of the
    others all but the state, so that the retention rule ranks them. At the end of the block everything is at the
    address and the folder is removed; errors name the address.

    Raises:
        InputError: the address cannot be used, holds other files, or is in use; or there are several processes.
        Unsaved: an upload failed for good; the folder stays.
    """
    if not is_address(str(out)):
        yield Path(out), None
        return
    store = open_address(str(out))
    if jax.process_count() > 1:
        raise InputError(
            f"{out}: a run of {jax.process_count()} processes needs a folder that all of them see; mount the bucket "
            "(gcsfuse, say) and give that folder",
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
                    mirror.publish()  # of a run that diverged, say, the last lines of its metrics
                    raise
                mirror.publish()
        except Unsaved:
            stack.pop_all()
            raise


@contextlib.contextmanager
def finished_folder(place: str) -> Iterator[Path]:
    """A finished run or an export to read: the folder itself or, of an address, a copy for the time of the block.

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
            store.fetch([*wanted, *(n for n in names if n.partition("/")[0] in _EXPORT)], Path(temporary))
        yield Path(temporary)


class Mirror:
    """What of a run's folder stands at its address. The caller holds the address.

    Args:
        holder: tells who else holds the address by now, None while it is us.
    """

    def __init__(self, store: Store, folder: Path, holder: Holder) -> None:
        self._store, self._folder, self._holder = store, folder, holder
        self._steps: set[int] = set()
        self._sent: dict[str, tuple[int, int]] = {}

    def fetch(self) -> None:
        """Copy here what going on needs, and remove what an interrupted upload left.

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
            # A finished run is not trained on; where its checkpoint has no hashes yet, they are made from its bytes.
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
        """Put everything that is new and whole to the address, in the order that the module tells.

        Raises:
            Unsaved: that failed, or another process has taken the address over.
        """
        try:
            self._publish()
        except SemgjaxError:
            raise
        except Exception as error:
            raise Unsaved(
                f"{self._store.address}: an upload failed ({type(error).__name__}: {first_line(error)}); the run's "
                f"state stays in {self._folder}: end the run there with --out {self._folder}, or mend the access and "
                "run the same command, which goes on from the last checkpoint at the address"
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
        self._check()  # the big part took its time
        for step in new:
            marker = f"{CHECKPOINTS}/{step}/{MARKER}"
            self._store.replace(marker, (self._folder / marker).read_bytes())
            self._steps.add(step)
        for step in dropped:
            self._store.remove(f"{CHECKPOINTS}/{step}/{MARKER}")
            self._store.remove_folder(f"{CHECKPOINTS}/{step}")
            self._steps.remove(step)
        # Of a checkpoint that was uploaded by a process that died before it had hashes, they follow.
        self._put_changed([f"{CHECKPOINTS}/{step}/{HASHES}" for step in sorted(here)])
        self._put_changed([RESULT])

    def _check(self) -> None:
        other = self._holder()
        if other is not None:
            raise Unsaved(
                f"{self._store.address}: was taken over by {other}, which goes on with it; this run ends here, and its "
                f"state stays in {self._folder}"
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
    """See that the address is empty or holds a run; whose, its config.json tells later.

    Raises:
        InputError: it holds other files.
    """
    names = store.names()
    strangers = [name for name in names if name != LOCK and not name.endswith(PART)]
    if strangers and CONFIG not in names:
        raise InputError(
            f"{store.address}: is not empty ({strangers[0]}) and holds no run; choose another address", "out-exists"
        )


def _step(name: str) -> int | None:
    """The step of the checkpoint that a file belongs to."""
    match = re.match(rf"{CHECKPOINTS}/(\d+)/.", name)
    return None if match is None else int(match[1])


def _whole(names: Sequence[str]) -> set[int]:
    """The steps whose checkpoints are whole."""
    return {step for n in names if (step := _step(n)) is not None and n == f"{CHECKPOINTS}/{step}/{MARKER}"}


@contextlib.contextmanager
def _named(folder: Path, address: str) -> Iterator[None]:
    """Errors name the place that the user gave."""
    try:
        yield
    except Unsaved:
        raise
    except SemgjaxError as error:
        raise type(error)(str(error).replace(str(folder), address), error.code) from error
