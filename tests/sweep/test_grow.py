"""Sweeps whose learning rates are searched: the trials grow with the results, the same ones each time."""

import json
import math
from dataclasses import replace

import pytest

from semgjax.scaling.read import read_table
from semgjax.sweep import runner, slurm
from semgjax.sweep.collect import collect
from semgjax.sweep.engines import RunOptions, slurm_scripts
from semgjax.sweep.grow import grow, states_of
from semgjax.sweep.pack import packs_of
from semgjax.sweep.plan import find_trial, plan_sweep, read_sweep, share_of
from semgjax.sweep.rate_rungs import rates_file
from semgjax.sweep.rate_search import Search
from semgjax.sweep.status import rung_lines, rungs_json
from semgjax.sweep.trial import look
from tests.refused import refused
from tests.sweep.plans import SPLIT, at_rate, config_of, files_in
from tests.sweep.rated_trials import BEST, PRESETS, Trained, rates_of, run, searched

LARGE = "001-ladder-32-s0-r"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Trials here end as they start."""
    monkeypatch.setattr(runner, "_SECONDS_BETWEEN_LOOKS", 0.0)


def test_the_plan_has_a_rung_for_each_size_and_begins_with_one_run_each(tmp_path):
    sweep = searched(tmp_path, seeds=(0, 1, 2))
    assert [(rung.config.preset, rung.seeds) for rung in sweep.rungs] == [(name, (1, 2)) for name in PRESETS]
    assert [trial.id for trial in sweep.trials] == ["000-ladder-16-s0-r0.002", "001-ladder-32-s0-r0.002"]
    assert (sweep.run_folder(sweep.trials[0]) / "config.json").exists()
    again = searched(tmp_path, seeds=(0, 1, 2))
    assert again == sweep == read_sweep(sweep.folder)
    with refused("out-exists", "rungs differ"):
        searched(tmp_path, Search(most=4), seeds=(0, 1, 2))


def test_rates_are_bracketed_and_the_other_seeds_follow_at_the_best(tmp_path):
    sweep = searched(tmp_path, seeds=(0, 1))
    outcome = run(sweep, Trained(sweep, 1))
    assert outcome.exit_code == 0 and not grow(sweep, sweep.rungs)
    for one, preset in zip(states_of(sweep), PRESETS, strict=True):
        assert one.state == "bracketed" and abs(math.log(one.best / BEST[preset])) < math.log(2.0)
    ids = [trial.id for trial in read_sweep(sweep.folder).trials]
    assert len(ids) == len(set(ids)) == len(outcome.done)
    seeds = [trial for trial in read_sweep(sweep.folder).trials if trial.config.train.seed == 1]
    assert [trial.config.optimizer.learning_rate for trial in seeds] == [one.best for one in states_of(sweep)]
    again = Trained(sweep, 1)
    assert set(run(sweep, again).done) == set(outcome.done) and again.started == []


@pytest.mark.parametrize("size", [1, 4])
def test_the_same_plan_gives_the_same_trials_however_many_run_at_once_and_after_any_stop(tmp_path, size):
    calm = searched(tmp_path / "calm", seeds=(0, 1))
    run(calm, Trained(calm, 1))
    other = searched(tmp_path / "other", seeds=(0, 1))
    trained = Trained(other, size)
    while waiting := [t for t in read_sweep(other.folder).trials if look(other, t).state == "waiting"]:
        trained.start(waiting[-1:])  # one trial at a time, the last first, with a kill after each
        grow(other, other.rungs[::-1])
    run(other, trained)
    assert [t.id for t in read_sweep(other.folder).trials] == [t.id for t in read_sweep(calm.folder).trials]
    collect(calm.folder), collect(other.folder)
    assert (calm.folder / "results.csv").read_bytes() == (other.folder / "results.csv").read_bytes()


def test_a_killed_decision_is_taken_again_and_a_written_one_is_kept(tmp_path):
    sweep = searched(tmp_path)
    trained = Trained(sweep, 1)
    trained.start(sweep.trials[:1])
    (new,) = grow(sweep, sweep.rungs)
    before = files_in(sweep.folder)
    assert grow(sweep, sweep.rungs) == () and files_in(sweep.folder) == before
    assert find_trial(read_sweep(sweep.folder), new.id) == new
    path = rates_file(sweep.folder, sweep.rungs[0])
    path.write_text(path.read_text().replace("0.004", "0.005"))
    with refused("changed", path):
        read_sweep(sweep.folder)


def test_a_rate_that_diverges_is_an_answer_and_no_failure(tmp_path):
    sweep = searched(tmp_path)
    outcome = run(sweep, Trained(sweep, 1, diverges=5e-3))
    assert outcome.exit_code == 0 and outcome.diverged == {} and list(outcome.probed)
    large = states_of(sweep)[1]
    assert large.best < 5e-3 and max(large.tried) > 5e-3 and large.state == "bracketed"
    assert rungs_json(states_of(sweep))[1]["tried"][-1] == {"rate": max(large.tried), "error": None}
    table = collect(sweep.folder)
    rows = [row for row in table.rows if row["preset"] == "ladder-32"]
    assert {row["diverged_rates"] for row in rows} == {" ".join(str(r) for r in sorted(large.tried) if r > 5e-3)}
    everything = searched(tmp_path / "all", Search(most=3))
    assert run(everything, Trained(everything, 1, diverges=0.0)).exit_code == 70
    assert {one.state for one in states_of(everything)} == {"edge"}


def test_a_failed_trial_stops_its_rung_alone_and_is_retried_by_the_next_call(tmp_path):
    sweep = searched(tmp_path)
    outcome = run(sweep, Trained(sweep, 1, crash=[f"{LARGE}0.004"]))
    assert outcome.exit_code == 1 and list(outcome.failed) == [f"{LARGE}0.004"]
    assert [one.state for one in states_of(sweep)] == ["bracketed", "stopped"]
    sweep.fault(find_trial(read_sweep(sweep.folder), f"{LARGE}0.004")).unlink()
    assert run(sweep, Trained(sweep, 1)).exit_code == 0
    assert [one.state for one in states_of(sweep)] == ["bracketed", "bracketed"]


def test_the_first_three_rates_and_the_other_seeds_are_packs(tmp_path):
    sweep = searched(tmp_path, Search(together=True), seeds=(0, 1, 2))
    trained = Trained(sweep, 1)
    run(sweep, trained, pack=3)
    assert trained.packs[:2] == [3, 3] and sorted(trained.packs)[-4:] == [2, 2, 3, 3]
    trials = [trial for trial in read_sweep(sweep.folder).trials if trial.rung == 0]
    assert [len(pack) for pack in packs_of(trials, 8)][0] == 3  # a later round joins no earlier pack


def test_a_search_at_a_quarter_of_the_length_starts_the_full_one_and_is_not_in_the_table(tmp_path):
    sweep = searched(tmp_path, Search(shorten=4), start=1e-4)
    run(sweep, Trained(sweep, 1))
    trials = read_sweep(sweep.folder).trials
    assert {(t.stage, t.config.train.steps) for t in trials} == {("short", 10), ("full", 40)}
    full = [t for t in trials if t.stage == "full" and t.rung == 1]
    assert len(full) == 3 and any(t.id.endswith("-n10") for t in trials)
    rows = collect(sweep.folder).rows
    assert {row["steps"] for row in rows} == {40} and len({row["run"] for row in rows}) == 6


def test_the_table_of_a_searched_sweep_is_fitted_at_the_best_rates_which_validation_users_chose(tmp_path):
    sweep = searched(tmp_path, seeds=(0, 1))
    run(sweep, Trained(sweep, 1))
    collect(sweep.folder)
    table = read_table(sweep.folder, {"N": "flops"}, {})
    assert [rung.state for rung in table.rungs] == ["bracketed", "bracketed"]
    assert [rung.rates[rung.chosen] for rung in table.rungs] == [one.best for one in states_of(sweep)]
    assert len(table.y) == 4  # both seeds of each


def test_status_tells_where_every_rung_stands(tmp_path):
    sweep = searched(tmp_path)
    assert [one["state"] for one in rungs_json(states_of(sweep))] == ["searching", "searching"]
    run(sweep, Trained(sweep, 1))
    lines = rung_lines(states_of(sweep))
    assert len(lines) == 2 and all(str(one.best) in line for one, line in zip(states_of(sweep), lines, strict=True))
    json.dumps(rungs_json(states_of(sweep)), allow_nan=False)


def test_workers_share_the_rungs(tmp_path):
    sweep = searched(tmp_path)
    assert [[t.rung for t in share_of(sweep, part, 2)] for part in (0, 1)] == [[0], [1]]


def test_engines_whose_jobs_are_fixed_refuse_a_search(tmp_path):
    sweep = searched(tmp_path)
    with refused("conflict", sweep.folder):
        slurm_scripts(sweep.folder, RunOptions(engine="slurm"))
    with refused("conflict"):
        slurm.arrays_of(sweep, slurm.Options())


def test_a_result_without_any_rate_cannot_be_compared(tmp_path):
    sweep = searched(tmp_path)
    trained = Trained(sweep, 1)
    trained.start(sweep.trials[:1])
    path = sweep.run_folder(sweep.trials[0]) / "result.json"
    path.write_text(path.read_text().replace('"cer": ', '"cer": null, "was": '))
    with refused("bad-field", sweep.trials[0].id):
        states_of(sweep)


def test_two_equal_seeds_and_a_length_without_a_step_are_refused(tmp_path):
    config = at_rate(config_of("ladder-16", steps=3), 1e-3)
    for configs, search, code in (
        ([config, config], Search(), "conflict"),
        ([config], Search(shorten=10), "bad-value"),
        ([replace(config, preset="a b")], Search(), "bad-name"),
    ):
        with refused(code):
            plan_sweep("x", configs, tmp_path, {config.data: SPLIT}, tmp_path / "x", search)


def test_rates_of_the_two_sizes_differ_as_their_best_ones_do(tmp_path):
    sweep = searched(tmp_path)
    run(sweep, Trained(sweep, 2))
    assert rates_of(sweep.folder, "ladder-16")[:2] == rates_of(sweep.folder, "ladder-32")[:2] == [2e-3, 4e-3]
    assert max(rates_of(sweep.folder, "ladder-32")) > max(rates_of(sweep.folder, "ladder-16"))
