"""The whole demo at its smallest: sizes and steps too few to learn, but every stage real."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semgjax.demo.demo_plan import DemoPlan, claim
from semgjax.demo.stages import run_demo
from semgjax.errors import InputError
from semgjax.sweep.plan import read_sweep
from semgjax.training.checkpoint import whole_steps
from tests.refused import refused

PLAN = dict(
    users=4,
    sessions=1,
    minutes=0.3,
    test_users=1,
    val_share=0.0,
    widths=(16, 24),
    users_width=16,
    halvings=1,
    student_width=16,
    steps=3,
    batch=8,
    student_steps=2,
    student_rates=(0.1,),
)
SCRIPT = """
import sys
from pathlib import Path
from semgjax.demo.demo_plan import DemoPlan
from semgjax.demo.stages import run_demo
if __name__ == "__main__":
    run_demo(DemoPlan(**{plan}), Path(sys.argv[1]))
"""


def start(out: Path) -> tuple[subprocess.Popen, Path]:
    """The process of a demo, and the file that holds what it prints."""
    words = [sys.executable, "-u", "-c", SCRIPT.format(plan=PLAN), str(out)]
    printed = out.with_name(f"{out.name}.{len(list(out.parent.glob('*.printed')))}.printed")
    with open(printed, "wb") as file:
        # A group of its own: a kill of the demo and its trials together, as when a machine goes down.
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    return process, printed


def finish(process: subprocess.Popen, printed: Path) -> None:
    assert process.wait(timeout=900) == 0, printed.read_text(errors="replace")


def as_if_stopped_in_the_sweep(finished: Path, out: Path) -> list[Path]:
    """A copy of a finished demo in which its last two trials have not ended: the last one has not begun, and the other
    has only its first checkpoint. Returns their folders."""
    shutil.copytree(finished, out)
    for path in out.iterdir():
        if path.name not in ("demo.json", "sessions", "sweep"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in out.glob("sweep/results.*"):
        path.unlink()
    sweep = read_sweep(out / "sweep")
    *_, begun, waiting = (sweep.run_folder(trial) for trial in sweep.trials)
    shutil.rmtree(waiting)
    (begun / "result.json").unlink()
    first, *later = sorted(whole_steps(begun / "checkpoints"))
    assert later
    for step in later:
        shutil.rmtree(begun / "checkpoints" / str(step))
    return [begun, waiting]


def without_times(out: Path) -> dict:
    summary = json.loads((out / "summary.json").read_text())
    assert summary.pop("seconds") > 0
    return summary


@pytest.mark.slow
def test_a_demo_killed_in_the_sweep_and_started_again_ends_like_an_undisturbed_one(tmp_path, monkeypatch):
    monkeypatch.setenv("NPROC", "2")  # the demo sets it in this process at the end; here it is put back
    plain, killed = tmp_path / "plain", tmp_path / "killed"
    finish(*start(plain))

    unfinished = as_if_stopped_in_the_sweep(plain, killed)
    first, printed = start(killed)
    deadline = time.monotonic() + 600
    while not any((trial / "result.json").exists() for trial in unfinished):
        assert first.poll() is None and time.monotonic() < deadline, printed.read_text(errors="replace")
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (killed / "summary.json").exists()
    finish(*start(killed))
    assert all((trial / "result.json").exists() for trial in unfinished)

    summary = without_times(plain)
    assert without_times(killed) == summary
    assert summary["simulated"] is True and summary["real"] is False and summary["people"] == "varied"
    assert [row["users"] for row in summary["users_axis"]] == [1, 3]
    assert set(summary["laws"]) == {"size", "users"}
    assert all(-1e6 < law[end] < 1e6 for law in summary["laws"].values() for end in ("low", "high") if law[end])
    assert [row["preset"] for row in summary["ladder"]] == [f"keys-{width}" for width in PLAN["widths"]]
    assert summary["exported"] == summary["distilled"]
    assert summary["scratch"]["preset"] == summary["distilled"]["preset"] == "keys-16"
    assert summary["teacher"] == summary["ladder"][-1]
    page = (plain / "report.html").read_text()
    assert "simulated" in page and len(page) > 100_000  # the figures are in it

    before = sorted((p, p.stat().st_mtime_ns) for p in plain.rglob("result.json"))
    run_demo(DemoPlan(**PLAN), plain)
    assert sorted((p, p.stat().st_mtime_ns) for p in plain.rglob("result.json")) == before
    assert without_times(plain) == summary


def test_a_folder_with_another_demo_or_with_anything_else_is_refused_and_left_alone(tmp_path):
    out = tmp_path / "demo"
    claim(DemoPlan(seed=0), out, write=True)
    held = (out / "demo.json").read_bytes()
    claim(DemoPlan(seed=0), out, write=True)
    with refused("out-exists", out):
        run_demo(DemoPlan(seed=1), out)
    assert [p.name for p in out.iterdir()] == ["demo.json"] and (out / "demo.json").read_bytes() == held

    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "cat.png").write_bytes(b"")
    with refused("out-exists", foreign):
        run_demo(DemoPlan(), foreign)
    assert [p.name for p in foreign.iterdir()] == ["cat.png"]


def test_a_demo_begun_before_its_plan_grew_is_the_same_demo(tmp_path):
    claim(DemoPlan(), tmp_path, write=True)
    document = json.loads((tmp_path / "demo.json").read_text())
    del document["plan"]["key_boost"]
    (tmp_path / "demo.json").write_text(json.dumps(document))
    claim(DemoPlan(), tmp_path, write=True)
    with pytest.raises(InputError) as caught:
        claim(DemoPlan(key_boost=1.0), tmp_path, write=True)
    assert caught.value.code == "out-exists"
