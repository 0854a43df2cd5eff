"""AdamW's three parts that are ours: which leaves decay, the schedule's shape, and the clipped gradient."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model import encoder, network
from semgjax.model.presets import preset
from semgjax.training.optimizer import decay_mask, make_optimizer, schedule
from semgjax.training.run_config import OptimizerConfig

PARAMS = {
    "conv0": {"kernel": jnp.full((3, 2), 2.0)},
    "norm": {"scale": jnp.full(2, 2.0), "bias": jnp.full(2, 2.0)},
    "position": {"direction": jnp.full((4, 2), 2.0), "gain": jnp.full(4, 2.0)},
    "mask_vector": jnp.full(2, 2.0),
}


def names(tree, value) -> set[str]:
    flat = jax.tree_util.tree_leaves_with_path(tree)
    return {path[-1].key for path, leaf in flat if leaf == value}


def test_exactly_kernels_and_directions_decay():
    params = jax.eval_shape(lambda: encoder.init(preset("ladder-16"), jax.random.key(0)))
    mask = decay_mask(params)
    assert jax.tree.structure(mask) == jax.tree.structure(params)
    assert names(mask, True) == {"kernel", "direction"}
    assert names(mask, False) == {"bias", "scale", "gain", "mask_vector"}
    # Layers are stacked: their biases have two dimensions and must not be taken for matrices.
    assert params["layers"]["attention"]["qkv"]["bias"].ndim == 2
    assert mask["layers"]["attention"]["qkv"] == {"kernel": True, "bias": False}


def test_of_the_baseline_exactly_its_kernels_decay():
    mask = decay_mask(jax.eval_shape(lambda: network.init(preset("tds"), jax.random.key(0))))
    assert names(mask, True) == {"kernel"}
    assert names(mask, False) == {"bias", "scale", "norm_scale", "norm_bias"}


def test_without_a_gradient_only_the_decayed_leaves_move_and_toward_zero():
    config = OptimizerConfig(learning_rate=0.1, warmup=0.0, decay=0.5)
    optimizer = make_optimizer(config, 10, 4, preset("ladder-16"))
    state = optimizer.init(PARAMS)
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    _, state = optimizer.update(zeros, state, PARAMS)  # the first rate is 0
    updates, _ = optimizer.update(zeros, state, PARAMS)
    np.testing.assert_allclose(updates["conv0"]["kernel"], -0.1 * 0.5 * 2.0, rtol=1e-6)
    np.testing.assert_allclose(updates["position"]["direction"], -0.1 * 0.5 * 2.0, rtol=1e-6)
    for leaf in (*updates["norm"].values(), updates["position"]["gain"], updates["mask_vector"]):
        assert not np.asarray(leaf).any()


def test_the_rate_rises_to_its_peak_at_warm_up_and_falls_to_zero_at_the_last_step():
    rate = schedule(OptimizerConfig(learning_rate=3e-3, warmup=0.1), steps=100, batch=4)
    values = np.array([float(rate(step)) for step in range(101)])
    assert values[0] == 0 and values[100] == 0
    assert np.argmax(values) == 10 and values[10] == pytest.approx(3e-3)
    assert (np.diff(values[:11]) > 0).all() and (np.diff(values[10:]) < 0).all()
    np.testing.assert_allclose(np.diff(values[:11]), 3e-4, rtol=1e-5)  # a straight line
    assert values[55] == pytest.approx(1.5e-3)  # half way down the cosine


@pytest.mark.parametrize("steps", [1, 2])
def test_the_shortest_runs_have_a_finite_schedule(steps):
    rate = schedule(OptimizerConfig(warmup=0.05), steps, 4)
    assert all(np.isfinite(float(rate(step))) for step in range(steps + 1))


def test_a_long_gradient_is_cut_to_the_clip_and_a_short_one_is_left():
    optimizer = make_optimizer(OptimizerConfig(clip=1.0, beta1=0.5), 10, 4, preset("ladder-16"))

    def first_moment(size):
        gradient = jax.tree.map(jnp.zeros_like, PARAMS) | {"mask_vector": jnp.array([3.0, 4.0]) * size}
        _, state = optimizer.update(gradient, optimizer.init(PARAMS), PARAMS)
        moments = [x for x in jax.tree.leaves(state) if getattr(x, "shape", None) == (2,)]
        return np.asarray(next(x for x in moments if np.asarray(x).any()))

    np.testing.assert_allclose(first_moment(100.0), [0.3, 0.4], rtol=1e-6)  # (1 - beta1) of length 1
    np.testing.assert_allclose(first_moment(0.1), [0.15, 0.2], rtol=1e-6)


def test_wsd_stays_at_its_peak_and_falls_along_a_line_over_the_last_share():
    config = OptimizerConfig(learning_rate=2e-3, warmup=0.1, schedule="wsd", cooldown=0.2)
    values = np.array([float(schedule(config, steps=100, batch=4)(step)) for step in range(101)])
    assert values[0] == 0 and values[100] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(values[10:81], 2e-3, rtol=1e-6)
    np.testing.assert_allclose(np.diff(values[80:]), -1e-4, rtol=1e-3)
    longer = schedule(dataclasses.replace(config, warmup=0.05), steps=200, batch=4)
    np.testing.assert_allclose([float(longer(step)) for step in range(81)], values[:81])  # the same beginning
