"""A sweep at an address (gs://, s3:// or any that fsspec knows): a local view of it; writes its table there."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from semgjax.address import is_address, open_address, reaching
from semgjax.errors import InputError

_LOOKED_AT = (
    "*.json",
    "rates/*.json",
    "trials/*.json",
    "trials/*.jsonl",
    "trials/*/*.json",
    "trials/*/*.jsonl",
    "trials/*/.lock",
)


@contextlib.contextmanager
def local_view(folder: str, written: Sequence[str] = ()) -> Iterator[Path]:
    """A local folder with the files of a sweep that `status` and `collect` read: the folder itself, or a copy.

    Args:
        folder: a path, or an address with "://".
        written: names of files to upload when the block ends without an error.

    Raises:
        InputError: the address cannot be read, or its package is missing.
    """
    if not is_address(folder):
        yield Path(folder)
        return
    store = open_address(folder)
    with tempfile.TemporaryDirectory() as place:
        view = Path(place)
        with reaching(store.address):
            for pattern in _LOOKED_AT:
                for source, facts in store.system.glob(f"{store.root}/{pattern}", detail=True).items():
                    name = os.path.relpath(source, store.root)
                    store.fetch([name], view)
                    _keep_time(view / name, facts)
        if not (view / "sweep.json").exists():
            raise InputError(f"{folder}: holds no sweep.json; plan a sweep and copy its folder there", "no-file")
        yield view
        with reaching(store.address):
            store.put(written, view)


def _keep_time(path: Path, facts: dict) -> None:
    """Keep the time of the last change: the age of a trial's metrics shows whether it is running."""
    changed = facts.get("mtime") or facts.get("updated") or facts.get("created") or facts.get("LastModified")
    if changed is not None:
        seconds = changed.timestamp() if hasattr(changed, "timestamp") else float(changed)
        os.utime(path, (seconds, seconds))
