"""The train step: one executable whatever the data, the state it changes, and the distilled loss at its ends."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.data.batching.batches import train_data
from semgjax.data.corpus import load_corpus
from semgjax.losses.diagnostics import DIAGNOSTICS
from semgjax.model import encoder
from semgjax.parallel.mesh import by_batch, make_mesh, place_batch, replicated
from semgjax.training.criterion import loss_and_sums
from semgjax.training.distill_config import DistillConfig
from semgjax.training.step import average_rate, init_state, make_step, read_params
from tests.golden_files import check_golden_numbers
from tests.parallel import layouts
from tests.runs import MODEL, TRAIN, WINDOW, run_config


@pytest.fixture(scope="module")
def config(sessions):
    return run_config(load_corpus(sessions))


@pytest.fixture(scope="module")
def batches(sessions, config):
    data = train_data(load_corpus(sessions).train, config.window, config.augment, TRAIN.batch, TRAIN.seed)
    return [jax.device_put(data.batches[step], by_batch(make_mesh(TRAIN.batch))) for step in range(4)]


@pytest.fixture(scope="module")
def distilled(config):
    return dataclasses.replace(config, distill=DistillConfig("t", temperature=2.0, weight=0.9, key_boost=3.0))


@pytest.fixture(scope="module")
def losses(distilled):
    """(params, batch, teacher's params) -> (loss, sums), compiled once for the distilled loss."""
    teacher = distilled.model
    return jax.jit(lambda p, batch, t: loss_and_sums(distilled, p, batch, None, ((teacher, t),)))


_init = jax.jit(partial(encoder.init, MODEL))


def fresh(seed: int):
    return _init(jax.random.key(seed))


def first_state(config):
    return jax.jit(lambda: init_state(config), out_shardings=replicated(make_mesh(TRAIN.batch)))()


@pytest.mark.slow
def test_a_student_that_is_its_teacher_has_no_divergence_and_ctc_alone_is_left(losses, batches):
    params = fresh(0)
    loss, sums = losses(params, batches[0], params)
    assert abs(float(sums["kl"])) < 1e-6
    per_label = float(sums["ctc"]) / float(sums["labels"])
    assert float(loss) == pytest.approx(0.1 * per_label, rel=1e-5)


@pytest.mark.slow
def test_another_teacher_is_felt(losses, batches):
    loss, sums = losses(fresh(0), batches[0], fresh(1))
    assert float(sums["kl"]) > 0.01
    per_label = float(sums["ctc"]) / float(sums["labels"])
    assert float(loss) == pytest.approx(0.9 * float(sums["kl"]) + 0.1 * per_label, rel=1e-5)


def test_no_gradient_reaches_the_teacher(distilled, batches):
    def loss(teacher_params, params):
        return loss_and_sums(distilled, params, batches[0], None, ((distilled.model, teacher_params),))[0]

    gradient = jax.jit(jax.grad(loss))(fresh(1), fresh(0))
    assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(gradient))


def test_sums_count_what_the_batch_holds(losses, batches):
    params = fresh(0)
    for batch in batches:
        _, sums = losses(params, batch, params)
        assert int(sums["labels"]) == batch["label_count"].sum()
        assert (int(sums["rows"]), int(sums["infeasible"])) == (TRAIN.batch, 0)


def test_a_row_with_more_labels_than_frames_is_counted_and_left_out(losses, batches):
    params = fresh(0)
    few = jax.device_get(batches[0])
    room = few["labels"].shape[1]
    # One label over and over needs a blank between any two: 2 n - 1 frames.
    many = 2 * WINDOW.length // MODEL.stride
    labels = np.zeros((TRAIN.batch, many), np.int32)
    labels[:, :room] = few["labels"]
    wide = {**few, "labels": labels}
    crowded = {**wide, "labels": labels.copy(), "label_count": few["label_count"].copy()}
    crowded["labels"][0], crowded["label_count"][0] = 5, many
    _, sums = losses(params, crowded, params)
    _, usual = losses(params, wide, params)
    assert (int(sums["infeasible"]), int(sums["rows"])) == (1, TRAIN.batch)
    assert int(sums["labels"]) == int(usual["labels"]) - few["label_count"][0]
    assert 0 < float(sums["ctc"]) < float(usual["ctc"])


