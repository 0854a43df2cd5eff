"""Folders at addresses (gs://, s3://, any of fsspec's): listed, fetched, put; what goes wrong there is one line."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from semgjax.errors import InputError, SemgjaxError, first_line

PART = ".part"
"""ends the name of a file that is being written: what is left of it after a kill is nobody's"""
_EXTRAS = {"gs": "gcs", "gcs": "gcs", "s3": "s3", "s3a": "s3"}


def is_address(place: str) -> bool:
    """Whether a place named by the user is an address and no path."""
    return "://" in place


@contextlib.contextmanager
def reaching(address: str) -> Iterator[None]:
    """Every kind of store fails with errors of its own types; to the user they are one.

    Raises:
        InputError: the block failed, for whatever reason.
    """
    try:
        yield
    except SemgjaxError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise InputError(
            f"{address}: cannot be reached ({kind}: {first_line(error)}); mend the address or the access to it",
            "unreadable",
        ) from error


@dataclass(frozen=True)
class Store:
    """A folder at an address. Names are paths within it, with "/" between their parts.

    Errors of the methods are the store's own (see `reaching`). Transient ones are tried again by fsspec's packages
    for gs:// and s3://, not here.
    """

    address: str
    """without a slash at its end"""
    system: Any
    root: str

    def names(self) -> list[str]:
        """All files, in order; empty where there is no such folder.

        Raises:
            InputError: the address is a file.
        """
        self.system.invalidate_cache()  # others write there too
        try:
            found = sorted(self._below(self.root))
        except FileNotFoundError:
            return []
        if found == [""]:
            raise InputError(f"{self.address}: is a file; choose a folder", "not-a-file")
        return found

    def _below(self, path: str) -> Iterator[str]:
        # Not the system's own walk: it takes a folder that cannot be listed for an empty one.
        for facts in self.system.ls(path, detail=True):
            name = facts["name"].rstrip("/")
            if name == path and not facts["size"]:
                continue  # a bucket's mark for an empty folder
            if facts["type"] == "directory":
                yield from self._below(name)
            else:
                yield name.removeprefix(self.root).lstrip("/")

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        try:
            return self.system.cat_file(self._path(name))
        except FileNotFoundError:
            return None

    def fetch(self, names: Sequence[str], folder: Path) -> None:
        """Copy files into a folder here.

        Raises:
            InputError: a name would lead out of the folder.
        """
        for name in names:
            if {"", ".", ".."} & set(name.split("/")):
                raise InputError(
                    f"{self.address}: holds the name {name!r}, which cannot be a file here; remove it", "bad-path"
                )
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if names:
            self.system.get([self._path(name) for name in names], [str(folder / name) for name in names])

    def put(self, names: Sequence[str], folder: Path) -> None:
        """Copy files from a folder here, several at once where the store can."""
        self._make_parents(names)
        if names:
            self.system.put([str(folder / name) for name in names], [self._path(name) for name in names])

    def write(self, name: str, content: bytes) -> None:
        """Write a small file; whether it may be seen half-written depends on the store."""
        self._make_parents([name])
        self.system.pipe_file(self._path(name), content)

    def replace(self, name: str, content: bytes) -> None:
        """Write a small file that is never seen half-written: buckets put a file whole, and folders rename it."""
        self.write(f"{name}{PART}", content)
        self.system.mv(self._path(f"{name}{PART}"), self._path(name))

    def remove(self, name: str) -> None:
        """Remove a file."""
        self.system.rm_file(self._path(name))

    def remove_folder(self, name: str) -> None:
        """Remove all below a name."""
        self.system.invalidate_cache()
        self.system.rm(self._path(name), recursive=True)

    def check_bucket(self) -> None:
        """See that the bucket is there: fsspec would make one without a word.

        Raises:
            InputError: it is not.
        """
        bucket = self.root.partition("/")[0]  # empty where paths begin with a slash: a file system, no buckets
        if bucket and not self.system.exists(bucket):
            raise InputError(
                f"{self.address}: there is no {bucket}, or it may not be seen; make it or mend the address", "no-file"
            )

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _make_parents(self, names: Sequence[str]) -> None:
        for parent in sorted({os.path.dirname(self._path(name)) for name in names}):
            self.system.makedirs(parent, exist_ok=True)


def open_address(address: str) -> Store:
    """The folder at an address; nothing is read yet.

    Raises:
        InputError: no such kind of address, no package for it, or no access at all.
    """
    if set("*?[]") & set(address):
        raise InputError(f"{address}: an address cannot have any of * ? [ ]; choose another", "bad-path")
    try:
        with reaching(address):
            system, root = fsspec.core.url_to_fs(address)
    except InputError as error:
        extra = _EXTRAS.get(address.partition("://")[0])
        if not isinstance(error.__cause__, ImportError):
            raise
        mend = "" if extra is None else f"; install it with: pip install 'semgjax[{extra}]'"
        raise InputError(
            f"{address}: its package is missing ({first_line(error.__cause__)}){mend}", "missing-extra"
        ) from None
    return Store(address.rstrip("/"), system, root.rstrip("/"))
