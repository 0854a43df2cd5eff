"""A run's folder and its address: what is fetched, in which order things go there, and kills between any two."""

import json
import shutil
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from semgjax.address import Store, open_address
from semgjax.errors import Diverged, InputError, Unsaved
from semgjax.training import owner
from semgjax.training.checkpoint import MARKER, newest_step, whole_steps
from semgjax.training.metrics import MetricsFile, read_metrics
from semgjax.training.mirror import Mirror, finished_folder, working_folder
from tests.refused import refused
from tests.runs import snapshot

LAST = 8
FILES = ("state/manifest", "state/d/numbers", "meta/metadata", "metrics/metrics", "hashes.json")


class Killed(BaseException):
    """The process is no more."""


class Brittle(MemoryFileSystem):
    """A store that dies after a number of operations, leaving half a file; it notes what it did."""

    store: dict = {}  # noqa: RUF012
    pseudo_dirs = [""]  # noqa: RUF012
    cachable = False
    left: float = float("inf")
    done: list[tuple[str, str]] = []  # noqa: RUF012

    def _act(self, what, path, half) -> None:
        if Brittle.left <= 0:
            half()
            raise Killed
        Brittle.left -= 1
        Brittle.done.append((what, path.removeprefix("/run/")))

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        self._act("write", path, lambda: super(Brittle, self).pipe_file(path, value[: len(value) // 2]))
        super().pipe_file(path, value)

    def put_file(self, lpath, rpath, **kwargs):
        content = Path(lpath).read_bytes()
        self._act("put", rpath, lambda: super(Brittle, self).pipe_file(rpath, content[: len(content) // 2]))
        super().pipe_file(rpath, content)

    def mv(self, path1, path2, **kwargs):
        self._act("rename", path2, lambda: None)
        super().mv(path1, path2)

    def rm_file(self, path):
        self._act("remove", path, lambda: None)
        super().rm_file(path)


@pytest.fixture
def store():
    """The address of a brittle store, which is empty and whole."""
    Brittle.store.clear()
    Brittle.pseudo_dirs[:] = [""]
    Brittle.done.clear()
    Brittle.left = float("inf")
    return Store("brittle://run", Brittle(), "/run")


@pytest.fixture
def quick(monkeypatch):
    """An empty memory:// address, and a lock that is quick to judge."""
    monkeypatch.setattr(owner, "BEAT", 0.05)
    monkeypatch.setattr(owner, "SILENCE", 1.0)
    monkeypatch.setattr(owner, "_SETTLE", 0.0)
    yield "memory://runs/one"
    system = fsspec.filesystem("memory")
    system.rm("/runs", recursive=True) if system.exists("/runs") else None


def write_checkpoint(folder, step) -> None:
    """What orbax leaves on disk, in small: a folder that appears whole."""
    for name in (*FILES, MARKER):
        path = folder / "unfinished" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} of step {step}")
    (folder / "checkpoints").mkdir(exist_ok=True)
    (folder / "unfinished").rename(folder / "checkpoints" / str(step))


def train(folder, publish, to=LAST) -> None:
    """A run in small: on from its newest checkpoint, a line a step, a checkpoint every other; three of them stay."""
    if (folder / "result.json").exists():
        return
    (folder / "config.json").write_text("{}")
    step, lines = newest_step(folder / "checkpoints") or 0, MetricsFile(folder / "metrics.jsonl")
    if step:
        state = folder / "checkpoints" / str(step)
        assert all((state / name).read_text() == f"{name} of step {step}" for name in (*FILES, MARKER))
        known = [line["step"] for line in read_metrics(folder / "metrics.jsonl")]
        assert known[:step] == list(range(1, step + 1))
    lines.rewind(step)
    while step < to:
        step += 1
        lines.write({"step": step})
        if step % 2 == 0:
            write_checkpoint(folder, step)
            for old in whole_steps(folder / "checkpoints") - {2, step - 2, step}:
                shutil.rmtree(folder / "checkpoints" / str(old))
            publish()
    if to == LAST:
        (folder / "result.json").write_text(json.dumps({"steps": LAST}))
        publish()


def attempt(store, folder, operations=float("inf")) -> None:
    """One life of a process, with a folder of its own."""
    Brittle.left = operations
    folder.mkdir()
    mirror = Mirror(store, folder, lambda: None)
    mirror.fetch()
    train(folder, mirror.publish)


def test_a_run_at_an_address_is_a_run_directory(store, tmp_path):
    attempt(store, tmp_path / "here")
    store.fetch(store.names(), tmp_path / "there")
    assert snapshot(tmp_path / "there") == snapshot(tmp_path / "here")
    assert whole_steps(tmp_path / "there" / "checkpoints") == {2, 6, 8}


def test_things_go_there_in_the_order_that_a_kill_needs(store, tmp_path):
    attempt(store, tmp_path / "here")
    done = [(what, name) for what, name in Brittle.done if not name.endswith(".part")]
    first = done[: done.index(("rename", f"checkpoints/2/{MARKER}")) + 1]
    assert first[0] == ("rename", "config.json") and first[-2] == ("rename", "metrics.jsonl")
    assert {name for what, name in first[1:-2] if what == "put"} == {f"checkpoints/2/{name}" for name in FILES}
    whole, dropped = (
        done.index(("rename", f"checkpoints/8/{MARKER}")),
        done.index(("remove", f"checkpoints/4/{MARKER}")),
    )
    assert dropped > whole and all(name.startswith("checkpoints/4/") for _, name in done[dropped:-1])
    assert done[-1] == ("rename", "result.json")
    assert [name for what, name in done].count("config.json") == 1  # what has not changed is not put again


def test_a_kill_between_any_two_operations_costs_no_more_than_the_last_checkpoint(store, tmp_path):
    attempt(store, tmp_path / "whole")
    expected, operations = snapshot_of(store), len(Brittle.done)
    assert operations > 40
    for kill in range(operations):
        store.remove_folder("") if store.names() else None
        with pytest.raises(Killed):
            attempt(store, tmp_path / f"killed-{kill}", kill)
        Brittle.left = float("inf")
        newest = max((int(name.split("/")[1]) for name in store.names() if name.endswith(MARKER)), default=0)
        seen = newest_step(tmp_path / f"killed-{kill}" / "checkpoints") or 0
        assert newest in (seen, seen - 2)
        attempt(store, tmp_path / f"resumed-{kill}")
        assert but_for_the_last_drop(store, expected) == expected, f"killed after {kill} operations"


def snapshot_of(store) -> dict[str, bytes]:
    return {name: store.read(name) for name in store.names()}


def but_for_the_last_drop(store, expected) -> dict[str, bytes]:
    """What is there; a kill between the last save and its drops leaves a whole checkpoint more, as it does on disk."""
    found = snapshot_of(store)
    more = {name for name in found.keys() - expected.keys() if name.startswith("checkpoints/4/")}
    assert not more or f"checkpoints/4/{MARKER}" in more
    return {name: content for name, content in found.items() if name not in more}


def test_two_kills_one_after_the_other_are_no_worse(store, tmp_path):
    attempt(store, tmp_path / "whole")
    expected, operations = snapshot_of(store), len(Brittle.done)
    for kill in range(0, operations, 3):
        store.remove_folder("")
        with pytest.raises(Killed):
            attempt(store, tmp_path / f"first-{kill}", kill)
        try:
            attempt(store, tmp_path / f"second-{kill}", 7)
        except Killed:
            attempt(store, tmp_path / f"third-{kill}")
        Brittle.left = float("inf")
        assert but_for_the_last_drop(store, expected) == expected


def test_only_what_going_on_needs_is_fetched(store, tmp_path):
    (tmp_path / "here").mkdir()
    train(tmp_path / "here", Mirror(store, tmp_path / "here", lambda: None).publish, to=7)
    store.write("tensorboard/events", b"not needed here")
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    Mirror(store, fetched, lambda: None).fetch()
    names = {name for name, content in snapshot(fetched).items() if content is not None}
    small = {f"checkpoints/{step}/{name}" for step in (2, 4) for name in (*FILES[2:], MARKER)}
    assert names == {"config.json", "metrics.jsonl", *small, *(f"checkpoints/6/{name}" for name in (*FILES, MARKER))}


def test_of_a_finished_run_no_state_is_fetched_and_nothing_is_put(store, tmp_path):
    attempt(store, tmp_path / "here")
    Brittle.done.clear()
    attempt(store, tmp_path / "again")
    assert Brittle.done == []
    assert not list((tmp_path / "again").rglob("state"))
    assert newest_step(tmp_path / "again" / "checkpoints") == LAST


def test_files_of_trackers_and_profiles_go_there_too_and_hidden_ones_do_not(store, tmp_path):
    here = tmp_path / "here"
    (here / "tensorboard").mkdir(parents=True)
    (here / "tensorboard" / "events").write_bytes(b"1")
    (here / ".lock").write_text("mine")
    mirror = Mirror(store, here, lambda: None)
    train(here, mirror.publish, to=2)
    (here / "tensorboard" / "events").write_bytes(b"12")
    mirror.publish()
    assert store.read("tensorboard/events") == b"12"
    assert store.read(".lock") is None


def test_an_upload_that_fails_says_why_and_where_the_state_is(store, tmp_path, monkeypatch):
    def put_file(*_, **__):
        raise OSError("403 no access\nwith a long page")

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.setattr(Brittle, "put_file", put_file)
    with refused("unsaved", "brittle://run", "OSError: 403 no access", here, kind=Unsaved) as caught:
        train(here, Mirror(store, here, lambda: None).publish)
    assert caught.value.exit_code == 74


def test_a_run_that_was_taken_over_writes_no_more(store, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    others: list[str] = []
    mirror = Mirror(store, here, lambda: others[0] if others else None)
    train(here, mirror.publish, to=2)
    before = snapshot_of(store)
    others.append("process 1 on another-machine")
    with refused("unsaved", "process 1 on another-machine", here, kind=Unsaved):
        train(here, mirror.publish)
    assert snapshot_of(store) == before


def test_a_folder_is_worked_in_as_it_is(tmp_path):
    for out in (tmp_path / "run", str(tmp_path / "run")):
        with working_folder(out) as (folder, publish):
            assert folder == tmp_path / "run" and publish is None
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary folders are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


def test_at_the_end_all_is_at_the_address_and_nothing_is_left_here(quick, temporary):
    with working_folder(quick) as (folder, publish):
        assert folder.parent == temporary
        train(folder, publish, to=5)
    store = open_address(quick)
    assert ".lock" not in store.names()
    assert store.read("metrics.jsonl").count(b"\n") == 5  # the lines after the last checkpoint, too
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("error", [Diverged, InputError])
def test_a_bad_end_names_the_address_and_its_metrics_are_there(quick, temporary, error):
    named = f"{quick}/checkpoints/4: no good"
    with refused(error.code, named, kind=error), working_folder(quick) as (folder, publish):
        train(folder, publish, to=5)
        raise error(f"{folder}/checkpoints/4: no good")
    assert open_address(quick).read("metrics.jsonl").count(b"\n") == 5
    assert list(temporary.iterdir()) == []


def test_after_a_failed_upload_the_folder_stays(quick, temporary, monkeypatch):
    def put(*_):
        raise OSError("no route")

    with pytest.raises(Unsaved) as caught, working_folder(quick) as (folder, publish):
        monkeypatch.setattr(Store, "put", put)
        train(folder, publish)
    assert list(temporary.iterdir()) == [folder] and str(folder) in str(caught.value)
    assert newest_step(folder / "checkpoints") == 2
    assert open_address(quick).read(".lock") is None


def test_a_second_writer_is_refused_and_the_first_goes_on(quick, temporary):
    with working_folder(quick) as (folder, publish):
        with refused("in-use", quick), working_folder(quick):
            pass
        train(folder, publish)
    assert open_address(quick).read("result.json") is not None


@pytest.mark.parametrize("name", ["notes.txt", "checkpoints/2/state/x", "other/config.json"])
def test_an_address_of_other_files_is_refused_and_left_as_it_is(quick, temporary, name):
    store = open_address(quick)
    store.write(name, b"mine")
    with refused("out-exists", quick, name), working_folder(quick):
        pass
    assert store.names() == [name] and list(temporary.iterdir()) == []


def test_what_a_kill_before_the_first_file_leaves_is_in_nobodys_way(quick):
    store = open_address(quick)
    store.write(".lock", b"")
    store.write("config.json.part", b"half")
    with working_folder(quick) as (folder, publish):
        train(folder, publish, to=2)
    assert "config.json.part" not in store.names() and "config.json" in store.names()


def test_several_processes_need_a_mounted_bucket(quick, monkeypatch):
    monkeypatch.setattr("jax.process_count", lambda: 4)
    with refused("conflict", quick, 4), working_folder(quick):
        pass
    assert open_address(quick).names() == []


def test_a_finished_run_is_read_from_its_address_without_its_older_states(quick):
    with working_folder(quick) as (folder, publish):
        train(folder, publish)
    with finished_folder(quick) as copy:
        assert whole_steps(copy / "checkpoints") == {LAST} and (copy / "result.json").exists()
        names = [path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()]
    assert sorted(names) == sorted(
        ["config.json", "result.json", *(f"checkpoints/{LAST}/{name}" for name in (*FILES, MARKER))]
    )
    with refused("input", f"{quick}/config.json: missing"), finished_folder(quick) as copy:
        raise InputError(f"{copy}/config.json: missing")
