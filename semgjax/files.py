"""JSON files between layers: canonical form, content hash, atomic write, schema check, lock."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semgjax.errors import InputError


def canonical_json(value: Any) -> str:
    """`value` as JSON with sorted keys and no spare blanks; NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of `value`: equal content, equal hash."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing: a temporary file in the same folder, synced, then renamed."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
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

    `body` may be a document read before: the schema and the version given here stand in place of its own.
    """
    head = {"schema": schema, "version": version}
    document = head | body | head
    write_atomic(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def read_json(path: Path, schema: str, version: int, oldest: int | None = None) -> dict[str, Any]:
    """Read a file written by `write_json`, of `version` or, where `oldest` is given, of any from that one on.

    Raises:
        InputError: no such file, no JSON, or another schema or version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (expected a {schema} file)") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); write it again") from None
    if not isinstance(document, dict) or document.get("schema") != schema:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise InputError(f"{path}: schema is {found!r}, expected {schema!r}; is this the right file?")
    if document.get("version") not in range(version if oldest is None else oldest, version + 1):
        raise InputError(
            f"{path}: {schema} version {document.get('version')!r}, this semgjax reads version {version}; "
            "use the release that wrote it"
        )
    return document


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold `folder`/.lock for one writer; the system frees it when the process dies.

    Raises:
        InputError: another live process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "another process"
            raise InputError(f"{folder}: in use by {owner}; wait for it or choose another folder") from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {os.uname().nodename}")
        file.flush()
        yield


def is_locked(folder: Path) -> bool:
    """Whether a live process holds `folder`/.lock (see `folder_lock`).

    The lock is tried, shared and for an instant, only where its owner's name cannot tell: looking on must not
    keep a new owner out.
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
    """Whether a process of this machine is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
