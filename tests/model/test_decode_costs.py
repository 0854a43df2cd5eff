"""What decoding costs, against what the compiler counts."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from semgjax.model import network, streaming
from semgjax.model.decode_costs import costs, pass_bytes, step_operations
from semgjax.model.encoder import PLAIN
from semgjax.model.presets import preset
from semgjax.model.streaming import _unrolled


def compiled(function, *shapes):
    return jax.jit(function, keep_unused=True).lower(*shapes).compile()


def signal(config, samples):
    return (
        jax.ShapeDtypeStruct((1, samples, config.channels), jnp.float32),
        jax.ShapeDtypeStruct((1, samples), jnp.bool_),
    )


def params_of(config):
    return jax.eval_shape(lambda: network.init(config, jax.random.key(0)))


def whole(config, samples):
    """The compiled pass over a signal; layers are unrolled, since the compiler counts the body of a loop once."""
    ops = PLAIN._replace(scan=_unrolled)

    def offline(params, emg, valid):
        return jax.nn.log_softmax(config.apply(params, emg, valid, None, "none", None, ops))

    return compiled(offline, params_of(config), *signal(config, samples))


def one_step(config):
    state = streaming.state_shapes(config)
    return compiled(
        lambda params, state, emg, valid: streaming.step(config, params, state, emg, valid),
        params_of(config),
        state,
        *signal(config, config.stride),
    )


def moved(program) -> int:
    memory = program.memory_analysis()
    return memory.argument_size_in_bytes + memory.output_size_in_bytes


# The least and the most of all operations that are products: small power front ends do little else than element-wise
# work on samples; a step also normalises the weights of the position embedding anew.
@pytest.mark.parametrize(
    ("name", "offline", "stream"), [("ladder-64", 0.93, 0.85), ("keys-64", 0.84, 0.78), ("keys-16", 0.35, 0.35)]
)
def test_operations_and_bytes_are_those_of_the_compiler(name, offline, stream):
    config = preset(name)
    # The difference of two lengths within the attention window: edges, where taps meet padding, are in both.
    short, long = (config.stride * frames for frames in (20, 40))
    passes = {samples: whole(config, samples) for samples in (short, long)}
    ours = config.flops(long) - config.flops(short)
    counted = passes[long].cost_analysis()["flops"] - passes[short].cost_analysis()["flops"]
    assert offline < ours / counted <= 1.0
    assert moved(passes[long]) == pytest.approx(pass_bytes(config, long), abs=100)  # the compiler's tuple of results

    step = one_step(config)
    assert stream < step_operations(config) / step.cost_analysis()["flops"] <= 1.0
    state = sum(part.size * part.dtype.itemsize for part in streaming.state_shapes(config))
    assert moved(step) == pytest.approx(pass_bytes(config, config.stride) + 2 * state, abs=1000)


def test_the_baseline_is_counted_offline_and_has_no_stream():
    config = dataclasses.replace(preset("tds"), features=96, conv_channels=(24, 24))
    short, long = (config.hop * frames for frames in (40, 80))
    ours = config.flops(long) - config.flops(short)
    counted = [whole(config, samples).cost_analysis()["flops"] for samples in (short, long)]
    assert 0.9 < ours / (counted[1] - counted[0]) <= 1.0
    found = costs(config, 10_000)
    assert (found.state_bytes, found.stream_operations, found.stream_bytes) == (None, None, None)


def test_a_second_of_signal_costs_what_its_passes_cost():
    config = preset("ladder-16")
    found = costs(config, 4990)  # rounded up to 125 frames
    assert found.parameters == network.count(config) and found.frames == 50.0
    assert found.offline_operations == pytest.approx(config.flops(5000) / 2.5)
    assert found.window_operations == pytest.approx(config.flops(5000) * 50)
    assert found.window_bytes == pytest.approx(50 * 2.5 * found.offline_bytes)
    # Beyond the attention window a frame more costs the same however long the signal is.
    assert found.stream_operations == pytest.approx((config.flops(80_000) - config.flops(40_000)) / 20)
    assert found.state_bytes == sum(part.nbytes for part in streaming.begin(config))
