"""The commands of `semgjax sweep`, from words to files, lines and exit codes; the last tests train for real."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import semgjax.sweep.local
from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import Split, read_split, write_split
from semgjax.errors import InputError
from semgjax.files import folder_lock
from semgjax.model.presets import preset
from semgjax.sweep.engines import RunOptions
from semgjax.sweep.plan import read_sweep
from semgjax.sweep.runner import Outcome
from semgjax.sweep.trial import write_fault
from semgjax.sweep.trial_cost import MACHINES, parameters_of
from tests.data.fixtures import typed, write_session
from tests.sweep.plans import files_in, finish, planned

PLAN = """
name = "sizes"
[set]
"train.steps" = 4
"train.batch" = 4
"train.log_every" = 1
"train.checkpoint_every" = 2
"train.evaluate_every" = 3
"window.length" = 2000
"window.stride" = 2000
"window.left" = 200
[vary]
preset = ["ladder-16"]
"train.seed" = [0, 1]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with short sessions of four users, split, and a plan of two trials."""
    for name, user in (("a1", "a"), ("a2", "a"), ("b", "b"), ("c", "c"), ("d", "d")):
        write_session(tmp_path / "sessions" / f"{name}.hdf5", user=user, keystrokes=typed("hello world"))
    split = Split(("a1", "b"), ("a2",), ("c", "d"), {})
    write_split(tmp_path / "sessions" / "splits.json", split)
    (tmp_path / "plan.toml").write_text(PLAN)
    monkeypatch.setenv("NPROC", "1")  # a single trial sets it for its process, which here is ours
    return tmp_path


def run(*words) -> int:
    return main(["sweep", *(str(word) for word in words)])


def plan(place, *more, out="sweep") -> int:
    return run("plan", place / "plan.toml", "--data", place / "sessions", "--out", place / out, *more)


def fails_with_one_line(capsys, *words) -> str:
    """Run a command that must end with exit code 2 and one line on stderr; that line."""
    capsys.readouterr()
    assert run(*words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("semgjax: error: ")
    return line


def test_plan_writes_the_sweep_and_shows_what_each_trial_costs(place, capsys):
    assert plan(place) == 0
    lines = capsys.readouterr().out.splitlines()
    size = f"{parameters_of(preset('ladder-16')):,}"
    assert lines[0].split() == ["trial", "preset", "parameters", "steps", "training", "FLOPs"]
    assert lines[1].split()[:4] == ["000-ladder-16-s0", "ladder-16", size, "4"]
    assert float(lines[1].split()[4]) == pytest.approx(read_sweep(place / "sweep").trials[0].flops, rel=0.01)
    assert lines[3].split()[:3] == ["total", "2", "trials"]
    assert lines[4] == str(place / "sweep" / "sweep.json")
    before = files_in(place)
    assert plan(place) == 0
    assert "same plan" in capsys.readouterr().out
    assert files_in(place) == before
    sweep = read_sweep(place / "sweep")
    assert {trial.config.data for trial in sweep.trials} == {load_corpus(place / "sessions").hash}


def test_plan_takes_another_split(place):
    other = place / "other.json"
    write_split(other, Split(("a1",), (), ("b",), {}))
    assert plan(place, "--splits", other) == 0
    sweep = read_sweep(place / "sweep")
    assert read_split(sweep.split_file(sweep.trials[0])) == read_split(other)
    assert sweep.trials[0].config.data == load_corpus(place / "sessions", other).hash


def test_mistakes_in_planning_are_one_line_and_nothing_is_written(place, capsys):
    assert plan(place) == 0
    bad = place / "bad.toml"
    bad.write_text(PLAN.replace("train.seed", "train.sed"))
    longer = place / "longer.toml"
    longer.write_text(PLAN.replace('steps" = 4', 'steps" = 5'))
    before = files_in(place)
    data = ("--data", place / "sessions")
    assert "'train.seed'" in fails_with_one_line(capsys, "plan", bad, *data, "--out", place / "x")
    for used in (place / "sweep", place / "sessions"):
        assert f"{used}: " in fails_with_one_line(capsys, "plan", longer, *data, "--out", used)
    assert "--out" in fails_with_one_line(capsys, "plan", longer, *data)
    none = place / "none"
    assert str(none) in fails_with_one_line(capsys, "plan", longer, "--data", none, "--out", place / "x")
    assert files_in(place) == before


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--slots", "0"], "slots 0"),
        (["--cores", "0"], "cores 0"),
        (["--trial", "7"], "'7'"),
        (["--trial", "0,0"], "trial 0,0"),
        (["--slot", "2"], "--slots"),
        (["--engine", "cloud"], "--engine"),
        (["--share", "1"], "--share 1"),
        (["--share", "3/3"], "share 3/3"),
        (["--engine", "ray", "--resources", "GPU"], "--resources GPU"),
        (["--gpus", "zero"], "gpus zero"),
        (["--engine", "slurm", "--print", "--sbatch=partition"], "'partition'"),
        (["--engine", "slurm", "--print", "--sbatch=--array=1"], "'--array=1'"),
    ],
)
def test_mistakes_in_running_are_one_line_and_nothing_is_written(tmp_path, capsys, words, named):
    planned(tmp_path)
    before = files_in(tmp_path)
    assert named in fails_with_one_line(capsys, "run", tmp_path / "sweep", *words)
    assert files_in(tmp_path).keys() <= before.keys() | {(tmp_path / "sweep/.lock").relative_to(tmp_path)}


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--trial", "0", "--slots", "2"], {"trial": "0", "slots": 2}),
        (["--trial", "0", "--cores", "0"], {"trial": "0", "cores": 0}),
        (["--start", "tpu"], {"start": "tpu"}),
        (["--engine", "slurm", "--gpus", "0"], {"engine": "slurm", "gpus": "0"}),
        (["--engine", "ray", "--sbatch=--partition=a"], {"engine": "ray", "sbatch": "--partition=a"}),
        (["--share", "0/2", "--engine", "ray"], {"engine": "ray", "share": (0, 2)}),
        (["--resources", "GPU=1"], {"resources": {"GPU": 1.0}}),
        (["--print"], {"print_only": True}),
        (["--gpus", "0", "--slots", "1"], {"gpus": "0", "slots": 1}),
        (["--retries=-1"], {"retries": -1}),
    ],
)
def test_options_that_do_not_go_together_get_the_same_line_as_from_python(tmp_path, capsys, words, options):
    planned(tmp_path)
    before = files_in(tmp_path)
    with pytest.raises(InputError) as caught:
        RunOptions(**options)
    assert fails_with_one_line(capsys, "run", tmp_path / "sweep", *words) == f"semgjax: error: {caught.value}"
    assert files_in(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--machine", "v5"], "'v5p'"),
        (["--machine", "v5e", "--budget", "1"], "budget 1 "),
        (["--machine", "v5e", "--budget-hours", "1e-12"], "budget_hours 1e-12"),
        (["--machine", "cpu-core", "--price", "1e6", "--budget", "0.5"], "budget 0.5"),
        (["--machine", "v5e", "--price", "-1"], "price -1.0"),
        (["--machine", "v5e", "--utilisation", "2"], "utilisation 2.0"),
        (["--budget", "3"], "budget 3.0"),
    ],
)
def test_a_budget_that_is_exceeded_or_makes_no_sense_is_one_line_and_nothing_is_written(place, capsys, words, says):
    before = files_in(place)
    line = fails_with_one_line(
        capsys, "plan", place / "plan.toml", "--data", place / "sessions", "--out", place / "x", *words
    )
    assert says in line
    assert files_in(place) == before


def test_plan_reckons_hours_and_cost_on_a_machine(place, capsys):
    assert plan(place, "--machine", "cpu-core", "--utilisation", "0.5", "--price", "3.6e6", "--budget", "1e9") == 0
    heading, first, *_, total, note, _ = capsys.readouterr().out.splitlines()
    assert heading.split()[-3:] == ["cpu-core", "hours", "cost"]
    flops = read_sweep(place / "sweep").trials[0].flops
    seconds = flops / (MACHINES["cpu-core"].peak * 0.5)
    assert float(first.split()[-2]) == pytest.approx(seconds / 3600, rel=0.01)
    assert float(first.split()[-1].replace(",", "")) == pytest.approx(seconds * 1000, rel=0.01)
    assert total.startswith("total") and float(total.split()[-2]) == pytest.approx(2 * seconds / 3600, rel=0.01)
    assert "at 50%" in note


def test_plans_lists_the_shipped_ones_and_plan_takes_them_by_name(place, capsys):
    assert run("plans") == 0
    listed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("cpu-sizes ") for line in listed)
    assert run("plan", "cpu-sizes", "--data", place / "sessions", "--out", place / "sizes") == 0
    assert len(read_sweep(place / "sizes").trials) == 12
    line = fails_with_one_line(capsys, "plan", "cpu-size", "--data", place / "sessions", "--out", place / "y")
    assert "'cpu-sizes'" in line


def test_slurm_scripts_are_shown_without_slurm(tmp_path, capsys):
    planned(tmp_path)
    before = files_in(tmp_path)
    words = ("--engine", "slurm", "--print", "--slots", "2", "--sbatch=--partition=gpu --gpus-per-task=1")
    assert run("run", tmp_path / "sweep", *words) == 0
    script = capsys.readouterr().out
    assert "#SBATCH --array=0,1,2%2\n" in script and "#SBATCH --gpus-per-task=1\n" in script
    assert files_in(tmp_path) == before


def damage_signal(folder):
    (folder / "c.hdf5").write_bytes(b"no signal")


@pytest.mark.parametrize(
    "harm", [lambda folder: shutil.rmtree(folder), damage_signal, lambda folder: (folder / "d.hdf5").unlink()]
)
def test_sessions_that_cannot_be_read_fail_the_command_before_any_trial(place, capsys, harm):
    plan(place)
    harm(place / "sessions")
    before = files_in(place / "sweep")
    capsys.readouterr()
    fails_with_one_line(capsys, "run", place / "sweep", "--slots", "1")
    assert files_in(place / "sweep") == before


@pytest.mark.parametrize("data", ["/nope", "."])
def test_a_folder_without_the_sessions_fails_the_command_before_any_trial(place, capsys, data):
    plan(place)
    before = files_in(place / "sweep")
    capsys.readouterr()
    fails_with_one_line(capsys, "run", place / "sweep", "--slots", "1", "--data", data)
    assert files_in(place / "sweep") == before


@pytest.mark.parametrize("command", ["run", "status", "collect"])
def test_a_folder_without_a_plan_and_an_edited_plan_are_refused(tmp_path, capsys, command):
    assert str(tmp_path) in fails_with_one_line(capsys, command, tmp_path)
    planned(tmp_path)
    path = tmp_path / "sweep" / "sweep.json"
    path.write_text(path.read_text().replace('"steps": 10', '"steps": 11', 1))
    assert f"{path}: " in fails_with_one_line(capsys, command, tmp_path / "sweep")


BOUND = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere")
def test_a_trial_directory_that_is_read_only_is_one_line(place):
    plan(place)
    folder = place / "sweep" / "trials" / "000-ladder-16-s0"
    folder.chmod(0o500)
    words = [sys.executable, "-m", "semgjax", "sweep", "run", place / "sweep", "--trial", "0"]
    done = subprocess.run([*(BOUND if os.geteuid() == 0 else []), *words], capture_output=True, text=True)
    folder.chmod(0o700)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert line.startswith(f"semgjax: error: {folder / '.lock'}: Permission denied;")


@pytest.mark.parametrize(
    ("outcome", "code", "says"),
    [
        (Outcome(("a", "b"), {}, {}), 0, "2 done\n"),
        (Outcome(("a",), {"b": "nan"}, {}), 70, "1 done, 1 diverged\n"),
        (Outcome(("a",), {"b": "nan"}, {"c": "broke"}), 1, "1 done, 1 diverged, 1 failed\n"),
        (Outcome(("a",), {}, {}, {"b": "nan"}), 0, "1 done, 1 diverged at rates tried\n"),
        (Outcome(("a",), {"b": "nan"}, {}, {}, {"c": "no"}), 2, "1 done, 1 diverged, 1 held for a forecast\n"),
    ],
)
def test_run_tells_how_it_ended_in_its_exit_code(tmp_path, capsys, monkeypatch, outcome, code, says):
    def run_local(folder, slots, cores, report, *_):
        report(f"{folder} {slots} {cores}")
        return outcome

    monkeypatch.setattr(semgjax.sweep.local, "run_local", run_local)
    assert run("run", tmp_path, "--slots", "3", "--cores", "2") == code
    assert capsys.readouterr() == (says, f"{tmp_path} 3 2\n")


def test_status_shows_where_every_trial_stands(tmp_path, capsys):
    sweep = planned(tmp_path)
    finish(sweep, sweep.trials[0])
    write_fault(sweep, sweep.trials[1], "failed", "no memory")
    with folder_lock(sweep.run_folder(sweep.trials[2])):
        (sweep.run_folder(sweep.trials[2]) / "metrics.jsonl").write_text('{"step": 3}\n')
        assert run("status", sweep.folder) == 0
        assert capsys.readouterr().out.splitlines() == [
            "trial             state     step  left  productive",
            "000-ladder-32-s0  done     10/10",
            "001-ladder-16-s0  failed    0/10                    no memory",
            "002-ladder-48-s0  running   3/10",
            "sizes: 1 done, 1 failed, 1 running",
        ]
        assert run("status", sweep.folder, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["folder"]) == ("sizes", str(sweep.folder))
    assert found["trials"][1] == {
        "id": "001-ladder-16-s0", "preset": "ladder-16", "state": "failed", "step": 0, "steps": 10,
        "where": "", "seconds_left": None, "productive": None, "reason": "no memory",
    }  # fmt: skip


def test_collect_names_what_it_leaves_out(tmp_path, capsys):
    sweep = planned(tmp_path)
    finish(sweep, sweep.trials[1])
    assert run("collect", sweep.folder) == 0
    out, err = capsys.readouterr()
    paths = [f"  {sweep.folder / name}" for name in ("results.csv", "results.jsonl", "results.schema.json")]
    assert out.splitlines() == ["4 rows of 1 runs", *paths]
    assert [line.split()[0] for line in err.splitlines()] == ["000-ladder-32-s0", "002-ladder-48-s0"]


def test_collect_without_results_and_with_half_a_result_is_one_line(tmp_path, capsys):
    sweep = planned(tmp_path)
    assert f"{sweep.folder}: " in fails_with_one_line(capsys, "collect", sweep.folder)
    path = finish(sweep, sweep.trials[1])
    path.write_bytes(path.read_bytes()[:100])
    assert f"{path}: " in fails_with_one_line(capsys, "collect", sweep.folder)


def process(*words) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "semgjax", "sweep", *map(str, words)])


@pytest.mark.slow
def test_a_sweep_that_was_killed_ends_in_the_same_table_as_one_that_was_not(place, capsys):
    plan(place, out="whole")
    plan(place, out="killed")
    assert run("run", place / "whole", "--slots", "2") == 0
    assert run("collect", place / "whole") == 0

    engine = process("run", place / "killed", "--slots", "1")
    trial = place / "killed" / "trials" / "000-ladder-16-s0"
    while not (trial / "checkpoints" / "2" / "_CHECKPOINT_METADATA").exists():
        assert engine.poll() is None
        time.sleep(0.05)
    child = re.match(r"process (\d+) on", (trial / ".lock").read_text())
    assert child is not None
    engine.kill()
    os.kill(int(child[1]), signal.SIGKILL)
    engine.wait()
    assert not (trial / "result.json").exists()

    assert run("run", place / "killed", "--slots", "1") == 0
    assert re.search(r"^000-ladder-16-s0 starts at step [234]/4", capsys.readouterr().err, re.MULTILINE)
    assert run("collect", place / "killed") == 0
    for name in ("results.csv", "results.jsonl"):
        assert (place / "killed" / name).read_bytes() == (place / "whole" / name).read_bytes()
    rows = (place / "whole" / "results.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * (2 + 1 + 2 + 2)  # val: two averages and a user; test: two averages, two users

    # A finished trial once more: the same words, nothing new on disk.
    before = files_in(place / "whole" / "trials")
    assert run("run", place / "whole", "--trial", "1") == 0
    assert run("run", place / "whole") == 0
    assert files_in(place / "whole" / "trials") == before


@pytest.mark.slow
def test_a_trial_that_diverges_stops_no_other(place, capsys):
    text = PLAN.replace('"train.seed" = [0, 1]', '"optimizer.learning_rate" = [1e30, 2e-3]')
    (place / "plan.toml").write_text(text)
    plan(place)
    assert run("run", place / "sweep", "--slots", "1") == 70
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "1 done, 1 diverged"
    assert "000-ladder-16-s0 diverged: step " in err
    assert run("status", place / "sweep", "--json") == 0
    states = [row["state"] for row in json.loads(capsys.readouterr().out)["trials"]]
    assert states == ["diverged", "done"]
    assert run("run", place / "sweep", "--trial", "0") == 70
    assert run("collect", place / "sweep") == 0
