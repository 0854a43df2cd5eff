"""Distilled runs on labelled and unlabelled sessions: the loss, the result, a resume; and runs that ignore them."""

import dataclasses
import shutil

import jax
import numpy as np
import pytest

import semgjax.training.loop as loop
from semgjax.data.batching.batches import train_data
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.inventory import list_folder
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.data.splitting.unlabelled import keep_labels
from semgjax.losses import ctc
from semgjax.losses.loss import CTC
from semgjax.training.criterion import loss_and_sums
from semgjax.training.distill_config import DistillConfig
from semgjax.training.metrics import read_metrics
from semgjax.training.mixture import ignored, unlabelled_of
from semgjax.training.step import gradient_and_sums, init_state
from tests.model.small import quick_jit
from tests.refused import refused
from tests.runs import STEPS, assert_same_parameters, run_config


@pytest.fixture(scope="module")
def corpus(sessions, tmp_path_factory):
    """One labelled and one unlabelled user."""
    path = tmp_path_factory.mktemp("split") / "few.json"
    write_split(path, keep_labels(read_split(sessions / "splits.json"), list_folder(sessions), 1))
    return load_corpus(sessions, path)


@pytest.fixture(scope="module")
def distilled(corpus):
    return dataclasses.replace(run_config(corpus), distill=DistillConfig("t", weight=0.9, unlabelled=0.5))


@pytest.fixture(scope="module")
def mixed(corpus, distilled):
    """A batch of which two of four rows are unlabelled."""
    train = distilled.train
    wanted = (distilled.window, distilled.augment, train.batch, train.seed, 0, 1)
    batch = train_data(corpus.train, *wanted, *unlabelled_of(distilled, corpus)).batches[0]
    assert batch["labelled"].tolist() == [True, False, True, False]
    return jax.device_put(batch)


@pytest.fixture(scope="module")
def params(distilled):
    """The student's and the teacher's parameters."""
    made = jax.jit(lambda seed: init_state(distilled, seed)["params"])
    return made(0), made(1)


@pytest.fixture(scope="module")
def gradient(distilled):
    """(params, batch, teacher's params, parts) -> (gradient, sums)."""

    def of(params, batch, teacher, parts):
        key = jax.random.key(0)
        return gradient_and_sums(distilled, params, batch, key, ((distilled.model, teacher),), count=parts)

    return jax.jit(of, static_argnums=3)


def only(batch, rows):
    return {name: values[np.array(rows)] for name, values in batch.items()}


def logits(seed: int, rows: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (rows, 12, 99)).astype(np.float32)


ctc_per_label = quick_jit(ctc.ctc_per_label)
"""loss and sums of (logits, part, whole batch); compiled, as operation by operation it takes seconds"""

LABELS = {
    "labels": np.array([[1, 2, 3], [0, 0, 0], [4, 5, 0], [6, 0, 0]], np.int32),
    "label_count": np.array([3, 0, 2, 1], np.int32),
}


def test_ctc_counts_labelled_rows_only():
    x = logits(0)
    batch = {**LABELS, "labelled": np.array([True, False, True, False])}
    loss, sums = ctc_per_label(x, batch, batch)
    rows = only(LABELS, [0, 2])
    wanted, wanted_sums = ctc_per_label(x[[0, 2]], rows, rows)
    assert float(loss) == pytest.approx(float(wanted), rel=1e-6)
    assert {name: float(value) for name, value in sums.items()} == pytest.approx(
        {name: float(value) for name, value in wanted_sums.items()}
    )
    gradient = quick_jit(jax.grad(lambda x: ctc.ctc_per_label(x, batch, batch)[0]))(x)
    assert np.asarray(gradient)[[0, 2]].any() and not np.asarray(gradient)[[1, 3]].any()


def test_parts_of_a_mixed_batch_add_up_to_the_whole():
    x, batch = logits(1), {**LABELS, "labelled": np.array([True, False, True, False])}
    whole, sums = ctc_per_label(x, batch, batch)
    parts = [ctc_per_label(x[rows], only(batch, rows), batch) for rows in ([0, 1], [2, 3])]
    assert sum(float(part[0]) for part in parts) == pytest.approx(float(whole), rel=1e-6)
    for name, value in sums.items():
        assert sum(float(part[1][name]) for part in parts) == pytest.approx(float(value))


def test_a_batch_without_a_labelled_row_costs_nothing_and_its_line_is_finite():
    batch = {**LABELS, "labelled": np.zeros(4, bool)}
    both = quick_jit(jax.value_and_grad(lambda x: ctc.ctc_per_label(x, batch, batch), has_aux=True))
    (loss, sums), gradient = both(logits(2))
    assert float(loss) == 0.0 and not np.asarray(gradient).any()
    totals = {name: float(value) for name, value in sums.items()}
    assert CTC().metrics(totals, 1) == {"ctc": 0.0, "infeasible": 0.0}


