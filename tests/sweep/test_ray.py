"""The Ray engine on a real cluster of two nodes on this machine, where Ray is installed (extra `ray`)."""

import importlib.util
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from semgjax.sweep.grow import states_of
from semgjax.sweep.runner import Outcome
from tests.refused import refused
from tests.sweep.plans import config_of, finished, planned, same_table, students_of, sweep_of
from tests.sweep.rated_trials import searched
from tests.sweep.test_slurm import starts
from tests.sweep.trained import calm_and_planned, minutes

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="no Ray here (pip install 'semgjax[ray]')"),
]


@pytest.fixture(scope="module")
def address():
    """A cluster of two nodes of one core each."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=node)
        cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        yield cluster.address
        cluster.shutdown()


@pytest.fixture(autouse=True)
def own_breakpoint(monkeypatch):
    """Ray sets this variable in every process that connects, and leaves it."""
    monkeypatch.setenv("PYTHONBREAKPOINT", "")


def stand_in(folder, trial, cores):
    return [sys.executable, "-m", "tests.sweep.stand_in", str(folder), trial, str(cores)]


def run(sweep, address, **options) -> tuple[Outcome, list[str]]:
    from semgjax.sweep.ray_tasks import run_ray

    lines: list[str] = []
    return run_ray(sweep.folder, address, report=lines.append, command=stand_in, **options), lines


def test_trials_that_a_search_of_learning_rates_adds_are_tasks_too(tmp_path, address):
    sweep = searched(tmp_path)
    (tmp_path / "acts.json").write_text("{}")
    outcome, _ = run(sweep, address)
    # The stand-in's runs are equally good: three rates bracket.
    assert outcome.exit_code == 0 and len(outcome.done) == 6
    assert [one.state for one in states_of(sweep)] == ["bracketed", "bracketed"]
    assert len(starts(sweep)) == 6


def test_a_sweep_runs_on_both_nodes_with_students_after_their_teacher(tmp_path, address):
    sweep = planned(tmp_path, config_of("ladder-48"), config_of("ladder-32"), *students_of("ladder-48", "ladder-16"))
    (tmp_path / "acts.json").write_text(json.dumps({t.id: ["meet"] for t in sweep.trials}))
    outcome, _ = run(sweep, address)
    assert outcome == Outcome(tuple(trial.id for trial in sweep.trials), {}, {})
    assert sorted(starts(sweep)) == sorted(trial.id for trial in sweep.trials)
    events = (tmp_path / "events").read_text().splitlines()
    teacher = events.index(f"end {sweep.trials[0].id}")
    assert all(i > teacher for i, line in enumerate(events) for t in sweep.trials[2:] if t.id in line)
    assert [line.split()[0] for line in events[:2]] == ["start", "start"], "two trials at a time"


def killing_the_worker_of(sweep, trial) -> tuple[threading.Thread, list[int]]:
    """A started thread that kills the Ray worker of a trial once that runs, and the list that gets its number."""
    killed: list[int] = []

    def kill_a_worker():
        lock = sweep.run_folder(trial) / ".lock"
        while not (lock.exists() and lock.read_text()):
            time.sleep(0.05)
        process = lock.read_text().split()[1]
        worker = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(worker, signal.SIGKILL)
        killed.append(worker)

    thread = threading.Thread(target=kill_a_worker)
    thread.start()
    return thread, killed


def test_a_worker_that_is_killed_costs_no_trial_and_no_work(tmp_path, address):
    calm, sweep = sweep_of(tmp_path / "calm"), sweep_of(tmp_path / "ray")
    longest = sweep.trials[-1]
    (tmp_path / "ray" / "acts.json").write_text(json.dumps({longest.id: ["slow", "slow"]}))
    thread, killed = killing_the_worker_of(sweep, longest)
    outcome, lines = run(sweep, address, order="longest")
    thread.join()
    assert killed and outcome.exit_code == 0
    # Its trial lived on, was found by its lock and waited for.
    assert f"{longest.id} is running in another process; waiting for it" in lines
    assert sorted(starts(sweep)) == sorted(trial.id for trial in sweep.trials)
    assert same_table(finished(calm), sweep)


@minutes
def test_the_same_with_trials_that_train(tmp_path, address, sessions):
    from semgjax.sweep.ray_tasks import run_ray

    calm, sweep = calm_and_planned(tmp_path, sessions)
    thread, killed = killing_the_worker_of(sweep, sweep.trials[0])
    outcome = run_ray(sweep.folder, address, report=print)
    thread.join()
    assert killed and outcome.exit_code == 0
    assert same_table(calm, sweep)


def test_bad_ends_are_reported_as_by_the_local_engine(tmp_path, address):
    sweep = planned(tmp_path)
    wide, thin, widest = (trial.id for trial in sweep.trials)
    (tmp_path / "acts.json").write_text(json.dumps({wide: ["diverge"], thin: ["crash"] * 2, widest: ["kill"]}))
    outcome, _ = run(sweep, address, retries=1)
    reason = "ended with exit code 1; ValueError: something broke"
    assert outcome == Outcome((widest,), {wide: "step 5: loss nan"}, {thin: reason})
    assert starts(sweep).count(widest) == 2 and starts(sweep).count(thin) == 2


@pytest.mark.parametrize(
    ("options", "named"),
    [({"cores": 64}, "CPU 64"),
     ({"resources": {"GPU": 1.0}}, "CPU 1, GPU 1"), ({"slots": 0}, "slots 0")],
)  # fmt: skip
def test_what_no_node_can_hold_is_refused_at_once(tmp_path, address, options, named):
    with refused("bad-value", named):
        run(planned(tmp_path), address, **options)


def test_a_cluster_that_does_not_answer_is_one_line(tmp_path):
    with refused("bad-value", "127.0.0.1:9"):
        run(planned(tmp_path), "127.0.0.1:9")
