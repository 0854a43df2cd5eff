"""The largest trials of a plan run only after a forecast of them was signed."""

import os
import time
from dataclasses import replace

import numpy as np
import pytest

import semgjax
from semgjax.sweep import runner
from semgjax.sweep.collect import collect
from semgjax.sweep.engines import RunOptions, slurm_scripts
from semgjax.sweep.forecast_rule import ForecastRule, check_forecast, ledger_of, levels_of, required, why_held
from semgjax.sweep.pack import run_pack
from semgjax.sweep.plan import plan_sweep, read_sweep
from semgjax.sweep.rate_search import Search
from semgjax.sweep.runner import supervise
from semgjax.sweep.status import rows_of
from semgjax.sweep.trial import run_trial
from semgjax.sweep.trial_cost import parameters_of
from tests.refused import refused
from tests.sweep.plans import SPLIT, config_of, finish, planned, result_body
from tests.sweep.rated_trials import Ended

NAMES = ("ladder-16", "ladder-24", "ladder-32", "ladder-48", "ladder-64", "ladder-96")
RULE = ForecastRule("forecasts.jsonl", largest=2)
NOISE = tuple(np.exp(0.02 * np.random.default_rng(0).standard_normal(12)))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Trials here end as they start."""
    monkeypatch.setattr(runner, "_SECONDS_BETWEEN_LOOKS", 0.0)


def sizes_planned(folder, rule=RULE, seeds=(0,), search=None):
    configs = [config_of(name, seed) for name in NAMES for seed in seeds]
    return plan_sweep("sizes", configs, folder, {configs[0].data: SPLIT}, folder / "sweep", search, rule)


def size(trial) -> float:
    return float(parameters_of(trial.config.model))


def error(trial) -> float:
    return 60.0 * (size(trial) / 1e4) ** -0.3 * NOISE[NAMES.index(trial.config.preset) + 6 * trial.config.train.seed]


class Trained:
    """Ends every trial at once (a Launcher)."""

    size = 1

    def __init__(self, sweep):
        self.sweep, self.started = sweep, []

    def start(self, pack):
        (trial,) = pack
        self.started.append(trial.id)
        rows = [{**row, "cer": error(trial)} for row in result_body(trial)["scores"]]
        finish(self.sweep, trial, params=parameters_of(trial.config.model), scores=rows)
        return Ended(0, self.sweep.log(trial))


def run(sweep):
    """The outcome, what was started, and what was reported."""
    launcher, lines = Trained(sweep), []
    outcome = supervise(sweep, sweep.trials, launcher, "cheapest", 0, lines.append, lambda: None)
    return outcome, launcher.started, lines


def sign(sweep, trial, **columns):
    """Fit the finished trials and sign a forecast of another one."""
    collect(sweep.folder)
    law = semgjax.fit(sweep.folder, law="power", **columns)
    return semgjax.forecast(law, ledger_of(sweep), N=size(trial))


def test_the_largest_trials_wait_for_their_forecasts_the_others_run_and_settling_takes_the_table(tmp_path):
    sweep = sizes_planned(tmp_path)
    assert [trial.config.preset for trial in required(sweep)] == ["ladder-64", "ladder-96"]
    outcome, started, lines = run(sweep)
    large = [trial.id for trial in sweep.trials[4:]]
    assert started == [trial.id for trial in sweep.trials[:4]] and list(outcome.held) == large
    assert outcome.exit_code == 2 and outcome.failed == {}
    for trial in sweep.trials[4:]:
        (line,) = [line for line in lines if line.startswith(trial.id)]
        assert f"N={size(trial):.0f}" in line and str(ledger_of(sweep)) in line and "\n" not in line
    assert [bool(row.status.reason) for row in rows_of(sweep)] == [False] * 4 + [True] * 2
    first = sign(sweep, sweep.trials[4])
    outcome, started, _ = run(sweep)
    assert started == large[:1] and list(outcome.held) == large[1:]
    collect(sweep.folder)
    settled = semgjax.settle(ledger_of(sweep), first.number, sweep.folder)
    assert settled.body["value"] == pytest.approx(error(sweep.trials[4])) and settled.body["runs"] == 1
    sign(sweep, sweep.trials[5])
    outcome, started, _ = run(sweep)
    assert started == large[1:] and outcome.held == {} and outcome.exit_code == 0


def test_a_trial_by_itself_and_one_of_a_pack_are_refused_as_well(tmp_path):
    sweep = sizes_planned(tmp_path)
    with refused("no-forecast", sweep.trials[5].id):
        run_trial(sweep, sweep.trials[5])
    with refused("no-forecast", "--ledger"):
        check_forecast(sweep, sweep.trials[4])
    assert why_held(sweep, sweep.trials[0]) is None
    finish(sweep, sweep.trials[5])
    assert run_trial(sweep, sweep.trials[5])["preset"] == "ladder-96"  # a result that exists is printed
    (script,) = slurm_scripts(sweep.folder, RunOptions(engine="slurm"))
    assert "--array=0,1,2,3" in script


def test_a_forecast_after_the_result_neither_frees_another_seed_nor_is_settled(tmp_path):
    sweep = sizes_planned(tmp_path, seeds=(0, 1))
    run(sweep)
    seed, other = sweep.trials[8], sweep.trials[9]
    result = finish(sweep, seed, params=parameters_of(seed.config.model))
    earlier = time.time() - 100.0
    os.utime(result, (earlier, earlier))
    os.rename(result, result.with_suffix(".kept"))
    entry = sign(sweep, seed)
    assert why_held(sweep, other) is None
    os.rename(result.with_suffix(".kept"), result)
    assert str(entry.number) in (why_held(sweep, other) or "")
    with refused("no-forecast", other.id):
        check_forecast(sweep, other)
    collect(sweep.folder)
    with refused("conflict"):
        semgjax.settle(ledger_of(sweep), entry.number, sweep.folder)


def test_a_second_seed_and_a_resumed_trial_run_under_the_forecast_of_the_first(tmp_path):
    sweep = sizes_planned(tmp_path, seeds=(0, 1))
    run(sweep)
    seed, other = sweep.trials[8], sweep.trials[9]
    sign(sweep, seed)
    for trial in (seed, other):
        sweep.starts(trial).write_text('{"time": %f, "host": "h", "process": 1, "place": ""}\n' % (time.time() + 5.0))
    finish(sweep, seed, params=parameters_of(seed.config.model))
    assert why_held(sweep, other) is None
    semgjax.settle(ledger_of(sweep), 0, value=9.0, unit="%")
    assert why_held(sweep, other) is None  # it began before the result was taken
    sweep.starts(other).write_text('{"time": 1.0, "host": "h", "process": 1, "place": ""}\n')
    assert why_held(sweep, other) is not None  # it began before the forecast


def test_a_forecast_that_is_settled_before_any_run_of_another_place_or_quantity_does_not_count(tmp_path):
    sweep = sizes_planned(tmp_path)
    run(sweep)
    large = sweep.trials[4]
    sign(sweep, sweep.trials[5])
    assert why_held(sweep, large) is not None
    entry = sign(sweep, large)
    assert why_held(sweep, large) is None
    semgjax.settle(ledger_of(sweep), entry.number, value=9.0, unit="%")
    assert why_held(sweep, large) is not None
    table = {"params": [size(t) for t in sweep.trials[:4]], "loss": [4.0, 3.5, 3.1, 2.8]}
    law = semgjax.fit(table, N="params", y="loss", law="power")
    semgjax.forecast(law, ledger_of(sweep), N=size(large) * 1.0001)
    assert why_held(sweep, large) is not None


def test_users_of_a_forecast_are_compared_once_the_sessions_are_known(tmp_path):
    class Sessions:
        train_users, train_hours = 7, 0.1

    class Others(Sessions):
        train_users = 9

    sweep = sizes_planned(tmp_path)
    run(sweep)
    large, rows = sweep.trials[4], {"params": [], "users": [], "cer": []}
    for trial in sweep.trials[:4]:
        for users in (2.0, 4.0, 8.0):
            rows["params"].append(size(trial))
            rows["users"].append(users)
            rows["cer"].append((error(trial) + 20.0 * users**-0.3) * NOISE[len(rows["cer"])])
    law = semgjax.fit(rows, N="params", U="users", y="cer", law="power")
    semgjax.forecast(law, ledger_of(sweep), N=size(large), U=7.0)
    assert why_held(sweep, large) is None and why_held(sweep, large, Sessions()) is None
    assert why_held(sweep, large, Others()) is not None


def test_a_changed_ledger_stops_the_sweep(tmp_path):
    sweep = sizes_planned(tmp_path)
    run(sweep)
    sign(sweep, sweep.trials[4])
    path = ledger_of(sweep)
    path.write_text(path.read_text().replace('"level": 0.95', '"level": 0.9'))
    with refused("changed", path):
        run(sweep)


def test_the_rule_is_part_of_the_plan_and_by_operations_too(tmp_path):
    sweep = sizes_planned(tmp_path)
    assert read_sweep(sweep.folder).forecast == RULE
    assert planned(tmp_path / "free").forecast is None
    with refused("out-exists", "forecasts"):
        sizes_planned(tmp_path, replace(RULE, largest=1))
    with refused("bad-value", "7"):
        sizes_planned(tmp_path / "many", replace(RULE, largest=7))
    by = sizes_planned(tmp_path / "by", ForecastRule("f.jsonl", 1, "flops"), search=Search(shorten=5))
    assert [trial.config.preset for trial in required(by)] == ["ladder-96"]
    assert levels_of([3.0, 1.0, 3.001, 2.0]) == [3.001, 2.0, 1.0]


def test_students_of_a_held_teacher_are_held(tmp_path):
    from tests.sweep.plans import students_of

    configs = [config_of("ladder-16"), config_of("ladder-48"), *students_of("ladder-48", "ladder-16")]
    rule = ForecastRule("forecasts.jsonl")
    sweep = plan_sweep("taught", configs, tmp_path, {configs[0].data: SPLIT}, tmp_path / "sweep", None, rule)
    outcome, started, _ = run(sweep)
    assert started == [sweep.trials[0].id] and len(outcome.held) == 3 and outcome.exit_code == 2


@pytest.mark.parametrize("rule", [{"ledger": " "}, {"ledger": "f", "largest": 0}])
def test_a_rule_out_of_range_is_one_line(rule):
    with refused("bad-value", "forecast."):
        ForecastRule(**rule)


def test_a_pack_leaves_out_what_needs_a_forecast(tmp_path):
    sweep = sizes_planned(tmp_path, seeds=(0, 1))
    finish(sweep, sweep.trials[10])
    done, held = run_pack(sweep, sweep.trials[10:])
    assert done["seed"] == 0 and held.code == "no-forecast"
