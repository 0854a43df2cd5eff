"""`semgjax sweep` with a searched learning rate: plan, run, status and collect; the last test trains for real."""

import json
import os
import re
import signal
import time

import pytest

from semgjax.sweep.grow import states_of
from semgjax.sweep.plan import read_sweep
from tests.cli.test_sweep import PLAN, fails_with_one_line, place, plan, process, run
from tests.sweep.rated_trials import Trained
from tests.sweep.rated_trials import run as finished

SEARCHED = PLAN.replace("[vary]", '[vary]\n"optimizer.learning_rate" = "bracket"') + "[bracket]\nmost = 3\n"
assert place  # a fixture


def test_the_plan_shows_its_rungs_and_a_budget_counts_the_longest_search(place, capsys):
    (place / "plan.toml").write_text(SEARCHED)
    assert plan(place, "--machine", "cpu-core") == 0
    shown = capsys.readouterr().out
    sweep = read_sweep(place / "sweep")
    assert "000" in shown and len(sweep.rungs) == 1 and sweep.rungs[0].seeds == (1,)
    most = re.search(r"([0-9.e-]+) *$", shown.splitlines()[1])
    assert most is not None
    hours = float(most[1])
    assert "budget" in fails_with_one_line(
        capsys, "plan", place / "plan.toml", "--data", place / "sessions", "--out", place / "other",
        "--machine", "cpu-core", "--budget-hours", hours * 0.9,
    )  # fmt: skip
    assert not (place / "other").exists()


def test_status_and_collect_show_the_state_of_each_rung(place, capsys):
    (place / "plan.toml").write_text(SEARCHED)
    plan(place)
    sweep = read_sweep(place / "sweep")
    finished(sweep, Trained(sweep, 1))
    capsys.readouterr()
    assert run("status", sweep.folder, "--json") == 0
    (rung,) = json.loads(capsys.readouterr().out)["rungs"]
    assert rung["state"] == states_of(sweep)[0].state and len(rung["tried"]) == 3
    for command in ("status", "collect"):
        assert run(command, sweep.folder) == 0
        assert "rung 000-ladder-16: " in capsys.readouterr().out


@pytest.mark.slow
def test_a_search_that_was_killed_ends_in_the_same_table_as_one_that_was_not(place, capsys):
    (place / "plan.toml").write_text(SEARCHED.replace('"train.seed" = [0, 1]', '"train.seed" = [0]'))
    plan(place, out="whole")
    plan(place, out="killed")
    assert run("run", place / "whole", "--slots", "1") == 0
    engine = process("run", place / "killed", "--slots", "1")
    rates = place / "killed" / "rates" / "000.json"
    while len(json.loads(rates.read_text())["rounds"]) < 2:
        assert engine.poll() is None
        time.sleep(0.05)
    child = None
    while child is None:
        locks = (place / "killed" / "trials").glob("*/.lock")
        words = [re.match(r"process (\d+) on", lock.read_text()) for lock in locks]
        child = next((int(word[1]) for word in words if word is not None and int(word[1]) != engine.pid), None)
        time.sleep(0.05)
    engine.kill()
    engine.wait()
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        child = None  # it had just ended
    assert run("run", place / "killed", "--slots", "1") == 0
    for name in ("whole", "killed"):
        assert run("collect", place / name) == 0
    for name in ("results.csv", "results.jsonl", "rates/000.json"):
        assert (place / "killed" / name).read_bytes() == (place / "whole" / name).read_bytes()
    assert len(read_sweep(place / "killed").trials) == 3
    assert states_of(read_sweep(place / "killed"))[0].state in ("bracketed", "edge")