def test_one_executable_serves_every_step_of_ragged_data(config, batches):
    assert len({tuple(np.asarray(batch["label_count"])) for batch in batches}) > 1  # rows do differ in length
    step = make_step(config, make_mesh(TRAIN.batch))
    state = first_state(config)
    for batch in batches:
        state, _ = step(state, batch, ())
    assert step._cache_size() == 1
    assert int(state["step"]) == len(batches)


def test_a_step_is_a_function_of_the_state_and_the_batch(config, batches):
    step = make_step(config, make_mesh(TRAIN.batch))
    ends = []
    for _ in range(2):
        state = first_state(config)
        for batch in batches:
            state, _ = step(state, batch, ())
        ends.append([np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(state)])
    assert ends[0] == ends[1]


def test_dropout_and_masks_are_drawn_anew_at_every_step(config, batches):
    step = make_step(config, make_mesh(TRAIN.batch))
    losses = []
    for number in (0, 0, 1):
        state = first_state(config)
        state["step"] = state["step"] + number
        losses.append(float(step(state, batches[0], ())[1]["loss"]))
    assert losses[0] == losses[1] != losses[2]


def test_losses_and_gradients_stay_float32_when_activations_do_not(distilled, batches):
    config = dataclasses.replace(distilled, train=dataclasses.replace(TRAIN, compute="bfloat16"))
    params = jax.eval_shape(fresh, 0)

    def objective(p, batch):
        return loss_and_sums(config, p, batch, jax.random.key(0), ((config.model, p),))

    (loss, sums), gradient = jax.eval_shape(jax.value_and_grad(objective, has_aux=True), params, batches[0])
    assert {str(x.dtype) for x in (loss, sums["ctc"], sums["kl"], *jax.tree.leaves(gradient))} == {"float32"}


def test_the_first_state_comes_from_the_seed_alone(config):
    state = first_state(config)
    kernel, same, other = (p["project"]["kernel"] for p in (state["params"], fresh(TRAIN.seed), fresh(TRAIN.seed + 1)))
    np.testing.assert_allclose(kernel, same, rtol=1e-6)
    assert not np.allclose(kernel, other)
    assert int(state["step"]) == 0
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(state)} == {"float32", "int32"}


@pytest.mark.slow
def test_the_sums_of_the_first_step_are_the_golden_ones(request):
    config, mesh = layouts.config(accumulate=1), make_mesh(layouts.BATCH)  # without dropout
    _, sums = make_step(config, mesh)(first_state(config), place_batch(mesh, layouts.noise()), ())
    found = {name: float(value) for name, value in sorted(sums.items()) if name not in DIAGNOSTICS}
    check_golden_numbers(request, "first_step_ladder_16.json", found, rtol=1e-4)


@pytest.mark.slow
def test_a_running_average_follows_the_parameters_faster_at_first(config, batches):
    averaged = dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, average=0.99))
    assert [float(average_rate(0.99, jnp.asarray(step))) for step in (0, 10, 10**6)] == pytest.approx([0.1, 0.55, 0.99])
    step = make_step(averaged, make_mesh(TRAIN.batch))
    state = first_state(averaged)
    expected = jax.device_get(state["average"])
    for number, batch in enumerate(batches[:2]):
        state, _ = step(state, batch, ())
        rate = (1 + number) / (10 + number)
        params = jax.device_get(state["params"])
        expected = jax.tree.map(lambda old, p, rate=rate: rate * old + (1 - rate) * p, expected, params)
    assert read_params(state) is state["average"]
    for one, other in zip(jax.tree.leaves(state["average"]), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_shares_of_a_distilled_loss_add_up_to_the_loss_of_the_batch(distilled, batches):
    """What accumulation relies on; without a key no dropout is drawn."""
    teachers = ((distilled.model, fresh(1)),)
    loss = jax.jit(lambda p, part, whole: loss_and_sums(distilled, p, part, None, teachers, whole=whole)[0])
    whole = jax.device_get(batches[0])
    parts = [{name: rows[half::2] for name, rows in whole.items()} for half in range(2)]
    together = sum(float(loss(fresh(0), part, whole)) for part in parts)
    assert together == pytest.approx(float(loss(fresh(0), whole, None)), rel=1e-5)
