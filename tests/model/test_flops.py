"""Counted operations against those that the compiler counts."""

import functools

import jax
import jax.numpy as jnp
import pytest

from semgjax.model import network
from semgjax.model.config import ModelConfig, Network, TDSConfig
from semgjax.model.flops import forward_flops, train_flops
from semgjax.model.operations import REFERENCE
from semgjax.model.presets import PAPER, ladder
from tests.model.small import small

# One layer each: the compiler counts the body of a loop once.
ONE_LAYER = ModelConfig(
    conv_widths=(32, 32),
    conv_kernels=(8, 4),
    conv_strides=(4, 4),
    dim=64,
    layers=1,
    heads=4,
    position_kernel=32,
    position_groups=4,
    attention_window=None,
    emission_delay=0,
)


def counted_by_the_compiler(config: Network, samples: int) -> float:
    emg = jax.ShapeDtypeStruct((1, samples, config.channels), jnp.float32)
    valid = jax.ShapeDtypeStruct((1, samples), jnp.bool_)
    forward = jax.jit(functools.partial(network.apply, config, kernels=REFERENCE))  # others have zeros besides
    params = jax.eval_shape(functools.partial(network.init, config), jax.random.key(0))
    return forward.lower(params, emg, valid).cost_analysis()["flops"]


@pytest.mark.parametrize("frames", [64, 512])
def test_forward_flops_are_within_15_percent_of_the_compilers(frames):
    """Attention's own products are a twentieth of all with 64 frames, and a third with 512."""
    samples = frames * ONE_LAYER.stride
    assert forward_flops(ONE_LAYER, samples) == pytest.approx(counted_by_the_compiler(ONE_LAYER, samples), rel=0.15)


@pytest.mark.parametrize("blocks", [1, 4])
def test_the_baselines_forward_flops_are_within_5_percent_of_the_compilers(blocks):
    config = TDSConfig(conv_channels=(24,) * blocks)
    assert forward_flops(config, 1600) == pytest.approx(counted_by_the_compiler(config, 1600), rel=0.05)


def test_every_layer_costs_the_same():
    costs = [forward_flops(small(layers=layers), 800) for layers in (1, 2, 7)]
    assert costs[2] - costs[0] == 6 * (costs[1] - costs[0]) > 0


def test_a_bounded_window_costs_the_same_for_every_further_frame_and_twice_when_it_looks_both_ways():
    costs = [forward_flops(small(attention_window=3), frames * 8) for frames in (10, 20, 30)]
    assert costs[2] - costs[1] == costs[1] - costs[0]
    both, one = (forward_flops(small(attention_window=3, causal=causal), 800) for causal in (False, True))
    assert both - one == 2 * 2 * 100 * 2 * 8 * 2  # layers, products, frames, further keys, width, multiply and add


def test_a_window_longer_than_the_input_costs_as_much_as_none():
    assert forward_flops(small(attention_window=200), 800) == forward_flops(small(attention_window=None), 800)


def test_a_training_step_costs_three_forwards_and_the_teachers_one():
    student, teacher = ladder(16), ladder(64)
    alone = train_flops(student, 4000)
    assert alone == 3 * forward_flops(student, 4000)
    assert train_flops(student, 4000, (teacher,)) == alone + forward_flops(teacher, 4000)


def test_cost_does_not_follow_from_parameters_alone():
    """Small has over twice the parameters of tiny, and less than twice its cost: the front end is the same."""
    tiny, small_ = (forward_flops(PAPER[name], 10_000) for name in ("tiny", "small"))
    assert 1 < small_ / tiny < 5_388_387 / 2_217_827
