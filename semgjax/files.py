"""JSON files between layers: canonical form, content hash, atomic write, schema check, lock."""

import contextlib
import fcntl
import hashlib
import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semgjax.errors import InputError, SemgjaxError, first_line, system_fault


def canonical_json(value: Any) -> str:
    """`value` as JSON with sorted keys and no spare blanks; NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of `value`: equal content, equal hash."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing: a temporary file in the same folder, synced, then renamed.

    Raises:
        InputError: the system does not permit it, or has no room.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # "x", not the tempfile module: the file gets the user's usual mode, as a shared folder wants it.
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_json(path: Path, schema: str, version: int, body: dict[str, Any]) -> None:
    """Write `body` with its schema name and version, indented, atomically.

    `body` may be a document that was read: the schema and version given here replace its own.
    """
    head = {"schema": schema, "version": version}
    document = head | body | head
    write_atomic(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def read_text(path: Path, expected: str = "", encoding: str = "utf-8") -> str:
    """The text of a file, its line ends unchanged.

    Args:
        expected: what the file should be, for the message when it is missing.
        encoding: "utf-8", or "utf-8-sig" to skip a byte order mark.

    Raises:
        InputError: no such file ("no-file"), one that is not UTF-8 ("bad-encoding"), or an error of the system.
    """
    try:
        return path.read_bytes().decode(encoding)
    except FileNotFoundError:
        hint = f" (expected {expected})" if expected else ""
        raise InputError(f"{path}: no such file{hint}", "no-file") from None
    except OSError as error:
        raise system_fault(error, path) or InputError(f"{path}: {error.strerror}", "unreadable") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8", "bad-encoding") from None


def read_json(path: Path, schema: str, version: int, oldest: int | None = None) -> dict[str, Any]:
    """Read a file written by `write_json`, of `version` or, if `oldest` is given, of any version from `oldest` on.

    Raises:
        InputError: no such file, invalid JSON, or another schema or version.
    """
    document = parse_json(read_text(path, f"a {schema} file"), str(path))
    if not isinstance(document, dict) or document.get("schema") != schema:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise InputError(f"{path}: schema is {found!r}, expected {schema!r}; is this the right file?", "wrong-schema")
    found = document.get("version")
    if type(found) is not int or found not in range(version if oldest is None else oldest, version + 1):
        raise InputError(
            f"{path}: {schema} version {found!r}, this semgjax reads version {version}; use the release that wrote it",
            "wrong-version",
        )
    return document


def parse_json(text: str, where: str) -> Any:
    """The value of a JSON text, strictly: finite numbers, unique members, no lone surrogate, limited nesting.

    Args:
        where: name of the source, for messages.

    Raises:
        InputError: "bad-json", "not-finite" or "bad-encoding".
    """

    def refuse(word: str) -> Any:
        raise InputError(f"{where}: holds {word}, expected finite numbers; write it again", "not-finite")

    def finite(word: str) -> float:
        value = float(word)
        return value if math.isfinite(value) else refuse(word)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{where}: member {twice!r} occurs twice; write it again", "bad-json")
        return found

    try:
        value = json.loads(text, parse_constant=refuse, parse_float=finite, object_pairs_hook=members)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(f"{where}: holds a lone surrogate; write it again", "bad-encoding") from None
    except RecursionError:
        raise InputError(f"{where}: is nested too deeply; write it again", "bad-json") from None
    except ValueError as error:  # invalid JSON, or a whole number of thousands of digits
        raise InputError(f"{where}: cannot be read as JSON ({error}); write it again", "bad-json") from None
    return value


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below, by its path within the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _file_hash(path) for path in files}


def check_hashes(folder: Path, recorded: Any, remedy: str, beside: str = "") -> None:
    """Check that the files below have the recorded hashes: none changed, missing or new.

    Args:
        recorded: the result of `file_hashes`, as read from JSON.
        remedy: what to do if a file is damaged, for the message.
        beside: a file that is not in the record: the file of the record.

    Raises:
        InputError: a file differs ("damaged"), or cannot be read.
    """
    if not isinstance(recorded, dict) or not recorded:
        raise InputError(f"{folder}: its record of hashes is empty or not an object; {remedy}", "damaged")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {beside}
    for name in sorted(found ^ set(recorded)):
        fault = "is missing" if name in recorded else "did not exist when the folder was written"
        raise InputError(f"{folder / name}: {fault}; {remedy}", "damaged")
    for name, wanted in recorded.items():
        if _file_hash(folder / name) != wanted:
            raise InputError(
                f"{folder / name}: is damaged (its SHA-256 differs from the recorded one); {remedy}", "damaged"
            )


def _file_hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def disk_faults(place: Path) -> Iterator[None]:
    """Within the block, a disk error of any library becomes one InputError that names `place`."""
    try:
        yield
    except SemgjaxError:
        raise
    except Exception as error:
        fault = system_fault(error, place)
        if fault is None:
            raise
        raise fault from error


@contextlib.contextmanager
def reading_faults(path: Path, what: str, mend: str = "write the file again") -> Iterator[None]:
    """Within the block, errors of the libraries that read `path` become one InputError.

    Every kind of error: what they raise for damaged bytes is not documented, and differs with the place of the damage.

    Args:
        what: what could not be read, such as "as .npz".

    Raises:
        InputError: it is damaged ("damaged"), too large for the memory ("no-memory"), or the system's own fault.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{path}: needs more memory than there is; give a smaller file", "no-memory") from None
    except Exception as error:
        fault = system_fault(error, path) if isinstance(error, OSError) else None
        raise fault or InputError(f"{path}: cannot be read {what} ({first_line(error)}); {mend}", "damaged") from None


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold `folder`/.lock for one writer; the system frees it when the process dies.

    Raises:
        InputError: another live process holds it, or the folder cannot be written.
    """
    new = not folder.exists()
    with contextlib.ExitStack() as stack:
        with disk_faults(folder / ".lock"):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(open(folder / ".lock", "a+"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip() or "another process"
                raise InputError(
                    f"{folder}: in use by {owner}; wait for it or choose another folder", "in-use"
                ) from None
            file.truncate(0)
            try:
                # Not through the file's buffer: on a full disk it would fail only when the file is closed.
                os.write(file.fileno(), f"process {os.getpid()} on {os.uname().nodename}".encode())
            except OSError:
                if new:
                    shutil.rmtree(folder)
                raise
        yield


def is_locked(folder: Path) -> bool:
    """Whether a live process holds `folder`/.lock (see `folder_lock`).

    The lock itself is tried, shared and for an instant, only if its owner's name does not decide: a reader must not
    keep out a new owner.
    """
    path = folder / ".lock"
    owner = path.read_text() if path.exists() else ""
    named = re.fullmatch(r"process (\d+) on (\S+)", owner)
    if not owner or (named and named[2] == os.uname().nodename and not is_alive(int(named[1]))):
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
