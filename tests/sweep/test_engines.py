"""Options of running a sweep: which go together, and the calls that take them."""

import dataclasses

import pytest

from semgjax.sweep.engines import RunOptions, run_chosen, run_sweep, slurm_scripts
from semgjax.sweep.trial_cost import chosen_rate
from tests.refused import refused
from tests.sweep.plans import finish, finished, planned

VALUES = {
    "slots": 2, "gpus": "0", "chips": "0", "order": "longest", "retries": 5, "pack": 2, "share": (0, 2), "data": "d",
    "start": "one", "address": "auto", "resources": {"GPU": 1.0}, "sbatch": "--time=1", "print_only": True, "cores": 2,
}  # fmt: skip
HAS = {
    "local": {"slots", "gpus", "chips", "order", "retries", "pack", "share", "data", "cores"},
    "ray": {"slots", "order", "retries", "address", "resources", "cores"},
    "slurm": {"slots", "retries", "sbatch", "print_only", "cores"},
    "trial": {"data", "start", "cores"},
}


@pytest.mark.parametrize("engine", HAS)
@pytest.mark.parametrize("option", VALUES)
def test_an_option_goes_with_the_engines_that_have_it(engine, option):
    chosen = {"trial": "0"} if engine == "trial" else {"engine": engine}
    if option in HAS[engine]:
        assert getattr(RunOptions(**chosen, **{option: VALUES[option]}), option) == VALUES[option]
    else:
        with refused("conflict", option, VALUES[option]):
            RunOptions(**chosen, **{option: VALUES[option]})


def test_every_option_is_covered_here():
    assert {f.name for f in dataclasses.fields(RunOptions)} == {*VALUES, "trial", "engine"}


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        ({"cores": 0}, "bad-value", "cores 0"),
        ({"slots": -1}, "bad-value", "slots -1"),
        ({"pack": 0}, "bad-value", "pack 0"),
        ({"retries": -1}, "bad-value", "retries -1"),
        ({"slots": 1, "chips": "0"}, "conflict", "slots 1"),
        ({"trial": "0", "engine": "ray"}, "conflict", "engine ray"),
    ],
)
def test_options_that_cannot_be_are_refused(options, code, named):
    with refused(code, named):
        RunOptions(**options)


def test_a_finished_sweep_is_done_and_its_trials_have_their_results(tmp_path, monkeypatch):
    monkeypatch.setenv("NPROC", "1")  # a single trial sets it for its process, which here is ours
    sweep = finished(planned(tmp_path))
    assert run_sweep(sweep.folder, RunOptions(slots=1)).done == tuple(trial.id for trial in sweep.trials)
    assert slurm_scripts(sweep.folder, RunOptions(engine="slurm")) == []
    for names in ("1", f"0, {sweep.trials[2].id}"):
        _, endings = run_chosen(sweep.folder, RunOptions(trial=names))
        assert [end["config"] for _, end in endings] == [trial.config.hash for trial, _ in endings]
        assert len(endings) == 1 + names.count(",")


def test_a_trial_that_is_named_twice_is_refused(tmp_path):
    sweep = planned(tmp_path)
    finish(sweep, sweep.trials[0])
    with refused("conflict", "trial 0,0"):
        run_chosen(sweep.folder, RunOptions(trial="0,0"))


@pytest.mark.parametrize("option", ["utilisation", "price", "budget", "budget_hours"])
def test_a_cost_needs_a_machine(option):
    with refused("conflict", f"{option} 0.5"):
        chosen_rate(None, **{option: 0.5})
    assert chosen_rate(None) is None
