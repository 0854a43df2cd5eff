"""A run that its own running average teaches: the average is the teacher, resumes are exact, and it needs no other."""

import dataclasses
import shutil

import jax
import pytest

import semgjax.training.loop as loop
from semgjax.cli.main import main
from semgjax.data.batching.batches import train_data
from semgjax.data.corpus import load_corpus
from semgjax.distilling.teachers import self_config
from semgjax.losses.loss import CTC
from semgjax.model.flops import forward_flops
from semgjax.parallel.mesh import by_batch, make_mesh
from semgjax.training.criterion import loss_and_sums
from semgjax.training.distill_config import SELF, DistillConfig, DistillOptions
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import read_config, read_result
from semgjax.training.step import init_state, make_step
from tests.refused import refused
from tests.runs import MODEL, STEPS, TRAIN, assert_same_parameters, distill_words, fails


@pytest.fixture(scope="module")
def corpus(sessions):
    return load_corpus(sessions)


@pytest.fixture(scope="module")
def run(sessions, tmp_path_factory):
    """(folder, result) of a run by the command."""
    folder = tmp_path_factory.mktemp("run") / "run"
    words = ["--optimizer.average=0.9", "--weight=0.5", "--model.dropout=0", "--model.mask-share=0"]
    assert main(distill_words(SELF, sessions, folder, *words)) == 0
    return folder, read_result(folder)


@pytest.fixture(scope="module")
def config(run):
    return read_config(run[0])


def test_the_average_teaches_and_the_start_is_its_own_teacher(corpus, config, run):
    lines = [line["kl"] for line in read_metrics(run[0] / "metrics.jsonl") if "kl" in line]
    assert lines[0] == pytest.approx(0.0, abs=1e-6) and all(kl > 1e-6 for kl in lines[2:])
    batch = train_data(corpus.train, config.window, config.augment, TRAIN.batch, TRAIN.seed).batches[0]
    batch = jax.device_put(batch, by_batch(make_mesh(TRAIN.batch)))
    state = jax.jit(lambda: init_state(config))()
    average = jax.tree.map(lambda x: 1.1 * x, state["average"])
    expected = loss_and_sums(config, state["params"], batch, None, ((config.model, average),))[1]
    _, sums = make_step(config, make_mesh(TRAIN.batch))({**state, "average": average}, batch, ())
    assert float(sums["kl"]) == pytest.approx(float(expected["kl"]), rel=1e-4) and float(sums["kl"]) > 1e-4


def test_its_result_names_no_other_teacher_and_pays_for_a_second_forward_pass(config, run):
    result = run[1]
    assert (result["kind"], result["teacher"], result["teachers"]) == ("distilled", SELF, [])
    pass_ = forward_flops(config.model, config.window.total)
    assert result["flops"] == pytest.approx(STEPS * TRAIN.batch * 4 * pass_)


def test_it_resumes_to_the_same_parameters(corpus, config, run, tmp_path):
    folder, result = run
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    shutil.rmtree(tmp_path / "run" / "checkpoints" / str(STEPS))
    again = loop.train(config, corpus, tmp_path / "run")
    assert_same_parameters(tmp_path / "run", folder)
    assert again["scores"] == result["scores"]


def test_without_a_running_average_or_with_further_teachers_it_is_refused(config):
    plain = dataclasses.replace(config.optimizer, average=0.0)
    with refused("bad-value", "optimizer.average"):
        dataclasses.replace(config, optimizer=plain)
    for also in (("t",), (SELF,)):
        with refused("bad-value", "also"):
            DistillConfig(SELF, also=also)
    with refused("bad-value", "also"):
        DistillConfig("t", also=(SELF,))
    assert dataclasses.replace(config, distill=None, optimizer=plain).loss == CTC()


def test_the_command_without_an_average_is_refused_and_nothing_written(sessions, tmp_path, capsys):
    assert "optimizer.average" in fails(capsys, distill_words(SELF, sessions, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_features_are_matched_to_the_average_of_the_same_width(config):
    options = DistillOptions(weight=0.5, features=0.1)
    found = self_config(dataclasses.replace(config, distill=None), options).distill
    assert found == DistillConfig(SELF, weight=0.5, features=0.1, feature_width=MODEL.dim)
