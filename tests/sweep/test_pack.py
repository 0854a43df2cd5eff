"""Packs of a sweep: which trials go together, how the engine starts and settles them, and the whole with training."""

import json
import signal
import sys
import time
from dataclasses import replace

import pytest

import semgjax.training.packing
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import read_split
from semgjax.errors import Diverged, InputError, Preempted
from semgjax.sweep.local import run_local
from semgjax.sweep.pack import exit_code, packs_of, run_pack
from semgjax.sweep.plan import plan_sweep
from semgjax.sweep.runner import Outcome
from semgjax.sweep.trial import look, read_fault
from tests.refused import refused
from tests.runs import assert_same_parameters, fails, run_config, start
from tests.sweep.plans import config_of, finish, planned, result_body, students_of


def names(packs):
    return [[trial.id for trial in pack] for pack in packs]


def rated(name, seed, **optimizer):
    config = config_of(name, seed)
    return replace(config, optimizer=replace(config.optimizer, **optimizer))


@pytest.fixture
def sweep(tmp_path):
    """Four trials of one shape, one of another shape, one of other steps, and two students."""
    (tmp_path / "acts.json").write_text("{}")
    configs = [
        config_of("ladder-16"),
        config_of("ladder-32"),
        config_of("ladder-16", seed=1),
        rated("ladder-16", 0, learning_rate=1e-4),
        rated("ladder-16", 0, decay=0.3),
        config_of("ladder-16", steps=11),
        *students_of("ladder-32", "ladder-16"),
    ]
    return planned(tmp_path, *configs)


def test_trials_go_together_that_differ_in_seed_rate_decay_or_data_alone(sweep):
    ids = [trial.id for trial in sweep.trials]
    groups = names(packs_of(sweep.trials, 8))
    assert groups == [[ids[0], ids[2], ids[3], ids[4]], [ids[1]], [ids[5]], [ids[6]], [ids[7]]]
    assert names(packs_of(sweep.trials, 3))[:2] == [[ids[0], ids[2], ids[3]], [ids[4]]]
    assert names(packs_of(sweep.trials, 1)) == [[name] for name in ids]
    other = replace(sweep.trials[0], id="less", config=replace(sweep.trials[0].config, data="another hash"))
    assert names(packs_of([sweep.trials[0], other], 2)) == [[ids[0], "less"]]
    with refused("bad-value", "pack 0"):
        packs_of(sweep.trials, 0)


def stand_in(folder, trials, cores):
    return [sys.executable, "-m", "tests.sweep.stand_in", str(folder), trials, str(cores)]


def run(sweep, **acts):
    (sweep.folder.parent / "acts.json").write_text(json.dumps(acts))
    lines: list[str] = []
    outcome = run_local(sweep.folder, 1, report=lines.append, command=stand_in, retries=1, pack=8)
    return outcome, lines


def starts(sweep):
    events = (sweep.folder.parent / "events").read_text().splitlines()
    return [line.split()[1] for line in events if line.startswith("start")]


def test_a_pack_is_one_process_whose_trials_each_end_their_own_way(sweep):
    ids = [trial.id for trial in sweep.trials]
    outcome, lines = run(sweep, **{ids[2]: ["diverge"], ids[3]: ["again"]})
    done = tuple(name for name in ids if name != ids[2])
    assert outcome == Outcome(done, {ids[2]: "step 5: loss nan"}, {})
    assert f"{ids[0]} starts at step 0/10 (slot 0, pack of 4)" in lines
    assert f"{ids[3]} stopped and saved at step 5/10" in lines
    assert f"{ids[3]} starts at step 5/10 (slot 0, pack of 4)" in lines
    assert not any(line.startswith(f"{ids[0]} starts at step 10") for line in lines)
    assert (sweep.folder / "trials" / f"{ids[0]}.log").exists()
    assert not (sweep.folder / "trials" / f"{ids[4]}.log").exists()


