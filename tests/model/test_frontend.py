"""The front end against plain definitions: a loop over time, group norm."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model.encoder import time_norm
from semgjax.model.running import rolling_sum
from tests.model.small import quick_jit, small

RNG = np.random.default_rng


@pytest.mark.parametrize("time", [1, 7, 8, 9, 30])
def test_the_rolling_sum_is_its_recursion_whatever_the_length(time):
    x = RNG(time).normal(size=(2, time, 3)).astype(np.float32)
    wanted, state = np.zeros((2, time, 3)), np.zeros((2, 3))
    for t in range(time):
        state = wanted[:, t] = 0.9 * state + x[:, t]
    np.testing.assert_allclose(quick_jit(lambda x: rolling_sum(x, 0.9, block=8))(x), wanted, rtol=1e-5, atol=1e-5)


def test_the_rolling_sum_of_a_long_input_is_its_recursion():
    x = RNG(0).normal(size=(1, 150, 1)).astype(np.float32)
    wanted = np.array([sum(0.99 ** (t - s) * x[0, s, 0] for s in range(t + 1)) for t in range(150)])
    np.testing.assert_allclose(quick_jit(lambda x: rolling_sum(x, 0.99))(x)[0, :, 0], wanted, rtol=1e-5, atol=1e-5)


NORM_PARAMS = {"scale": np.array([0.5, 1.0, 2.0], np.float32), "bias": np.array([0.1, -1, 0], np.float32)}


def norm_of(norm: str):
    """The norm with frames of four steps and a decay of 0.8 a frame."""
    config = small(norm=norm, conv_strides=(1, 4), conv_kernels=(5, 4), norm_seconds=0.01)
    return lambda x, valid: time_norm(config, NORM_PARAMS, x, valid)


def normalised(norm: str, x: np.ndarray, valid: np.ndarray) -> np.ndarray:
    return np.asarray(quick_jit(norm_of(norm))(x, valid))


def signal_with_gaps(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """x [2, 24, 3] with an offset; valid: padding on both sides that ends inside a frame, a gap, an empty frame."""
    x = RNG(seed).normal(0.3, 2.0, (2, 24, 3)).astype(np.float32)
    valid = np.ones((2, 24), bool)
    valid[0, :9], valid[0, 22:], valid[1, 10:16] = False, False, False
    return x, valid


def test_the_rolling_norm_is_its_loop_over_frames():
    x, valid = signal_with_gaps()
    scale, bias = NORM_PARAMS["scale"], NORM_PARAMS["bias"]
    wanted = np.zeros(x.shape)
    for row in range(2):
        count, first, second = 0.0, np.zeros(3), np.zeros(3)
        for frame in range(6):
            steps = [t for t in range(4 * frame, 4 * frame + 4) if valid[row, t]]
            values = x[row, steps].astype(np.float64)
            count = 0.8 * count + len(steps)
            first, second = 0.8 * first + values.sum(0), 0.8 * second + (values**2).sum(0)
            if steps:
                variance = np.maximum(second / count - (first / count) ** 2, 1e-3 * second / count)
                wanted[row, steps] = (values - first / count) / np.sqrt(variance + 1e-5) * scale + bias
    np.testing.assert_allclose(normalised("rolling", x, valid), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("steps", [1, 2])
def test_the_first_steps_of_a_row_have_no_steeper_gradient_than_the_others(steps):
    x = RNG(0).normal(0, 300, (20, 24, 3)).astype(np.float32)
    valid = np.ones((20, 24), bool)
    valid[:, : 4 - steps] = False  # the first frame has these steps alone, whose spread is that of rounding
    x[:, :4] = 300 + x[:, :1] / 100
    upstream = RNG(1).normal(size=x.shape).astype(np.float32)
    gradient = np.asarray(quick_jit(jax.grad(lambda x: (norm_of("rolling")(x, valid) * upstream).sum()))(x))
    assert np.abs(gradient[:, :4]).max() < 100 * np.abs(gradient[:, 8:]).max()


@pytest.mark.parametrize("norm", ["rolling", "window"])
def test_invalid_samples_have_no_influence_and_come_out_as_zero(norm):
    x, valid = signal_with_gaps()
    garbage = np.where(valid[..., None], x, 1000 * RNG(1).normal(size=x.shape)).astype(np.float32)
    found = normalised(norm, x, valid)
    np.testing.assert_array_equal(normalised(norm, garbage, valid), found)
    assert not found[~valid].any()
    assert found[valid].all()


def test_the_window_norm_is_group_norm_of_the_valid_part_with_a_group_per_channel():
    x, valid = signal_with_gaps()
    reference = nn.GroupNorm(num_groups=None, group_size=1, epsilon=1e-5)
    found = normalised("window", x, valid)
    for row in range(2):
        part = jnp.asarray(x[row, valid[row]])[None]
        wanted = reference.apply({"params": NORM_PARAMS}, part)
        np.testing.assert_allclose(found[row, valid[row]], wanted[0], rtol=1e-4, atol=1e-4)
