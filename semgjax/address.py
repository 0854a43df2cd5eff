"""Folders at addresses (gs://, s3:// or any other that fsspec knows): list, download, upload, remove.

fsspec and not etils.epath, which reaches gs, s3, az and hf alone, copies one file at a time, and takes a folder that
it may not list for an empty one.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from semgjax.errors import InputError, SemgjaxError, first_line

PART = ".part"
"""suffix of a file that is being written; one that is left after a kill can be removed"""
_EXTRAS = {"gs": "gcs", "gcs": "gcs", "s3": "s3", "s3a": "s3"}


def is_address(place: str) -> bool:
    """Whether a place is an address and not a path."""
    return "://" in place


@contextlib.contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn the errors of any kind of store into one.

    Raises:
        InputError: the block failed ("unreadable").
    """
    try:
        yield
    except SemgjaxError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise InputError(
            f"{address}: cannot be reached ({kind}: {first_line(error)}); correct the address or the access to it",
            "unreadable",
        ) from error


@dataclass(frozen=True)
class Store:
    """A folder at an address. Names are paths within it, separated by "/".

    The methods raise the store's own errors (see `reaching`). gcsfs and s3fs retry transient ones.
    """

    address: str
    """without a trailing slash"""
    system: Any
    root: str

    def names(self) -> list[str]:
        """All files, sorted; empty if the folder does not exist.

        Raises:
            InputError: the address is a file.
        """
        self.system.invalidate_cache()  # other processes write there too
        try:
            found = sorted(self._below(self.root))
        except FileNotFoundError:
            return []
        if found == [""]:
            raise InputError(f"{self.address}: is a file; choose a folder", "not-a-file")
        return found

    def _below(self, path: str) -> Iterator[str]:
        # Not fsspec's walk: it heeds on_error="raise" on its first level alone, and takes a folder below that cannot
        # be listed for an empty one.
        for facts in self.system.ls(path, detail=True):
            name = facts["name"].rstrip("/")
            if name == path and not facts["size"]:
                continue  # a bucket's mark for an empty folder
            if facts["type"] == "directory":
                yield from self._below(name)
            else:
                yield name.removeprefix(self.root).lstrip("/")

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None if it does not exist."""
        try:
            return self.system.cat_file(self._path(name))
        except FileNotFoundError:
            return None

    def fetch(self, names: Sequence[str], folder: Path) -> None:
        """Download files into a local folder.

        Raises:
            InputError: a name leads out of the folder.
        """
        for name in names:
            if {"", ".", ".."} & set(name.split("/")):
                raise InputError(
                    f"{self.address}: holds the name {name!r}, which cannot be a local file; remove it", "bad-path"
                )
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if names:
            self.system.get([self._path(name) for name in names], [str(folder / name) for name in names])

    def put(self, names: Sequence[str], folder: Path) -> None:
        """Upload files from a local folder, concurrently if the store can."""
        self._make_parents(names)
        if names:
            self.system.put([str(folder / name) for name in names], [self._path(name) for name in names])

    def write(self, name: str, content: bytes) -> None:
        """Write a small file; on some stores a reader may see it half-written."""
        self._make_parents([name])
        self.system.pipe_file(self._path(name), content)

    def replace(self, name: str, content: bytes) -> None:
        """Write a small file atomically: buckets write files whole, file systems rename them."""
        self.write(f"{name}{PART}", content)
        self.system.mv(self._path(f"{name}{PART}"), self._path(name))

    def remove(self, name: str) -> None:
        """Remove a file."""
        self.system.rm_file(self._path(name))

    def remove_folder(self, name: str) -> None:
        """Remove a folder with all its files."""
        self.system.invalidate_cache()
        self.system.rm(self._path(name), recursive=True)

    def check_bucket(self) -> None:
        """Check that the bucket exists, for fsspec would create it silently.

        Raises:
            InputError: it does not ("no-file").
        """
        bucket = self.root.partition("/")[0]  # empty for a file system, whose paths begin with a slash
        if bucket and not self.system.exists(bucket):
            raise InputError(
                f"{self.address}: {bucket} does not exist or is not visible to you; create it or correct the address",
                "no-file",
            )

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _make_parents(self, names: Sequence[str]) -> None:
        for parent in sorted({os.path.dirname(self._path(name)) for name in names}):
            self.system.makedirs(parent, exist_ok=True)


def open_address(address: str) -> Store:
    """The folder at an address; nothing is read yet.

    Raises:
        InputError: an unknown kind of address, a missing package, or no access.
    """
    if set("*?[]") & set(address):
        raise InputError(f"{address}: an address cannot contain any of * ? [ ]; choose another", "bad-path")
    try:
        with reaching(address):
            system, root = fsspec.core.url_to_fs(address)
    except InputError as error:
        extra = _EXTRAS.get(address.partition("://")[0])
        if not isinstance(error.__cause__, ImportError):
            raise
        remedy = "" if extra is None else f"; install it with: pip install 'semgjax[{extra}]'"
        raise InputError(
            f"{address}: its package is missing ({first_line(error.__cause__)}){remedy}", "missing-extra"
        ) from None
    return Store(address.rstrip("/"), system, root.rstrip("/"))
