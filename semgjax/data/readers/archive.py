"""Read the sessions of a tar archive as a stream: one member at a time is copied to a temporary folder.

Writes FOLDER/member-<n>, which the caller removes. Paths in the archive are never used as paths on disk.
"""

import contextlib
import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Self

from semgjax.data.readers.discover import HDF5 as HDF5_SUFFIXES
from semgjax.data.readers.discover import looks_like_signal
from semgjax.data.readers.known import HDF5
from semgjax.data.readers.recording import Item
from semgjax.data.shards.shard_write import WriteFailed
from semgjax.errors import InputError, fault_code

_BUFFER = 1 << 16  # bytes that are lost before a place that does not decompress
_BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError)


@dataclass(frozen=True)
class Entry:
    """One session of a source, or the reason why it cannot be read.

    Attributes:
        id: its name in the source.
        share: the share of the source read so far, 0 to 1.
        item: None if there is a `reason`.
        digest: SHA-256 of the files if it is already known.
        passed: it is of a kind that is never read; ingest continues.
    """

    id: str
    share: float
    item: Item | None = None
    reason: str = ""
    digest: str = ""
    passed: bool = False


class Untrusted(InputError):
    """The archive's checksum does not match: any of its sessions may be damaged."""


def stream_entries(archive: Path, folder: Path, wanted: Callable[[int], bool]) -> Iterator[Entry]:
    """The HDF5 members in the archive's order.

    A damaged archive ends the stream with an entry that names the damaged member. If only the checksum at its end does
    not match, any session may be damaged: an InputError.

    Args:
        wanted: whether to read a session, by its number from 0.

    Raises:
        InputError: no such file, or not an archive.
        WriteFailed: no space for a member in `folder`.
    """
    with contextlib.ExitStack() as stack:
        try:
            size, raw = archive.stat().st_size, stack.enter_context(open(archive, "rb"))
        except OSError as error:
            raise InputError(
                f"{archive}: cannot be read ({error.strerror}); name the archive", fault_code(error)
            ) from None
        try:
            # Not with tarfile's own decompression, which does not read the checksum at gzip's end.
            plain = raw if archive.suffix == ".tar" else stack.enter_context(gzip.open(raw))
            tar = stack.enter_context(tarfile.open(fileobj=plain, mode="r|", bufsize=_BUFFER, tarinfo=_Strict))
        except _BROKEN as error:
            raise InputError(
                f"{archive}: is not a tar archive ({_brief(error)}); download it again", "damaged"
            ) from None
        number, before = 0, "its start"
        while True:
            try:
                member = tar.next()
            except _BROKEN as error:
                _check_sum(archive, error)
                reason = f"after {before}: the archive cannot be read ({_brief(error)}); download it again"
                yield Entry(before, 1.0, reason=reason)
                return
            if member is None:
                break
            before, share = member.name, raw.tell() / max(size, 1)
            fault = _fault(member)
            if fault:
                yield Entry(member.name, share, reason=f"{member.name}: {fault}")
            elif reason := _why_unread(member):
                yield Entry(member.name, share, reason=f"{member.name}: {reason}", passed=True)
            if fault or not _is_session(member):
                continue
            number += 1
            if not wanted(number - 1):
                continue
            path = folder / f"member-{number}"
            try:
                digest = _copy(tar, member, path)
            except _BROKEN as error:
                _check_sum(archive, error)
                reason = f"{member.name}: cannot be read from the archive ({_brief(error)}); download it again"
                yield Entry(member.name, 1.0, reason=reason)
                return
            yield Entry(member.name, share, Item(member.name, (path,), HDF5), digest=digest)
        try:
            while plain.read(_BUFFER):
                pass
        except _BROKEN as error:
            _check_sum(archive, error)
            raise InputError(
                f"{archive}: cannot be read to its end ({_brief(error)}); download it again", "damaged"
            ) from None


def _check_sum(archive: Path, error: Exception) -> None:
    """Raise Untrusted if the error is a wrong checksum at gzip's end."""
    if isinstance(error, gzip.BadGzipFile):
        raise Untrusted(
            f"{archive}: wrong checksum, so some session in it is damaged ({_brief(error)}); download it again",
            "damaged",
        ) from None


class _Strict(tarfile.TarInfo):
    """A member's header. A damaged or missing header is an error; tarfile would take it for the archive's end."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):  # type: ignore[attr-defined]
                raise
            raise tarfile.ReadError(f"bad header: {error}") from None


def _fault(member: tarfile.TarInfo) -> str:
    parts = PurePosixPath(member.name).parts
    if member.name.startswith("/") or ".." in parts or "\\" in member.name or "\0" in member.name:
        return "is a path outside the archive; refused"
    if not member.isreg() and not member.isdir():
        kind = "a link" if member.issym() or member.islnk() else "a device or another special file"
        return f"is {kind}; refused"
    return ""


def _is_session(member: tarfile.TarInfo) -> bool:
    path = PurePosixPath(member.name)
    return member.isreg() and path.suffix.lower() in HDF5_SUFFIXES and not path.name.startswith(".")


def _why_unread(member: tarfile.TarInfo) -> str:
    """Why a file that looks like a session is not read; "" for other files."""
    name = PurePosixPath(member.name).name
    if not member.isreg() or not looks_like_signal(name) or _is_session(member):
        return ""
    if name.startswith("."):
        return "a hidden file, possibly a metadata file of macOS"
    return "of a format that is not supported in archives; sessions are .hdf5 or .h5"


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    """Copy a member's content to `path`; its SHA-256."""
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    digest, length = hashlib.sha256(), 0
    with source, _opened(path) as file:
        while block := source.read(_BUFFER):
            digest.update(block)
            length += len(block)
            try:
                file.write(block)
                file.flush()
            except OSError as error:
                raise WriteFailed(
                    f"{path.parent}: no space for {member.name} ({error.strerror}); free some", fault_code(error)
                ) from None
    if length != member.size:
        raise EOFError(f"{length} bytes of {member.size}")
    return digest.hexdigest()


def _opened(path: Path) -> IO[bytes]:
    try:
        return open(path, "wb")
    except OSError as error:
        raise WriteFailed(f"{path.parent}: cannot be written ({error.strerror}); fix that", fault_code(error)) from None


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
