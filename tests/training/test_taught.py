"""Runs whose loss has every term of a teacher: one executable, parts that add up, extra parameters that never leave."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.data.batching.batches import train_data
from semgjax.data.corpus import load_corpus
from semgjax.model import network
from semgjax.parallel.mesh import by_batch, make_mesh, replicated
from semgjax.training.criterion import line_metrics, loss_and_sums
from semgjax.training.distill_config import DistillConfig
from semgjax.training.distill_params import EXTRA
from semgjax.training.step import init_state, make_step, read_params, state_shapes
from semgjax.training.taught import Frames, share_of, taught
from tests.guides.toy_network import PowerNetwork
from tests.model.small import quick_jit
from tests.refused import refused
from tests.runs import MODEL, TRAIN, WINDOW, run_config

FULL = DistillConfig(
    "t", temperature=2.0, key_boost=1.0, divergence="js", frames="spikes", around=2, delay=2, guide=0.5, hard=0.5,
    intermediate=(1,), features=0.5, feature_width=MODEL.dim, schedule="linear", final_weight=0.1,
)  # fmt: skip


@pytest.fixture(scope="module")
def plain(sessions):
    return run_config(load_corpus(sessions))


@pytest.fixture(scope="module")
def config(plain):
    return dataclasses.replace(plain, distill=FULL)


@pytest.fixture(scope="module")
def batches(sessions, plain):
    data = train_data(load_corpus(sessions).train, plain.window, plain.augment, TRAIN.batch, TRAIN.seed)
    return [jax.device_put(data.batches[step], by_batch(make_mesh(TRAIN.batch))) for step in range(3)]


@pytest.fixture(scope="module")
def teacher():
    """Parameters whose likeliest class is a key in a third of the frames."""
    params = jax.jit(partial(network.init, MODEL))(jax.random.key(5))
    head = {"kernel": 5 * params["head"]["kernel"], "bias": jnp.zeros(99).at[-1].set(16.0)}
    return params | {"head": head}


@pytest.fixture(scope="module")
def student(config):
    return jax.jit(lambda: init_state(config)["params"])()


@pytest.fixture(scope="module")
def loss(config):
    """(params, batch, whole batch or None, teacher) -> ((loss, sums), gradients to params and teacher)"""

    def of(params, teacher_params, batch, whole):
        return loss_and_sums(config, params, batch, None, ((MODEL, teacher_params),), whole=whole)

    return quick_jit(jax.value_and_grad(of, (0, 1), has_aux=True))


def test_every_term_is_in_the_loss_and_no_gradient_reaches_the_teacher(config, loss, student, teacher, batches):
    (value, sums), (to_student, to_teacher) = loss(student, teacher, batches[0], None)
    found = {name: float(sums[name]) for name in ("kl", "hard", "guide", "features", "intermediate")}
    assert all(0 < each < np.inf for each in found.values())
    line = line_metrics(config, jax.device_get(sums), 1)
    assert line.items() >= {name: pytest.approx(value) for name, value in found.items()}.items()
    assert line["expected"] == int(sums["labels"]) and 0 < line["blank"] < 1
    assert 0 <= line["agreement"] < 1 and 0 < line["kl_spikes"] < np.inf
    assert sum(line["offsets"]) + line["unmatched"] > 0
    own = 0.5 * found["hard"] + 0.5 * float(sums["ctc"]) / float(sums["labels"])
    last = 0.9 * found["kl"] + 0.1 * own + 0.5 * found["guide"]
    assert float(value) == pytest.approx(0.7 * last + 0.3 * found["intermediate"] + 0.5 * found["features"], rel=1e-4)
    assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(to_teacher))
    for leaf in jax.tree.leaves({**to_student, "mask_vector": jnp.ones(1)}):
        assert np.isfinite(leaf).all() and np.asarray(leaf).any()


@pytest.mark.slow
def test_shares_of_the_loss_and_its_gradient_add_up_over_parts(loss, student, teacher, batches):
    whole = jax.device_get(batches[0])
    parts = [{name: rows[half::2] for name, rows in whole.items()} for half in range(2)]
    (value, sums), (gradient, _) = loss(student, teacher, whole, None)
    found = [loss(student, teacher, part, whole) for part in parts]
    assert sum(float(one[0][0]) for one in found) == pytest.approx(float(value), rel=1e-4)
    for name in ("kl", "hard", "guide", "features", "intermediate"):
        assert sum(float(one[0][1][name]) for one in found) == pytest.approx(float(sums[name]), rel=1e-4)
    together = jax.tree.map(jnp.add, *(one[1][0] for one in found))
    for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(gradient), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3 * float(np.abs(b).max()) + 1e-7)


def test_rows_with_more_labels_than_frames_leave_every_term_finite(loss, student, teacher, batches):
    crowded = jax.device_get(batches[0])
    room = 2 * WINDOW.length // MODEL.stride
    labels = np.full((TRAIN.batch, room), 5, np.int32)
    (value, sums), (gradient, _) = loss(
        student, teacher, {**crowded, "labels": labels, "label_count": np.full(TRAIN.batch, room, np.int32)}, None
    )
    assert int(sums["infeasible"]) == TRAIN.batch and float(sums["kl"]) > 0
    assert np.isfinite(value) and all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@pytest.mark.slow
def test_one_executable_serves_ragged_batches_and_the_share_of_the_teacher_moves(config, teacher, batches):
    mesh = make_mesh(TRAIN.batch)
    step = make_step(config, mesh, (MODEL,))
    state = jax.jit(lambda: init_state(config), out_shardings=replicated(mesh))()
    before = jax.device_get(state["params"][EXTRA])
    known = jax.device_put((teacher,), replicated(mesh))
    for batch in batches:
        state, sums = step(state, batch, known)
        assert np.isfinite(float(sums["loss"])) and np.isfinite(float(sums["gradient_norm"]))
    assert step._cache_size() == 1
    moved = jax.tree.map(lambda a, b: bool(np.any(np.asarray(a) != b)), state["params"][EXTRA], before)
    assert all(jax.tree.leaves(moved))


@pytest.mark.parametrize("frames", ["all", "blank", "spikes", "entropy"])
@pytest.mark.parametrize("divergence", ["forward", "reverse", "js"])
def test_a_student_that_is_its_teacher_has_no_divergence_under_any_choice(frames, divergence):
    x = np.random.default_rng(0).normal(0, 3, (2, 9, 6)).astype(np.float32)
    valid = np.ones((2, 9), bool)
    options = DistillConfig("t", frames=frames, divergence=divergence, delay=2)
    value, sums = taught(options, 0.9, x, x, Frames(valid, valid), jnp.float32(2.0))
    assert float(sums["kl"]) == pytest.approx(0.0, abs=1e-6)
    assert float(value) == pytest.approx(0.2, abs=1e-6)


def test_the_share_of_the_teacher_moves_from_weight_to_final_weight():
    options = DistillConfig("t", weight=0.8, final_weight=0.2, schedule="cosine")
    assert [float(share_of(options, step, 5)) for step in (0, 2, 4)] == pytest.approx([0.8, 0.5, 0.2])
    assert share_of(DistillConfig("t", weight=0.8), 3, 5) == 0.8


def test_extra_parameters_are_neither_read_nor_counted_and_change_no_others(plain, config):
    averaged = dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, average=0.9))
    states = [quick_jit(partial(init_state, each))() for each in (plain, averaged)]
    own, read = states[0]["params"], read_params(states[1])
    assert EXTRA in states[1]["average"] and set(states[1]["params"][EXTRA]) == {"layer1", "projector"}
    assert jax.tree.structure(own) == jax.tree.structure(read)
    for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(read), strict=True):
        np.testing.assert_array_equal(a, b)
    assert sum(leaf.size for leaf in jax.tree.leaves(read)) == network.count(MODEL)


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"distill": DistillConfig("t", intermediate=(MODEL.layers,))}, "bad-value", f"intermediate {MODEL.layers}"),
        ({"distill": DistillConfig("t", features=1.0)}, "bad-value", "feature_width 0"),
        ({"model": PowerNetwork(), "distill": DistillConfig("t", features=1.0)}, "conflict", "'power'"),
    ],
)
def test_hidden_frames_that_are_not_there_are_refused_before_a_run_starts(plain, changes, code, named):
    with refused(code, named):
        state_shapes(dataclasses.replace(plain, **changes))
