"""One writer at an address: it renews ADDRESS/.lock while it lives, for neither fsspec nor orbax locks a bucket."""

import contextlib
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from semgjax.address import Store, reaching
from semgjax.errors import InputError, first_line
from semgjax.files import is_alive

LOCK = ".lock"
BEAT = 15.0  # seconds between two renewals
SILENCE = 60.0  # seconds without a renewal after which an owner counts as dead
_SETTLE = 2.0  # seconds after which two processes that started together both see whose lock it is

Holder = Callable[[], str | None]
"""Reads from the store who else holds the address; None while this process does."""


@contextlib.contextmanager
def address_lock(store: Store) -> Iterator[Holder]:
    """Hold an address for one writer; call the yielded function before every write to see whether it is still held.

    A thread renews the file every BEAT seconds. A lock is taken over if nobody renews it for SILENCE seconds by this
    machine's clock, or if its process ran on this machine and has ended. The stores share no compare-and-swap, so an
    owner that is cut off for longer than SILENCE may lose the lock; it notices at its next check, and a write that it
    began before may still arrive.

    Raises:
        InputError: another owner renews the lock ("in-use"), or the store cannot be reached.
    """
    text = f"process {os.getpid()} on {os.uname().nodename}\n{_machine()} {secrets.token_hex(8)}"
    one_at_a_time, ended = threading.Lock(), threading.Event()

    def holder() -> str | None:
        with one_at_a_time:
            found = _read(store)
            return None if found is None or found.startswith(text) else _name(found)

    def write(beat: int) -> None:
        with one_at_a_time:
            store.write(LOCK, f"{text} {beat}\n".encode())

    def live() -> None:
        beat = 0
        while not ended.wait(BEAT):
            beat += 1
            try:
                if holder() is not None:
                    return
                write(beat)
            except Exception as error:  # retried at the next beat; the run ends if it cannot write its state
                _say(f"{store.address}: the lock was not renewed ({first_line(error)}); retrying")

    with reaching(store.address):
        _wait_until_free(store)
        write(0)
        time.sleep(_SETTLE)
        other = holder()
    if other is not None:
        raise InputError(_in_use(store, other), "in-use")
    heart = threading.Thread(target=live, name="owner", daemon=True)
    heart.start()
    try:
        yield holder
    finally:
        ended.set()
        heart.join()
        try:
            if holder() is None:
                store.remove(LOCK)
        except Exception as error:  # the run is complete without this
            _say(
                f"{store.address}/{LOCK} was not removed ({first_line(error)}); the next run waits {SILENCE:g} s for it"
            )


def _wait_until_free(store: Store) -> None:
    """Return once there is no owner or it is dead.

    Raises:
        InputError: it is alive ("in-use").
    """
    first = _read(store)
    if first is None or _is_gone(first):
        return
    _say(
        f"{store.address}: in use by {_name(first)}; waiting {SILENCE:g} s to see whether it is alive (if that process "
        f"has ended, remove {store.address}/{LOCK} to start at once)"
    )
    end = time.monotonic() + SILENCE
    while time.monotonic() < end:
        time.sleep(min(1.0, BEAT / 3))
        found = _read(store)
        if found is None:
            return
        if found != first:
            raise InputError(_in_use(store, _name(found)), "in-use")


def _in_use(store: Store, owner: str) -> str:
    return f"{store.address}: in use by {owner}; wait for it, stop it, or choose another address"


def _read(store: Store) -> str | None:
    found = store.read(LOCK)
    return None if found is None else found.decode(errors="replace")


def _name(text: str) -> str:
    """The owner's name: the first line of the lock, as in a folder's lock (semgjax.files)."""
    return text.partition("\n")[0][:100] or "another process"


def _is_gone(text: str) -> bool:
    """Whether the owner was a process of this machine that has ended, so that waiting is needless."""
    named = re.match(r"process (\d+) on \S+\n(\S+) ", text)
    return named is not None and named[2] == _machine() and not is_alive(int(named[1]))


def _machine() -> str:
    """This machine's name and, on Linux, its boot and its process-number namespace: each container has its own."""
    name = os.uname().nodename
    boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    return f"{name}/{boot.read_text().strip()}/{space.readlink()}" if boot.exists() and space.exists() else name


def _say(line: str) -> None:
    print(f"semgjax: {line}", file=sys.stderr, flush=True)
