"""The Slurm engine: its scripts, and a real Slurm of one node where there is one (Debian: slurm-wlm, munge)."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from semgjax.files import write_json
from semgjax.sweep.plan import Sweep, plan_sweep
from semgjax.sweep.slurm import Options, arrays_of, largest_array, submit
from semgjax.sweep.trial import look, write_fault
from semgjax.training.distill_config import DistillConfig
from tests.refused import refused
from tests.sweep.plans import SPLIT, config_of, finish, finished, planned, same_table, students_of, sweep_of
from tests.sweep.trained import calm_and_planned, minutes

ROOT = Path(__file__).parents[2]
STAND_IN = Options(retries=1, program=(sys.executable, "-m", "tests.sweep.stand_in"))
needs_slurm = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("sbatch", "slurmctld", "slurmd", "munged")),
    reason="no Slurm here (Debian: apt-get install slurm-wlm munge)",
)


def taught(folder: Path) -> Sweep:
    """A teacher, a single trial and two students."""
    configs = [config_of("ladder-48"), config_of("ladder-32"), *students_of("ladder-48", "ladder-16")]
    return plan_sweep("in a row", configs, folder / "sessions", {configs[0].data: SPLIT}, folder / "my sweep's")


def directives(script: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in script.splitlines() if line.startswith("#SBATCH")]


def test_a_script_says_all_that_slurm_must_know_and_is_shell(tmp_path):
    sweep = planned(tmp_path)
    (array,) = arrays_of(sweep, Options(slots=2, cores=4, sbatch="--partition=gpu --time=08:00:00"))
    assert directives(array.script) == [
        "--job-name=sizes",
        "--array=0,1,2%2",
        "--cpus-per-task=4",
        "--requeue",
        "--signal=B:TERM@120",
        "--open-mode=append",
        f'--output="{sweep.folder}/trials/slurm-%A_%a.log"',
        "--partition=gpu",
        "--time=08:00:00",
    ]
    assert subprocess.run(["bash", "-n"], input=array.script, text=True).returncode == 0
    assert f"{sweep.folder} --cores 4 --trial" in array.script


def test_students_are_an_array_of_their_own_after_their_teachers_task(tmp_path):
    sweep = taught(tmp_path)
    first, second = arrays_of(sweep, Options())
    assert (directives(first.script)[1], first.after) == ("--array=0,1", None)
    assert (directives(second.script)[1], second.after) == ("--array=2,3", sweep.trials[0])
    finish(sweep, sweep.trials[0])
    (only,) = arrays_of(sweep, Options())
    assert (directives(only.script)[1], only.after) == ("--array=1,2,3", None)


def test_what_ended_for_good_is_not_submitted_nor_are_students_of_a_teacher_that_did(tmp_path):
    sweep = taught(tmp_path)
    write_fault(sweep, sweep.trials[0], "diverged", "step 3: loss nan")
    (only,) = arrays_of(sweep, Options())
    assert [trial.id for trial in only.trials] == [sweep.trials[1].id]
    finish(sweep, sweep.trials[1])
    assert arrays_of(sweep, Options()) == []


def test_a_plan_longer_than_slurms_largest_array_is_several_and_every_trial_runs_once(tmp_path, monkeypatch):
    configs = [config_of("ladder-16", seed) for seed in range(11)]
    sweep = plan_sweep("long", configs, tmp_path / "sessions", {configs[0].data: SPLIT}, tmp_path / "sweep")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "scontrol").write_text("#!/bin/sh\necho 'MaxArraySize            = 4'\n")
    (programs / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    note = tmp_path / "ran"
    ours = Options(slots=2, program=("bash", "-c", f'echo "${{@: -1}}" >> {note}', "x"))
    arrays = arrays_of(sweep, ours)
    assert [(directives(array.script)[1], array.first, array.follows) for array in arrays] == [
        ("--array=0,1,2,3%2", 0, False),
        ("--array=0,1,2,3%2", 4, True),
        ("--array=0,1,2%2", 8, True),
    ]
    for array in arrays:
        for task in directives(array.script)[1].partition("=")[2].partition("%")[0].split(","):
            variables = {**os.environ, "SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_JOB_ID": "1"}
            subprocess.run(["bash"], input=array.script, text=True, check=True, env=variables, capture_output=True)
    assert note.read_text().split() == [str(number) for number in range(11)]
    finish(sweep, sweep.trials[0])
    assert [trial.id for array in arrays_of(sweep, ours) for trial in array.trials] == [t.id for t in sweep.trials[1:]]


def test_arrays_of_a_long_plan_wait_for_one_another_and_students_for_their_teachers_task(tmp_path, monkeypatch):
    teachers = [config_of("ladder-48", steps=steps) for steps in (10, 11, 12)]
    student = replace(config_of("ladder-16"), distill=DistillConfig(teachers[2].hash))
    configs = [*teachers, student]
    sweep = plan_sweep("long", configs, tmp_path / "sessions", {student.data: SPLIT}, tmp_path / "sweep")
    programs = {
        "scontrol": "echo 'MaxArraySize = 2'",
        "squeue": "",
        "sbatch": f'echo "$@" >> {tmp_path}/calls; expr 100 + $(wc -l < {tmp_path}/calls)',
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert submit(sweep.folder, Options(slots=1), print) == ["101", "102", "103"]
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    dependencies = [[word for word in words if word.startswith("--dependency")] for words in calls]
    assert dependencies == [[], ["--dependency=afterany:101"], ["--dependency=afterok:102_0"]]


@pytest.mark.parametrize(
    ("text", "size"), [("MaxArraySize = 20000", 20000), ("MaxArraySize = (null)", 1001), ("", 1001), ("junk", 1001)]
)
def test_the_largest_array_is_slurms_or_its_default(tmp_path, monkeypatch, text, size):
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\necho 'Configuration data'\necho '{text}'\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert largest_array() == size


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (Options(slots=0), "bad-value", "slots 0"),
        (Options(cores=0), "bad-value", "cores 0"),
        (Options(sbatch="--time 3"), "bad-option", "'3'"),
        (Options(sbatch="--output=x"), "conflict", "'--output=x'"),
        (Options(sbatch="--comment='"), "bad-option", "--comment='"),
    ],
)
def test_options_that_make_no_sense_are_one_line(tmp_path, options, code, named):
    with refused(code, named):
        arrays_of(planned(tmp_path), options)


def test_without_slurm_there_is_one_clear_line(tmp_path, monkeypatch):
    sweep = planned(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with refused("bad-environment", "sbatch"):
        submit(sweep.folder, Options(), print)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A Slurm of one node, up for this module's tests."""
    folder = tmp_path_factory.mktemp("slurm")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script, environment = ROOT / "launch" / "slurm_one_machine.sh", {**os.environ, "SLURM_ONE_MACHINE_PORT": port}
    subprocess.run(["bash", script, "start", folder], check=True, env=environment, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        patch.setenv("PYTHONPATH", str(ROOT))
        yield folder
    subprocess.run(["bash", script, "stop", folder], check=True)


def wait_for(what, sweep: Sweep, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "".join(p.read_text() for p in (sweep.folder / "trials").glob("slurm-*.log"))
        time.sleep(0.2)


def starts(sweep: Sweep) -> list[str]:
    path = sweep.folder.parent / "events"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split()[1] for line in lines if line.startswith("start")]


def call(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@needs_slurm
@pytest.mark.slow
def test_a_sweep_on_slurm_survives_a_requeue_and_a_failure_and_ends_in_the_same_table(tmp_path, slurm):
    sweep = taught(tmp_path)
    teacher, single, *students = [trial.id for trial in sweep.trials]
    acts = {teacher: ["slow"], single: ["crash"], students[0]: ["again"]}
    (tmp_path / "acts.json").write_text(json.dumps(acts))
    lines: list[str] = []
    first, second = submit(sweep.folder, STAND_IN, lines.append)
    assert lines == [f"Slurm job {first}: 2 trials", f"Slurm job {second}: 2 trials after {first}_0"]
    with refused("in-use", sweep.folder, first, second):
        submit(sweep.folder, STAND_IN, lines.append)

    # The teacher is put back in the queue by hand while it works: it gets the signal to stop, and resumes.
    metrics = sweep.run_folder(sweep.trials[0]) / "metrics.jsonl"
    wait_for(lambda: metrics.exists() and metrics.read_text().count("\n") >= 2, sweep)
    call("scontrol", "requeue", f"{first}_0")
    wait_for(lambda: all(look(sweep, trial).state == "done" for trial in sweep.trials), sweep)
    results = {t.id: json.loads((sweep.run_folder(t) / "result.json").read_text()) for t in sweep.trials}
    assert starts(sweep).count(teacher) == 2 and results[teacher]["steps_of_this_attempt"] < 10
    assert starts(sweep).count(single) == 2, "a failure is tried again"
    assert starts(sweep).count(students[0]) == 2, "exit code 75 puts a task back in the queue"
    order = (tmp_path / "events").read_text().splitlines()
    assert all(order.index(f"end {teacher}") < next(i for i, x in enumerate(order) if name in x) for name in students)

    assert same_table(finished(taught(tmp_path / "undisturbed")), sweep)
    wait_for(lambda: not call("squeue", "--noheader").strip(), sweep)
    assert submit(sweep.folder, STAND_IN, lines.append) == []


@needs_slurm
@pytest.mark.slow
def test_the_sweep_of_24_trials_on_slurm_with_a_requeued_task_has_the_table_of_an_undisturbed_one(tmp_path, slurm):
    calm, sweep = sweep_of(tmp_path / "calm"), sweep_of(tmp_path / "slurm")
    longest = sweep.trials[0].id
    (tmp_path / "slurm" / "acts.json").write_text(json.dumps({longest: ["slow"]}))
    (job,) = submit(sweep.folder, STAND_IN, print)
    metrics = sweep.run_folder(sweep.trials[0]) / "metrics.jsonl"
    wait_for(lambda: metrics.exists() and metrics.read_text().count("\n") >= 2, sweep)
    call("scontrol", "requeue", f"{job}_0")
    wait_for(lambda: all(look(sweep, trial).state == "done" for trial in sweep.trials), sweep, 300)
    assert sorted(starts(sweep)) == sorted([longest, *(trial.id for trial in sweep.trials)])
    assert same_table(finished(calm), sweep)


@needs_slurm
@pytest.mark.slow
@minutes
def test_the_same_with_trials_that_train(tmp_path, slurm, sessions):
    calm, sweep = calm_and_planned(tmp_path, sessions)
    (job,) = submit(sweep.folder, Options(), print)
    metrics = sweep.run_folder(sweep.trials[0]) / "metrics.jsonl"
    wait_for(metrics.exists, sweep)
    call("scontrol", "requeue", f"{job}_0")
    wait_for(lambda: all(look(sweep, trial).state == "done" for trial in sweep.trials), sweep, 900)
    assert same_table(calm, sweep)


@needs_slurm
@pytest.mark.slow
def test_a_task_that_fails_every_time_ends_and_its_students_leave_the_queue(tmp_path, slurm):
    sweep = taught(tmp_path)
    teacher, single, *students = [trial.id for trial in sweep.trials]
    (tmp_path / "acts.json").write_text(json.dumps({teacher: ["crash"] * 9}))
    submit(sweep.folder, STAND_IN, print)
    wait_for(lambda: not call("squeue", "--noheader").strip(), sweep)
    assert [look(sweep, trial).state for trial in sweep.trials] == ["waiting", "done", "waiting", "waiting"]
    assert starts(sweep).count(teacher) == 2 and not set(students) & set(starts(sweep))


def test_a_note_of_jobs_that_is_damaged_is_one_line(tmp_path, monkeypatch):
    sweep = planned(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    write_json(sweep.folder / "slurm.json", "semgjax/other", 1, {})
    with refused("wrong-schema", "slurm.json", "'semgjax/other'"):
        submit(sweep.folder, Options(), print)