def test_a_pack_that_is_killed_goes_on_with_those_that_are_not_done(sweep):
    ids = [trial.id for trial in sweep.trials]
    outcome, lines = run(sweep, **{ids[2]: ["kill"]})
    assert outcome.exit_code == 0
    assert f"{ids[2]} was ended by SIGKILL at step 5/10" in lines
    assert f"{ids[2]} starts at step 5/10 (slot 0, pack of 4, attempt 2 of 2)" in lines
    assert f"{ids[4]} starts at step 0/10 (slot 0, pack of 4, attempt 2 of 2)" in lines
    assert sum(line.startswith(f"{ids[0]} starts") for line in lines) == 1


def test_bad_input_of_a_packed_trial_is_its_own(sweep):
    ids = [trial.id for trial in sweep.trials]
    outcome, _ = run(sweep, **{ids[2]: ["refuse"] * 3})
    assert outcome.failed == {ids[2]: "sessions: no such folder"}
    assert len(outcome.done) == len(ids) - 1 and starts(sweep).count(ids[0]) == 1


def test_the_exit_code_of_a_pack_is_run_it_again_before_bad_input_before_diverged():
    again, bad, diverged = Preempted("stop"), InputError("no"), Diverged("nan")
    assert exit_code([{}, {}]) == 0
    assert exit_code([{}, diverged]) == 70
    assert exit_code([diverged, bad]) == 2
    assert exit_code([diverged, bad, again]) == 75


@pytest.fixture
def real(sessions, tmp_path):
    """Two trials on sessions, of which one is of another seed."""
    data = load_corpus(sessions)
    config = run_config(data)
    other = replace(config, train=replace(config.train, seed=1))
    splits = {data.hash: read_split(sessions / "splits.json")}
    return lambda name: plan_sweep("pack", (config, other), sessions, splits, tmp_path / name)


def test_a_trial_of_a_pack_that_diverges_keeps_its_reason_and_is_not_trained_again(real, monkeypatch):
    sweep = real("sweep")
    calls = []

    def train_pack(jobs):
        calls.append([job.end for job in jobs])
        finish(sweep, sweep.trials[0])
        return [result_body(sweep.trials[0]), Diverged("step 3: loss nan")]

    monkeypatch.setattr(semgjax.training.packing, "train_pack", train_pack)
    run_pack(sweep, sweep.trials)
    assert read_fault(sweep, sweep.trials[1]) == ("diverged", "step 3: loss nan")
    ends = run_pack(sweep, sweep.trials)
    assert calls == [[None, None]]  # all had ended
    assert isinstance(ends[0], dict) and str(sweep.fault(sweep.trials[1])) in str(ends[1])
    sweep.fault(sweep.trials[1]).unlink()
    run_pack(sweep, sweep.trials)
    assert isinstance(calls[1][0], dict) and calls[1][1] is None  # the one that is done keeps its place


def test_options_of_packs_are_checked(real, capsys):
    folder = real("sweep").folder
    assert "pack 0" in fails(capsys, ["sweep", "run", folder, "--pack", "0"])
    assert "pack 2" in fails(capsys, ["sweep", "run", folder, "--pack", "2", "--engine", "slurm"])
    assert "trial 0,0" in fails(capsys, ["sweep", "run", folder, "--trial", "0,0"])


@pytest.mark.slow
def test_a_pack_that_is_killed_ends_bit_for_bit_like_one_that_was_not(real):
    whole, killed = real("whole"), real("killed")
    undisturbed = start(["sweep", "run", str(whole.folder), "--trial", "0,1"])
    out, err = undisturbed.communicate(timeout=600)
    assert undisturbed.returncode == 0, (out, err)
    process = start(["sweep", "run", str(killed.folder), "--trial", "0,1"])
    runs = [killed.run_folder(trial) for trial in killed.trials]
    while not all((run / "checkpoints" / "4").is_dir() for run in runs):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert any(look(killed, trial).state != "done" for trial in killed.trials)
    again = start(["sweep", "run", str(killed.folder), "--pack", "2", "--slots", "1"])
    out, err = again.communicate(timeout=600)
    assert again.returncode == 0, (out, err)
    for trial in whole.trials:
        assert_same_parameters(whole.run_folder(trial), killed.run_folder(trial))
