"""The network as an int8 export computes it: its rounding, and gradients as if nothing were rounded."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model import network
from semgjax.model.int8_scheme import int8_weights, rounded
from semgjax.model.int8_training import apply_rounded
from semgjax.model.operations import AUTO
from semgjax.model.presets import preset
from tests.model.small import quick_jit, random_emg, random_params, small

CONFIG = small(layers=1)


def test_rounded_weights_are_those_of_the_files():
    weights = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
    for inner in ([0], [0, 1], [2]):
        whole, scale = int8_weights(weights, inner)
        np.testing.assert_allclose(rounded(jnp.asarray(weights), inner), whole * scale, rtol=1e-6, atol=1e-7)


def test_the_gradient_passes_the_rounding():
    weights = jnp.linspace(-1, 1, 12).reshape(3, 4)
    np.testing.assert_array_equal(jax.grad(lambda w: rounded(w, [0]).sum())(weights), jnp.ones((3, 4)))


@pytest.mark.parametrize(
    "config", [CONFIG, pytest.param(preset("keys-8"), marks=pytest.mark.slow)], ids=["convolutions", "power"]
)
def test_the_output_is_near_the_networks_and_so_is_its_gradient(config):
    params, emg = config.init(jax.random.key(0)), random_emg(2, 12, config)
    valid = jnp.ones(emg.shape[:2], bool)

    def loss(forward):
        return jax.value_and_grad(lambda p: (jax.nn.log_softmax(forward(p)) ** 2).mean())

    value, slope = quick_jit(loss(lambda p: network.apply(config, p, emg, valid)))(params)
    other, other_slope = quick_jit(loss(lambda p: apply_rounded(config, p, emg, valid, None, None, AUTO)))(params)
    assert 0 < abs(other - value) < 0.01 * value
    one, two = (np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for tree in (slope, other_slope))
    assert np.dot(one, two) / np.linalg.norm(one) / np.linalg.norm(two) > 0.99


def test_dropout_is_that_of_the_network():
    config = small(dropout=0.5, mask_share=0.5, layers=1)
    params, emg = random_params(config), random_emg(2, 12, config)
    valid, key, rows = jnp.ones(emg.shape[:2], bool), jax.random.key(1), jnp.arange(2)
    plain = quick_jit(lambda: network.apply(config, params, emg, valid, key, "none", rows))()
    found = quick_jit(lambda: apply_rounded(config, params, emg, valid, key, rows, AUTO))()
    assert np.corrcoef(np.ravel(found), np.ravel(plain))[0, 1] > 0.99
