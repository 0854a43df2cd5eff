"""Runs at an address, stopped in every way as real processes: the same command elsewhere ends as if nothing was."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from semgjax.cli.main import main
from semgjax.training.checkpoint import newest_step, whole_steps
from semgjax.training.run_folder import load_finished
from tests.runs import (
    STEPS,
    assert_same_parameters,
    assert_same_run,
    distill_words,
    fails,
    snapshot,
    start,
    start_python,
    stop_in_the_middle,
    train_words,
)

# Dies while it copies the fifth file of the checkpoint of step S to the address, with half of it there.
KILLED_IN_AN_UPLOAD = """
import os, signal, sys
from fsspec.implementations.local import LocalFileSystem
left, step, words, copy = 5, sys.argv[1], sys.argv[2:], LocalFileSystem.put_file

def put_file(self, here, there, **options):
    global left
    left -= f"/checkpoints/{step}/" in there
    if left == 0:
        content = open(here, "rb").read()
        open(there, "wb").write(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    copy(self, here, there, **options)

LocalFileSystem.put_file = put_file
from semgjax.cli.main import main
sys.exit(main(words))
"""


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The folder behind an address, the address, and where working folders are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    there = tmp_path / "bucket" / "run"
    return there, f"file://{there}", tmp_path / "temporary"


def assert_ended_like(finished, there) -> None:
    """As an undisturbed local run, file for file."""
    assert_same_run(there, finished)
    assert (there / "config.json").read_bytes() == (finished / "config.json").read_bytes()
    assert whole_steps(there / "checkpoints") == whole_steps(finished / "checkpoints")
    assert {path.name for path in there.iterdir()} == {"config.json", "metrics.jsonl", "result.json", "checkpoints"}
    assert not list(there.rglob("*.part"))


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_address_and_ends_bit_for_bit_alike(sessions, finished, places, tmp_path):
    there, address, temporary = places
    words = train_words(sessions, address)
    other_machine = tmp_path / "other"
    other_machine.mkdir()
    code, _, _ = stop_in_the_middle(words, there, signal.SIGKILL, TMPDIR=str(other_machine))
    assert code == -signal.SIGKILL
    step = newest_step(there / "checkpoints")
    assert step is not None and 2 <= step < STEPS and not (there / "result.json").exists()
    shutil.rmtree(other_machine)
    process = start(words, TMPDIR=str(temporary))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert f"{address}/result.json" in out
    assert "in use" not in err  # its owner was a process here, which is gone
    assert_ended_like(finished, there)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("step", "before"), [(2, None), (6, 4)])
def test_a_run_killed_in_an_upload_goes_on_from_the_checkpoint_before(sessions, finished, places, step, before):
    there, address, temporary = places
    words = train_words(sessions, address)
    process = start_python(["-c", KILLED_IN_AN_UPLOAD, str(step), *words], TMPDIR=str(temporary))
    _, err = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, err
    assert newest_step(there / "checkpoints") == before
    assert sum(path.is_file() for path in (there / "checkpoints" / str(step)).rglob("*")) == 5
    assert main(words) == 0
    assert_ended_like(finished, there)


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_is_at_its_address_before_it_ends(sessions, finished, places):
    there, address, temporary = places
    words = train_words(sessions, address)
    code, out, err = stop_in_the_middle(words, there, signal.SIGTERM, TMPDIR=str(temporary))
    assert (code, out) == (75, "") and "Traceback" not in err
    step = newest_step(there / "checkpoints")
    assert f"{address}: " in err and f" step {step} " in err
    assert step is not None and 2 <= step < STEPS and not (there / ".lock").exists()
    assert list(temporary.iterdir()) == []
    assert main(words) == 0
    assert_ended_like(finished, there)


@pytest.mark.slow
def test_a_run_whose_uploads_fail_ends_and_its_state_goes_on_where_the_line_says(
    sessions, finished, places, capsys, monkeypatch
):
    there, address, temporary = places
    copy = LocalFileSystem.put_file

    def put_file(self, here, target, **options):
        if "/checkpoints/4/state/" in target:
            raise PermissionError(13, "Permission denied", target)
        copy(self, here, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "put_file", put_file)
        line = fails(capsys, train_words(sessions, address), 74)
    (folder,) = temporary.iterdir()
    assert address in line and "PermissionError" in line and str(folder) in line
    assert newest_step(there / "checkpoints") == 2 and newest_step(folder / "checkpoints") in (4, 6)
    at_address = there.parent / "copy"
    shutil.copytree(there, at_address)
    assert main(train_words(sessions, folder)) == 0
    assert_same_run(folder, finished)
    # The other way that the line names: from the checkpoint at the address.
    assert main(train_words(sessions, f"file://{at_address}")) == 0
    assert_ended_like(finished, at_address)


HOLD = """
import sys
from semgjax.address import open_address
from semgjax.training import owner
owner.BEAT = 0.2
with owner.address_lock(open_address(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_an_address_in_use_by_another_process_is_refused_and_named_until_that_is_killed(
    sessions, places, monkeypatch, capsys
):
    there, address, temporary = places
    monkeypatch.setattr("semgjax.training.owner._SETTLE", 0.0)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    words = train_words(sessions, address, "--engine.resume=must")  # so that it ends when it is let in
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        assert main(words) == 2
        waited, refused = capsys.readouterr().err.splitlines()
        assert all(f"{address}: " in line and f"process {holder.pid} on " in line for line in (waited, refused))
        assert (there / ".lock").exists()
        stop_between_renewals(holder, there / ".lock")
    finally:
        holder.kill()
        holder.communicate()
    assert f"{address}: engine.resume" in fails(capsys, words)
    assert list(there.iterdir()) == [] and list(temporary.iterdir()) == []


def stop_between_renewals(holder: subprocess.Popen[bytes], lock: Path) -> None:
    """Stop a process when its lock is written whole: the next run waits out SILENCE for a lock cut off in a write."""
    while True:
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)
        if lock.read_bytes().endswith(b"\n"):
            return
        holder.send_signal(signal.SIGCONT)


@pytest.fixture
def bucket(finished, monkeypatch):
    """The address of a finished run, and the system that it is in."""
    monkeypatch.setattr("semgjax.training.owner._SETTLE", 0.0)
    system = fsspec.filesystem("memory")
    system.put(str(finished), "/lab/finished", recursive=True)
    system.rm_file("/lab/finished/.lock")
    yield "memory://lab/finished", system
    system.rm("/lab", recursive=True)


def stored(system) -> dict[str, bytes]:
    return {name: system.cat_file(name) for name in system.find("/lab")}


def test_a_finished_run_at_an_address_prints_its_result_again_and_changes_nothing(sessions, bucket, capsys):
    address, system = bucket
    before = stored(system)
    capsys.readouterr()
    assert main(train_words(sessions, f"{address}/")) == 0
    printed = capsys.readouterr()
    assert printed.err == "" and printed.out.splitlines()[-1].strip() == f"{address}/result.json"
    assert stored(system) == before


def test_another_run_at_the_address_is_refused_and_left_as_it_is(sessions, bucket, capsys):
    address, system = bucket
    before = stored(system)
    line = fails(capsys, train_words(sessions, address, "--train.seed=1"))
    assert address in line and "train.seed 0" in line
    assert stored(system) == before


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("memory://lab/strangers", "(notes.txt)"),
        ("memory://lab/strangers/notes.txt", "memory://lab/strangers/notes.txt: "),
        ("cloud9://lab/run", "cloud9://lab/run: "),
        ("file:///proc/none/run", "file:///proc/none/run: "),
        ("file://{here}/notes.txt/run", "/notes.txt/run: "),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line(sessions, bucket, tmp_path, capsys, address, says):
    _, system = bucket
    system.pipe_file("/lab/strangers/notes.txt", b"mine")
    (tmp_path / "notes.txt").write_text("mine")
    before = stored(system)
    assert says in fails(capsys, train_words(sessions, address.format(here=tmp_path)))
    assert stored(system) == before and snapshot(tmp_path) == {"notes.txt": b"mine"}


def test_resume_must_and_never_look_at_the_address(sessions, bucket, capsys):
    address, system = bucket
    line = fails(capsys, train_words(sessions, address, "--engine.resume=never"))
    assert f"{address}: engine.resume" in line and f" step {STEPS}" in line
    line = fails(capsys, train_words(sessions, "memory://lab/new", "--engine.resume=must"))
    assert "memory://lab/new: engine.resume" in line
    assert system.find("/lab/new") == []


def test_a_damaged_checkpoint_is_named_by_its_address(sessions, bucket, capsys):
    address, system = bucket
    system.rm_file("/lab/finished/result.json")
    for name in system.find(f"/lab/finished/checkpoints/{STEPS}/state"):
        system.pipe_file(name, b"damaged")
    line = fails(capsys, train_words(sessions, address))
    assert f"{address}/checkpoints/{STEPS}/state/" in line


def test_a_finished_run_is_evaluated_and_exported_from_its_address(sessions, finished, bucket, tmp_path, capsys):
    address, system = bucket
    before = stored(system)
    capsys.readouterr()
    assert main(["evaluate", address, f"--data={sessions}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = json.loads((finished / "result.json").read_text())["scores"]
    assert found["model"] == address and found["scores"] == [row for row in rows if row["split"] == "test"]
    assert main(["export", address, "--out", str(tmp_path / "export")]) == 0
    system.put(str(tmp_path / "export"), "/lab/export", recursive=True)
    capsys.readouterr()
    assert main(["evaluate", "memory://lab/export", f"--data={sessions}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"] == found["scores"]
    assert {name: content for name, content in stored(system).items() if "/lab/export" not in name} == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["evaluate", "memory://lab/none", "--data=."], "memory://lab/none: "),
        (["export", "memory://lab/none", "--out=export"], "memory://lab/none/config.json: "),
        (["export", "cloud9://lab", "--out=export"], "cloud9://lab: "),
    ],
)
def test_a_place_without_a_finished_run_is_one_line_with_its_address(bucket, capsys, words, says):
    assert says in fails(capsys, words)
    assert not Path("export").exists()


@pytest.mark.slow
def test_a_student_learns_from_a_teacher_at_an_address_to_an_address(
    sessions, finished, student, bucket, tmp_path, capsys
):
    address, system = bucket
    before = stored(system)
    assert main(distill_words(address, sessions, "memory://lab/student")) == 0
    assert re.search(r"^  memory://lab/student/result.json$", capsys.readouterr().out, re.MULTILINE)
    assert {name: content for name, content in stored(system).items() if "/lab/student" not in name} == before
    system.get("/lab/student", str(tmp_path / "student"), recursive=True)
    assert_same_run(tmp_path / "student", student)
    assert_same_parameters(tmp_path / "student", student)
    assert load_finished(tmp_path / "student")[0].distill is not None
