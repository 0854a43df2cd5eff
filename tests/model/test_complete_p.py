"""CompleteP: at its base it is the standard network; factors follow a tensor's inputs and the depth."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.model import encoder, network
from semgjax.model.complete_p import Factors, factors, logit_scale, output_scale, residual_scale
from semgjax.model.presets import preset
from semgjax.training.optimizer import make_optimizer
from semgjax.training.run_config import OptimizerConfig


def scaled(name, **changes):
    return dataclasses.replace(preset(name), parametrization="completep", **changes)


def params_of(config):
    return network.init(config, jax.random.key(0))


def shapes_of(config):
    return jax.eval_shape(lambda: params_of(config))


@pytest.mark.parametrize("name", ["keys-64", "ladder-64", "gesture-64"])
def test_at_its_base_it_is_the_standard_network(name):
    base, plain = scaled(name), preset(name)
    assert {float(x) for x in jax.tree.leaves(factors(base, shapes_of(base)))} == {1.0}
    emg = jax.random.normal(jax.random.key(1), (1, 20 * base.stride, base.channels))
    valid = jnp.ones(emg.shape[:2], bool)
    params = params_of(plain)
    np.testing.assert_array_equal(encoder.apply(base, params, emg, valid), encoder.apply(plain, params, emg, valid))


def test_it_begins_as_the_base_but_for_branches_that_begin_at_zero():
    base, plain = params_of(scaled("keys-64")), params_of(preset("keys-64"))
    for last in (
        (base["layers"]["attention"], plain["layers"]["attention"], "out"),
        (base["layers"], plain["layers"], "contract"),
    ):
        ours, theirs, name = last
        assert not np.asarray(ours[name]["kernel"]).any() and np.asarray(theirs[name]["kernel"]).any()
        ours[name]["kernel"] = theirs[name]["kernel"]
    jax.tree.map(lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-6), base, plain)


def test_a_wide_network_begins_with_the_base_s_variances():
    wide = params_of(scaled("keys-256", heads=8))
    assert float(wide["head"]["kernel"].std()) == pytest.approx(64**-0.5, rel=0.02)
    assert float(wide["layers"]["expand"]["kernel"].std()) == pytest.approx(256**-0.5, rel=0.02)
    groups = params_of(scaled("keys-256", position_groups=4))["position"]["direction"]  # 64 inputs a group, 16 taps
    assert float(groups.std()) == pytest.approx((16 * 64) ** -0.5, rel=0.02)


def test_factors_follow_inputs_and_depth():
    config = scaled("keys-256", layers=12, base_dim=64, base_layers=3)
    found = factors(config, shapes_of(config))
    wide, deep = 4.0, 4.0
    layer = Factors(1 / wide, 1 / (wide * deep), wide)
    for part in (found["layers"]["attention"]["qkv"], found["layers"]["contract"]):
        assert part["kernel"] == layer
        assert part["bias"] == Factors(1.0, 1 / (wide * deep), 1.0)
    assert found["project"]["kernel"] == Factors(1 / wide, 1 / wide, wide)
    assert found["frontend"]["ring0"]["kernel"] == Factors(1.0, 1 / wide, 1.0)
    assert found["head"]["kernel"] == Factors(1.0, 1.0, 1.0)
    assert found["position"]["direction"] == Factors(1.0, 1 / wide, 1.0)  # groups of 16, as in the base
    assert found["norm_out"]["scale"].rate == 1.0
    assert residual_scale(config) == 1 / deep and output_scale(config) == 1 / wide


def test_convolutions_follow_the_channels_that_they_read():
    config = scaled("ladder-256")
    found = factors(config, shapes_of(config))["frontend"]
    assert found["conv0"]["kernel"].rate == 1.0
    assert found["conv1"]["kernel"].rate == pytest.approx(48 / 144)
    groups = scaled("ladder-64", position_groups=1)
    assert factors(groups, shapes_of(groups))["position"]["direction"].width == 4.0


def test_logits_are_divided_by_the_width_of_a_head_that_grows():
    assert logit_scale(scaled("keys-256")) == 1.0
    assert logit_scale(scaled("keys-256", heads=2)) == 0.5  # 1 / sqrt(128) becomes sqrt(32) / 128
    assert logit_scale(dataclasses.replace(preset("keys-256"), heads=2)) == 1.0


def test_fixed_gains_do_not_move_and_others_do():
    config = scaled("keys-16", gains="fixed")
    params = params_of(config)
    optimizer = make_optimizer(OptimizerConfig(warmup=0.0), 10, 4, config)
    gradient = jax.tree.map(jnp.ones_like, params)
    _, state = optimizer.update(gradient, optimizer.init(params), params)
    updates, _ = optimizer.update(gradient, state, params)
    assert not np.asarray(updates["norm_out"]["scale"]).any()
    assert not np.asarray(updates["layers"]["norm_attention"]["scale"]).any()
    assert np.asarray(updates["norm_out"]["bias"]).all()


def test_rate_epsilon_and_decay_of_a_step_are_scaled():
    config = scaled("keys-128", layers=6)
    params = params_of(config)
    rate, decay = 1e-2, 0.5
    optimizer = make_optimizer(OptimizerConfig(learning_rate=rate, decay=decay, warmup=0.0, clip=1e9), 10**6, 4, config)
    small = jax.tree.map(lambda x: jnp.full(x.shape, 1e-9), params)  # a tenth of epsilon
    _, state = optimizer.update(small, optimizer.init(params), params)
    updates, _ = optimizer.update(small, state, params)

    def expected(leaf, wide, epsilon, decays):
        return -rate * (1e-9 / (1e-9 + 1e-8 * epsilon) / wide + decays * decay * np.asarray(leaf))

    for path, wide, epsilon, decays in (
        (("layers", "expand", "kernel"), 2.0, 1 / 4, True),
        (("layers", "expand", "bias"), 1.0, 1 / 4, False),
        (("head", "kernel"), 1.0, 1.0, True),
        (("frontend", "ring0", "kernel"), 1.0, 1 / 2, True),
    ):
        leaf, update = params, updates
        for part in path:
            leaf, update = leaf[part], update[part]
        np.testing.assert_allclose(update, expected(leaf, wide, epsilon, decays), rtol=2e-4, atol=1e-8)


def test_standard_networks_have_no_factors_and_no_base():
    plain = preset("keys-128")
    assert {float(x) for x in jax.tree.leaves(factors(plain, shapes_of(plain)))} == {1.0}
    for change in ({"base_dim": 32}, {"base_layers": 2}, {"gains": "fixed"}):
        with pytest.raises(InputError) as error:
            dataclasses.replace(plain, **change)
        assert error.value.code == "conflict"
    with pytest.raises(InputError):
        scaled("keys-64", base_dim=0)
