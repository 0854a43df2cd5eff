"""A file that only grows, written by a thread of its own: whole pieces, also where the disk is full for a while."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from semgjax.errors import InputError, system_fault

_MOST = 1 << 29  # bytes that wait in memory for the disk
_AT_ONCE = 1 << 20
_RETRY, _SYNC = 1.0, 5.0  # seconds


class AppendLog:
    """What is put is written in order and whole; a piece that the disk takes in part is taken back and tried again.

    A process that is killed leaves all pieces written so far; they are synced every few seconds.

    Attributes:
        path: of the file.
        failed: what keeps the thread from writing, for more bytes than can wait; the rest is not taken.
    """

    def __init__(self, path: Path, note: Callable[[str], None]) -> None:
        """Make the file.

        Args:
            note: called with one line when the disk refuses and when it takes data again.

        Raises:
            InputError: it exists ("out-exists"), or cannot be made.
        """
        self.path, self._note = path, note
        self.failed: InputError | None = None
        self._pieces: deque[bytes] = deque()
        self._waiting, self._good = 0, 0
        self._changed = threading.Condition()
        self._closing = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            fault = system_fault(error, path)
            raise fault or InputError(f"{path}: cannot be made ({error.strerror})", "unreadable") from None
        self._fault: InputError | None = None
        self._thread = threading.Thread(target=self._run, name=f"record {path.name}", daemon=True)
        self._thread.start()

    def put(self, piece: bytes) -> None:
        """One more piece; returns at once."""
        with self._changed:
            if self._waiting + len(piece) > _MOST:
                self.failed = self._fault
                return
            self._pieces.append(piece)
            self._waiting += len(piece)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, and close the file.

        Raises:
            InputError: the disk does not take it: "no-space" and the like. What was written before is whole.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        os.close(self._number)
        if self._fault is not None:
            raise InputError(
                f"{self._fault}; {self._good:,} bytes were recorded and are whole, {self._waiting:,} were not",
                self._fault.code,
            )

    def _run(self) -> None:
        synced = time.monotonic()
        while True:
            with self._changed:
                while not self._pieces and not self._closing:
                    self._changed.wait()
                size, count = 0, 0
                for piece in self._pieces:
                    size, count = size + len(piece), count + 1
                    if size >= _AT_ONCE:
                        break
                content = b"".join(self._pieces[at] for at in range(count))
                closing = self._closing
            if not content:
                return
            if self._written(content):
                with self._changed:
                    for _ in range(count):
                        self._pieces.popleft()
                    self._waiting -= size
                if time.monotonic() - synced > _SYNC:
                    synced = time.monotonic()
                    self._sync()
            elif closing:
                return
            else:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, _RETRY)

    def _written(self, content: bytes) -> bool:
        try:
            done = 0
            while done < len(content):
                done += os.write(self._number, content[done:])
        except OSError as error:
            os.ftruncate(self._number, self._good)
            os.lseek(self._number, self._good, os.SEEK_SET)
            first = self._fault is None
            fault = system_fault(error, self.path)
            self._fault = fault or InputError(f"{self.path}: cannot be written ({error.strerror})", "io-error")
            if first:
                self._note(f"{self._fault}; the recording waits in memory")
            return False
        self._good += len(content)
        if self._fault is not None:
            self._note(f"{self.path}: is written again; nothing was lost")
            self._fault = None
        return True

    def _sync(self) -> None:
        try:
            os.fsync(self._number)
        except OSError as error:  # reported: what was written may not be on the disk yet
            self._note(f"{self.path}: cannot be synced ({error.strerror})")
