"""Packed runs: equal to runs apart, a bad end stops nobody else, and a resumed pack ends with the same bits."""

import dataclasses
import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.errors import Diverged, InputError
from semgjax.files import folder_lock
from semgjax.model.presets import preset
from semgjax.training.checkpoint import newest_step
from semgjax.training.distill_config import DistillConfig
from semgjax.training.log import SPEED
from semgjax.training.loop import train
from semgjax.training.metrics import read_metrics
from semgjax.training.packing import Job, train_pack
from semgjax.training.run_folder import read_result
from semgjax.training.step import init_state
from tests.refused import refused
from tests.runs import STEPS, assert_same_parameters, run_config, start_python


def changed(config, seed=0, **optimizer):
    return dataclasses.replace(
        config,
        optimizer=dataclasses.replace(config.optimizer, **optimizer),
        train=dataclasses.replace(config.train, seed=seed),
    )


@pytest.fixture(scope="module")
def jobs(sessions, tmp_path_factory):
    """Three trials: that of `finished`, one of another seed, rate, decay and less data, and one that blows up."""
    place = tmp_path_factory.mktemp("pack")
    split = read_split(sessions / "splits.json")
    write_split(place / "less.json", dataclasses.replace(split, train=split.train[:1]))
    whole, less = load_corpus(sessions), load_corpus(sessions, place / "less.json")
    config = run_config(whole)
    other = dataclasses.replace(changed(config, 7, learning_rate=1e-3, decay=0.3), data=less.hash)
    bad = changed(config, 2, learning_rate=1e30)
    return [Job(config, whole, place / "zero"), Job(other, less, place / "other"), Job(bad, whole, place / "bad")]


@pytest.fixture(scope="module")
def ends(jobs):
    return train_pack(jobs)


def lines(folder):
    found = read_metrics(folder / "metrics.jsonl")
    return [{name: value for name, value in line.items() if name not in SPEED} for line in found]


def assert_equal_but_rounding(packed, alone):
    for one, other in zip(lines(packed), lines(alone), strict=True):
        assert one.keys() == other.keys()
        assert one["step"] == other["step"] and one.get("cer") == other.get("cer")
        if "loss" in one:
            np.testing.assert_allclose(one["loss"], other["loss"], rtol=1e-5, atol=1e-5)
            assert one["learning_rate"] == other["learning_rate"]
    files = [sorted(p.relative_to(run).as_posix() for p in run.glob("*")) for run in (packed, alone)]
    assert files[0] == files[1]
    saved = [sorted(p.name for p in run.glob("checkpoints/*")) for run in (packed, alone)]
    assert saved[0] == saved[1]
    results = [read_result(run) for run in (packed, alone)]
    assert all(result is not None for result in results)
    assert {**results[0], "seconds": 0} == {**results[1], "seconds": 0}


@pytest.mark.slow
def test_packed_runs_leave_what_they_leave_apart(jobs, ends, finished, tmp_path):
    assert_equal_but_rounding(jobs[0].out, finished)
    other = jobs[1]
    train(other.config, other.corpus, tmp_path / "alone")
    assert_equal_but_rounding(other.out, tmp_path / "alone")


@pytest.mark.slow
def test_a_packed_run_that_blows_up_says_why_and_the_others_go_on(jobs, ends):
    assert isinstance(ends[2], Diverged)
    assert all(fact in str(ends[2]) for fact in ("step 3", "nan", "1e+30"))
    assert newest_step(jobs[2].out / "checkpoints") == 2 and not (jobs[2].out / "result.json").exists()
    assert [isinstance(end, dict) for end in ends] == [True, True, False]


@pytest.mark.slow
def test_a_pack_that_goes_on_with_those_that_are_left_ends_with_the_same_bits(jobs, ends, tmp_path):
    again = []
    for job, end in zip(jobs, ends, strict=True):
        shutil.copytree(job.out, tmp_path / job.out.name)
        again.append(dataclasses.replace(job, out=tmp_path / job.out.name, end=end if job is jobs[2] else None))
    run = again[0].out
    (run / "result.json").unlink()
    shutil.rmtree(run / "checkpoints" / str(STEPS))
    with folder_lock(again[1].out):  # as when another process has it
        second = train_pack(again)
    assert isinstance(second[1], InputError) and second[1].code == "in-use"
    assert second[2] is ends[2]
    assert_same_parameters(run, jobs[0].out)
    assert lines(run) == lines(jobs[0].out)


def test_a_pack_of_other_shapes_or_with_a_student_is_refused(sessions, tmp_path):
    corpus = load_corpus(sessions)
    config = run_config(corpus)
    job = Job(config, corpus, tmp_path / "one")
    for other in (
        dataclasses.replace(config, distill=DistillConfig("t")),
        dataclasses.replace(config, preset="ladder-32", model=preset("ladder-32")),
        dataclasses.replace(config, train=dataclasses.replace(config.train, steps=9)),
    ):
        with refused("conflict", tmp_path / "two"):
            train_pack([job, Job(other, corpus, tmp_path / "two")])
    assert list(tmp_path.iterdir()) == []


def test_a_seed_that_is_an_input_gives_the_key_that_it_gives_as_a_constant():
    for seed in (0, 1, 3_000_000_000):
        constant = jax.random.key_data(jax.random.key(seed))
        traced = jax.jit(lambda seed: jax.random.key_data(jax.random.key(seed)))(jnp.uint32(seed))
        np.testing.assert_array_equal(constant, traced)


@pytest.mark.slow
def test_a_seed_that_is_an_input_gives_the_state_that_it_gives_as_a_constant(sessions):
    config = run_config(load_corpus(sessions))
    constant = jax.jit(lambda: init_state(changed(config, 5)))()
    traced = jax.jit(lambda seed: init_state(config, seed))(jnp.uint32(5))
    for one, other in zip(jax.tree.leaves(constant), jax.tree.leaves(traced), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


DEVICES = """
import json, sys, dataclasses
from pathlib import Path
import jax
from semgjax.data.corpus import load_corpus
from semgjax.training import packed_states
from semgjax.training.packing import Job, train_pack
from tests.runs import run_config
from tests.training.test_pack import changed
corpus = load_corpus(Path(sys.argv[1]))
made, original = [], packed_states.make_packed_step
def make(config, mesh, lanes):
    step = original(config, mesh, lanes)
    def counted(states, batches, inputs):
        if not made:
            text = step.lower(states, batches, inputs).compile().as_text()
            leaf = jax.tree.leaves(states["params"])[0]
            made.append([[kind in text for kind in ("all-reduce(", "all-gather(", "all-to-all(", "permute(")],
                         len(leaf.sharding.device_set), leaf.shape[0], leaf.addressable_shards[0].data.shape[0]])
        return step(states, batches, inputs)
    return counted
packed_states.make_packed_step = make
config = run_config(corpus)
jobs = [Job(changed(config, seed), corpus, Path(sys.argv[2]) / str(seed)) for seed in range(5)]
ends = train_pack(jobs)
print(json.dumps({"ends": [type(end).__name__ for end in ends], "step": made[0]}))
"""


@pytest.mark.slow
def test_a_pack_is_split_over_the_devices_which_need_nothing_of_each_other(sessions, finished, tmp_path):
    process = start_python(["-c", DEVICES, str(sessions), str(tmp_path)], JAX_NUM_CPU_DEVICES="4")
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    found = json.loads(out.splitlines()[-1])
    assert found["ends"] == ["dict"] * 5
    assert found["step"] == [[False] * 4, 4, 8, 2]  # five trials fill eight lanes, two on each of four devices
    assert_equal_but_rounding(tmp_path / "0", finished)
