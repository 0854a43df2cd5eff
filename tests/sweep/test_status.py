"""Where trials stand: place, time left, productive share; and the same of a sweep in a bucket."""

import json
import os

import fsspec
import pytest

from semgjax.cli.main import main
from semgjax.files import folder_lock
from semgjax.sweep.at_address import local_view
from semgjax.sweep.status import duration, json_of, rows_of, table_of
from tests.refused import refused
from tests.sweep.plans import config_of, finish, planned, students_of


def started(sweep, trial, steps, *, time=1000.0, speed=16.0):
    """Metrics of a trial that began at `time`, a line a step at `speed` windows a second (batches of 16)."""
    folder = sweep.run_folder(trial)
    lines = [{"step": step, "windows_per_s": speed, "productive_share": 0.5} for step in range(1, steps + 1)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    start = {"time": time, "host": "node7", "process": 1, "place": "slot 0"}
    sweep.starts(trial).write_text(json.dumps(start) + "\n")


def test_a_running_trial_tells_its_place_its_time_left_and_its_productive_share(tmp_path):
    sweep = planned(tmp_path)
    trial = sweep.trials[1]
    started(sweep, trial, 4)  # 16 windows a step, 16 windows a second
    with folder_lock(sweep.run_folder(trial)):
        row = rows_of(sweep, now=1008.0)[1]
    assert (row.status.state, row.where) == ("running", "slot 0 on node7")
    assert row.seconds_left == 6.0
    assert row.productive == 0.5
    assert table_of([row])[1] == (trial.id, "running", "4/10", "6 s", "50%", "slot 0 on node7")
    assert json_of([row])[0]["seconds_left"] == 6.0


def test_a_finished_trial_has_its_share_and_no_time_left(tmp_path):
    sweep = planned(tmp_path)
    started(sweep, sweep.trials[0], 10)
    finish(sweep, sweep.trials[0])
    row = rows_of(sweep)[0]
    assert (row.status.state, row.productive, row.seconds_left) == ("done", 0.5, None)


def test_a_student_tells_what_it_waits_for(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-48"), *students_of("ladder-48", "ladder-16"))
    assert rows_of(sweep)[1].status.reason == f"waits for teacher {sweep.trials[0].id}"
    finish(sweep, sweep.trials[0])
    assert rows_of(sweep)[1].status.reason == ""


def test_a_trial_on_another_machine_counts_as_running_while_its_metrics_move(tmp_path):
    sweep = planned(tmp_path)
    folder = sweep.run_folder(sweep.trials[0])
    started(sweep, sweep.trials[0], 4)
    (folder / ".lock").write_text("process 12 on another-host")
    os.utime(folder / "metrics.jsonl", (5000.0, 5000.0))
    assert rows_of(sweep, now=5100.0)[0].status.state == "running"
    assert rows_of(sweep, now=9000.0)[0].status.state == "waiting"


def test_a_damaged_journal_is_one_line(tmp_path):
    sweep = planned(tmp_path)
    sweep.starts(sweep.trials[0]).write_text("no JSON\n")
    with refused("damaged", "starts.jsonl"):
        rows_of(sweep)


def test_times_are_told_in_the_unit_that_fits():
    assert [duration(s) for s in (4.2, 100, 9000, 200000)] == ["4 s", "2 min", "2.5 h", "2.3 days"]


@pytest.fixture
def bucket(tmp_path):
    """A sweep with one finished trial at a memory:// address."""
    sweep = planned(tmp_path)
    finish(sweep, sweep.trials[1])
    system = fsspec.filesystem("memory")
    system.put(str(sweep.folder), "/lab/my sweep", recursive=True)
    yield "memory://lab/my sweep"
    system.rm("/lab", recursive=True)


def test_status_and_collect_work_on_an_address(bucket, capsys):
    assert main(["sweep", "status", bucket, "--json"]) == 0
    states = [row["state"] for row in json.loads(capsys.readouterr().out)["trials"]]
    assert states == ["waiting", "done", "waiting"]
    assert main(["sweep", "collect", bucket]) == 0
    assert f"  {bucket}/results.csv" in capsys.readouterr().out
    written = fsspec.filesystem("memory").cat_file("/lab/my sweep/results.csv").decode()
    assert written.count("001-ladder-16-s0") == 4


@pytest.mark.parametrize(("address", "code"), [("memory://lab/none", "no-file"), ("cloud9://x", "unreadable")])
def test_an_address_without_a_sweep_or_of_no_known_kind_is_one_line(address, code):
    with refused(code, address), local_view(address):
        pass
