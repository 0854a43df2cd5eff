"""The lock at an address: who is let in, who is refused, and what a writer learns that was taken for dead."""

import os
import threading
import time

import fsspec
import pytest

from semgjax.address import open_address
from semgjax.training import owner
from semgjax.training.owner import LOCK, address_lock
from tests.refused import refused
from tests.runs import start_python

ME = f"process {os.getpid()} on {os.uname().nodename}"


@pytest.fixture
def store(monkeypatch):
    """An empty address, and a lock that is quick to judge."""
    monkeypatch.setattr(owner, "BEAT", 0.05)
    monkeypatch.setattr(owner, "SILENCE", 1.0)
    monkeypatch.setattr(owner, "_SETTLE", 0.01)
    yield open_address("memory://locks/run")
    system = fsspec.filesystem("memory")
    system.rm("/locks", recursive=True) if system.exists("/locks") else None


def wait_until(holds) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_lock_names_its_owner_gives_signs_of_life_and_goes_with_it(store):
    with address_lock(store) as holder:
        first = store.read(LOCK)
        assert first.decode().startswith(ME + "\n") and holder() is None
        wait_until(lambda: store.read(LOCK) != first)
    assert store.names() == []


def test_a_second_writer_is_refused_with_the_owner_and_let_in_afterwards(store, capsys):
    with address_lock(store):
        with refused("in-use", "memory://locks/run", ME), address_lock(store):
            pass
        assert ME in capsys.readouterr().err  # while it waits
    with address_lock(store):
        pass


@pytest.mark.parametrize(
    "text",
    [
        "process 1 on another-machine\nanother-machine/boot/pid:[1] abc 7\n",
        "process 1 on another-machine",  # of a folder's lock: the run was begun through a mount
        "",
    ],
)
def test_an_owner_elsewhere_that_is_silent_is_taken_over_after_a_while(store, capsys, text):
    store.write(LOCK, text.encode())
    begun = time.monotonic()
    with address_lock(store) as holder:
        assert time.monotonic() - begun >= 1.0 and holder() is None
    owner_name = text.partition("\n")[0] or "another process"
    assert owner_name in capsys.readouterr().err


def test_an_owner_that_goes_while_it_is_waited_for_is_waited_for_no_longer(store, monkeypatch):
    monkeypatch.setattr(owner, "SILENCE", 600.0)
    store.write(LOCK, b"process 1 on another-machine")
    threading.Timer(0.1, store.remove, [LOCK]).start()
    with address_lock(store):
        pass


def test_a_dead_process_of_this_machine_is_not_waited_for(store, monkeypatch, capsys):
    monkeypatch.setattr(owner, "SILENCE", 600.0)
    ended = start_python(["-c", ""])
    ended.communicate()
    text = f"process {ended.pid} on {os.uname().nodename}\n{owner._machine()} abc 7\n"
    store.write(LOCK, text.encode())
    with address_lock(store):
        pass
    assert capsys.readouterr().err == ""


def test_a_process_number_of_another_container_on_this_host_says_nothing(store):
    ended = start_python(["-c", ""])
    ended.communicate()
    elsewhere = f"{owner._machine()}, another container"
    assert not owner._is_gone(f"process {ended.pid} on {os.uname().nodename}\n{elsewhere} abc 7\n")


def test_a_writer_that_was_taken_for_dead_learns_it_and_leaves_the_other_lock_alone(store):
    other = b"process 1 on another-machine\nanother-machine abc 7\n"
    with address_lock(store) as holder:
        store.write(LOCK, other)
        wait_until(lambda: holder() == "process 1 on another-machine")
        time.sleep(0.2)  # its own signs of life have ended
    assert store.read(LOCK) == other


def test_of_two_that_begin_in_one_moment_the_later_writer_stays(store, monkeypatch):
    monkeypatch.setattr(owner.time, "sleep", lambda _: store.write(LOCK, b"process 1 on another-machine"))
    with refused("in-use", "process 1 on another-machine"), address_lock(store):
        pass
    assert store.read(LOCK) == b"process 1 on another-machine"


def test_a_renewal_that_fails_is_reported_and_retried(store, monkeypatch, capsys):
    faults = [OSError("503 try later")]
    real = type(store).write

    def write(self, name, content):
        if threading.current_thread().name == "owner" and faults:
            raise faults.pop()
        real(self, name, content)

    monkeypatch.setattr(type(store), "write", write)
    with address_lock(store) as holder:
        first = store.read(LOCK)
        wait_until(lambda: store.read(LOCK) != first)
        assert holder() is None
    line = capsys.readouterr().err
    assert "memory://locks/run" in line and "503 try later" in line


def test_a_store_that_cannot_be_reached_is_one_line(store, monkeypatch):
    def write(*_):
        raise PermissionError(13, "no access")

    monkeypatch.setattr(type(store), "write", write)
    with refused("unreadable", "locks/run", "no access"), address_lock(store):
        pass
