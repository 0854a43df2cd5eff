"""Hidden frames of a network: those that its layers pass on, with the logits unchanged; and networks without."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model import encoder, network, tds
from semgjax.model.config import TDSConfig
from tests.guides.toy_network import PowerNetwork
from tests.model.small import quick_jit, small
from tests.refused import refused

BASELINE = TDSConfig(features=12, conv_channels=(4, 4), kernel=3, emission_delay=32)
FRAMES = 6


@pytest.fixture(scope="module", params=[small(dropout=0.0), BASELINE], ids=["transformer", "baseline"])
def found(request):
    """(config, parameters, logits of apply, logits and frames of hidden)"""
    config, emg = (
        request.param,
        jnp.asarray(np.random.default_rng(0).normal(0, 14, (2, FRAMES * request.param.stride, 32)), jnp.float32),
    )
    valid = jnp.ones(emg.shape[:2], bool)
    params = quick_jit(lambda: network.init(config, jax.random.key(0)))()

    @quick_jit
    def both(params):
        key = jax.random.key(1)
        return network.apply(config, params, emg, valid, key), *network.hidden(config, params, emg, valid, key)

    return config, params, *both(params)


def test_the_logits_are_those_of_the_network_and_the_head_reads_the_last_frames(found):
    config, params, logits, same, hidden = found
    np.testing.assert_array_equal(logits, same)
    assert (hidden.shape[0], hidden.shape[-1]) == network.hidden_shape(config)
    assert hidden.shape[:3] == (2, 2, FRAMES)
    np.testing.assert_allclose(encoder.dense(params["head"], hidden[-1]), logits, rtol=1e-4, atol=1e-4)


def test_each_layer_takes_the_frames_before_it(found):
    config, params, _, _, hidden = found
    if config is BASELINE:
        block = tds.Block(config.conv_channels[1], config.kernel, encoder.PLAIN)
        after = block.apply({"params": params["block1"]}, hidden[0])
    else:
        second = jax.tree.map(lambda leaf: leaf[1], params["layers"])
        config = type(config)(**(vars(config) | {"dropout": 0.0}))
        valid, rows = jnp.ones((2, FRAMES), bool), jnp.arange(2)
        x = encoder.layer(config, second, hidden[0], valid, rows, None, encoder.PLAIN)
        after = encoder.layer_norm(x, **params["norm_out"])
    np.testing.assert_allclose(after, hidden[1], rtol=1e-3, atol=1e-3)


def test_a_network_without_hidden_frames_says_so():
    with refused("conflict", "'power'"):
        network.hidden_shape(PowerNetwork())
