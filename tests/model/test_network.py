"""The one place that tells networks apart: each configuration gets its own network, its size and its gradients."""

import jax
import numpy as np
import pytest

from semgjax.model import encoder, network, tds
from semgjax.model.config import TDSConfig
from semgjax.model.presets import preset
from tests.model.small import SMALL, quick_jit, random_emg

BASELINE = TDSConfig(features=12, conv_channels=(4, 4), kernel=3, emission_delay=32)


@pytest.mark.parametrize(("config", "module"), [(SMALL, encoder), (BASELINE, tds)], ids=["transformer", "tds"])
def test_a_configuration_gets_its_own_networks_parameters_and_logits(config, module):
    key = jax.random.key(3)
    emg = random_emg(2, 6, config)
    valid = np.ones(emg.shape[:2], bool)

    def both():
        ours, theirs = network.init(config, key), module.init(config, key)
        logits = [each.apply(config, theirs, emg, valid, jax.random.key(1)) for each in (network, module)]
        return (ours, logits[0]), (theirs, logits[1])

    found, wanted = quick_jit(both)()
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    jax.tree.map(np.testing.assert_array_equal, found[0], wanted[0])
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-3, atol=1e-3)  # the module's own forms are the plain ones
    assert network.count(config) == sum(leaf.size for leaf in jax.tree.leaves(wanted[0]))


def test_sizes_are_told_without_making_parameters():
    assert network.count(preset("tds")) == 5_293_315
    assert network.count(preset("tiny")) == 2_217_827


@pytest.mark.slow
@pytest.mark.parametrize("config", [BASELINE, SMALL], ids=["baseline", "transformer"])
def test_what_is_computed_again_leaves_gradients_as_they_are(config):
    emg = random_emg(2, 6, config)
    valid = np.ones(emg.shape[:2], bool)

    def gradient(remat):
        def loss(params):
            return (network.apply(config, params, emg, valid, jax.random.key(1), remat) ** 2).sum()

        return jax.grad(loss)(network.init(config, jax.random.key(0)))

    cheap, layers = (quick_jit(lambda remat=remat: gradient(remat))() for remat in ("cheap", "layers"))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), layers, cheap)
    products = [
        str(jax.make_jaxpr(lambda remat=remat: gradient(remat))()).count("dot_general") for remat in ("cheap", "layers")
    ]
    assert products[0] < products[1], "no product is computed again, but where all of a layer is"