def test_the_kl_counts_all_rows_and_the_task_the_labelled_ones(distilled, mixed, params):
    @quick_jit
    def loss_of(batch, params):
        return loss_and_sums(distilled, params[0], batch, None, ((distilled.model, params[1]),))

    def of(batch):
        return loss_of({name: value for name, value in batch.items() if name != "labelled"}, params)

    loss, sums = loss_of(mixed, params)
    assert float(sums["kl"]) == pytest.approx(float(of(mixed)[1]["kl"]), rel=1e-6)
    labelled = of(only(mixed, [0, 2]))[1]
    for name in ("ctc", "labels", "rows", "infeasible"):
        assert float(sums[name]) == pytest.approx(float(labelled[name]), rel=1e-5), name
    per_label = float(sums["ctc"]) / float(sums["labels"])
    assert float(loss) == pytest.approx(0.9 * float(sums["kl"]) + 0.1 * per_label, rel=1e-5)


@pytest.mark.slow
def test_a_batch_of_unlabelled_rows_alone_has_a_finite_gradient_of_the_kl(gradient, mixed, params):
    bare = {**mixed, "labelled": np.zeros(4, bool), "label_count": np.zeros(4, np.int32)}
    found, sums = gradient(params[0], bare, params[1], 1)
    assert float(sums["loss"]) == pytest.approx(0.9 * float(sums["kl"]), rel=1e-6)
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(found)]
    assert all(np.isfinite(leaf).all() for leaf in leaves) and any(leaf.any() for leaf in leaves)


@pytest.mark.slow
def test_accumulated_parts_give_the_gradient_of_a_mixed_batch(gradient, mixed, params):
    whole, sums = gradient(params[0], mixed, params[1], 1)
    parts, part_sums = gradient(params[0], mixed, params[1], 2)  # one part has all labelled rows, the other none
    assert float(part_sums["loss"]) == pytest.approx(float(sums["loss"]), rel=1e-5)
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-5)


@pytest.fixture(scope="module")
def run(corpus, distilled, params, tmp_path_factory):
    """(folder, result) of a whole run by number, whose teacher is another network of its size."""
    config = dataclasses.replace(distilled, distill=DistillConfig("t"))
    folder = tmp_path_factory.mktemp("run") / "run"
    return folder, config, loop.train(config, corpus, folder, ((config.model, params[1]),))


@pytest.mark.slow
def test_the_result_says_what_was_learned_without_labels(corpus, run):
    result = run[2]
    assert (result["users"], result["unlabelled_users"]) == (1, 1)
    assert result["hours"] == corpus.train_hours
    assert result["unlabelled_hours"] == corpus.unlabelled_hours > 0
    windows = [sum((s.samples - 1000) // 1000 + 1 for s in part) for part in (corpus.train, corpus.unlabelled)]
    assert result["epochs"] == pytest.approx(STEPS * run[1].train.batch / sum(windows))
    lines = [line for line in read_metrics(run[0] / "metrics.jsonl") if "kl" in line]
    assert len(lines) == STEPS and all(np.isfinite(line["loss"]) for line in lines)


@pytest.mark.slow
def test_a_run_with_unlabelled_sessions_resumes_to_the_same_parameters(corpus, run, params, tmp_path):
    folder, config, result = run
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    shutil.rmtree(tmp_path / "run" / "checkpoints" / str(STEPS))
    again = loop.train(config, corpus, tmp_path / "run", ((config.model, params[1]),))
    assert_same_parameters(tmp_path / "run", folder)
    assert again["scores"] == result["scores"]


@pytest.mark.slow
def test_a_supervised_run_ignores_unlabelled_sessions_and_says_so(corpus, distilled, tmp_path, capsys):
    config = dataclasses.replace(distilled, distill=None, train=dataclasses.replace(distilled.train, steps=2))
    assert unlabelled_of(config, corpus) == ((), None)
    assert ignored(distilled, corpus) == () and ignored(config, dataclasses.replace(corpus, unlabelled=())) == ()
    result = loop.train(config, corpus, tmp_path / "run")
    assert "unlabelled_hours" not in result and result["users"] == 1
    assert "warning: " in capsys.readouterr().err


@pytest.mark.parametrize("share", [1.0, -0.1, float("nan")])
def test_a_share_outside_its_range_is_refused(distilled, share):
    with refused("bad-value"):
        dataclasses.replace(distilled, distill=DistillConfig("t", unlabelled=share))


def test_a_share_without_unlabelled_sessions_is_refused_and_nothing_written(sessions, distilled, params, tmp_path):
    whole = load_corpus(sessions)
    config = dataclasses.replace(distilled, data=whole.hash)
    with refused("no-sessions"):
        loop.train(config, whole, tmp_path / "run", ((config.model, params[1]),))
    assert not (tmp_path / "run").exists()
