"""One writer at an address: ADDRESS/.lock names it and changes while it lives, for a store has no locks of its own."""

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
BEAT = 15.0  # seconds between two signs of life
SILENCE = 60.0  # seconds without one after which an owner counts as gone
_SETTLE = 2.0  # seconds after which two that began in one moment both see whose lock it is

Holder = Callable[[], str | None]
"""Asks the store: who holds the address in our place, None while it is us."""


@contextlib.contextmanager
def address_lock(store: Store) -> Iterator[Holder]:
    """Hold an address for one writer; the yielded function tells whether it is still held: ask it before writing.

    The owner renews the file every BEAT seconds in a thread. A lock that nobody renews for SILENCE seconds by this
    machine's own clock, or whose process was on this machine and is gone, is taken over. Stores offer no
    compare-and-swap that all of them share: an owner cut off from the store for longer than SILENCE may be taken for
    dead, learns it when it asks next, and what it was writing in that moment may still arrive.

    Raises:
        InputError: another owner gives signs of life, or the store cannot be reached.
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
            except Exception as error:  # the next beat makes up for it; the run ends if it cannot write its state
                _say(f"{store.address}: no sign of life was written ({first_line(error)}); trying again")

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
        except Exception as error:  # what the run has done stands, whether or not this succeeds
            _say(
                f"{store.address}/{LOCK} was not removed ({first_line(error)}); the next run waits {SILENCE:g} s for it"
            )


def _wait_until_free(store: Store) -> None:
    """Return when there is no owner or it is gone.

    Raises:
        InputError: it lives.
    """
    first = _read(store)
    if first is None or _is_gone(first):
        return
    _say(
        f"{store.address}: in use by {_name(first)}; waiting {SILENCE:g} s for a sign of life (if that process is gone "
        f"for good, remove {store.address}/{LOCK} to begin at once)"
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
    """The owner, of a lock of ours or of a folder's (semgjax.files), which has the same first line."""
    return text.partition("\n")[0][:100] or "another process"


def _is_gone(text: str) -> bool:
    """Whether the owner was a process of this machine that has ended: then nobody need wait for its silence."""
    named = re.match(r"process (\d+) on \S+\n(\S+) ", text)
    return named is not None and named[2] == _machine() and not is_alive(int(named[1]))


def _machine() -> str:
    """This machine since its start and, on Linux, whose process numbers are meant: containers have their own."""
    name = os.uname().nodename
    boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    return f"{name}/{boot.read_text().strip()}/{space.readlink()}" if boot.exists() and space.exists() else name


def _say(line: str) -> None:
    print(f"semgjax: {line}", file=sys.stderr, flush=True)
