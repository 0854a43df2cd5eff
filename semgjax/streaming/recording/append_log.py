"""A file that only grows, written by a thread of its own: whole pieces, also where the disk is full for a while."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from semgjax.errors import InputError, fault_code, system_fault

_MOST = 1 << 29  # bytes that wait in memory for the disk
_AT_ONCE = 1 << 20
_RETRY, _SYNC = 1.0, 5.0  # seconds


class AppendLog:
    """What is put is written in order; a piece that the disk takes in part is written again from its beginning.

    A process that is killed, or a disk that stays full, leaves all pieces written so far, and perhaps a part of one
    more. They are synced every few seconds.

    Attributes:
        path: of the file.
        failed: what keeps the thread from writing, for more bytes than can wait; nothing more is taken then.
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
        self._unsynced: InputError | None = None
        self._thread = threading.Thread(target=self._run, name=f"record {path.name}", daemon=True)
        self._thread.start()

    def put(self, piece: bytes) -> None:
        """One more piece; returns at once."""
        with self._changed:
            if self._waiting + len(piece) > _MOST:
                slow = f"{self.path}: the disk takes data more slowly than they come; use another"
                self.failed = self.failed or self._fault or InputError(slow, "io-error")
            if self.failed is not None:
                return
            self._pieces.append(piece)
            self._waiting += len(piece)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, sync it, and close the file.

        Raises:
            InputError: the disk did not take all of it: "no-space" and the like; what was written before is whole. Or a
                sync failed, now or earlier: that a later one succeeds does not say that nothing was lost.
        """
        self._end()
        if self._waiting or self.failed is not None:
            fault = self._fault or self.failed or InputError(f"{self.path}: was not written to its end", "io-error")
            raise InputError(
                f"{fault}; {self._good:,} bytes were recorded and are whole, what came later was not", fault.code
            )
        if self._unsynced is not None:
            raise self._unsynced

    def discard(self) -> None:
        """Close the file and remove it."""
        self._end()
        self.path.unlink()

    def _end(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._sync()
        os.close(self._number)

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
        """Written at its place: what an earlier try wrote of it is overwritten."""
        try:
            done = 0
            while done < len(content):
                done += os.pwrite(self._number, content[done:], self._good + done)
        except OSError as error:
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
        except OSError as error:
            first = self._unsynced is None
            self._unsynced = InputError(
                f"{self.path}: cannot be synced ({error.strerror}), so that a part may not be on the disk; copy the "
                "file to another one and look at it",
                fault_code(error),
            )
            if first:
                self._note(str(self._unsynced))
