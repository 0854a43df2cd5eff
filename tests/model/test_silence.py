"""Gradients stay finite, and no larger than elsewhere, where the input has no signal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.evaluate.stitched import valid_samples
from semgjax.model import network
from semgjax.model.presets import preset

TIME = 2000


def input_of(case: str) -> tuple[np.ndarray, int]:
    """(emg [1, T, 32], first valid sample)."""
    emg = np.random.default_rng(0).normal(size=(1, TIME, 32)).astype(np.float32)
    first = 0
    if case == "nothing at all":
        emg[:] = 0
    elif case == "a lost stretch":
        emg[:, 600:1000] = 0
    elif case.startswith("begins"):  # inside a frame: its statistics are those of one step alone
        first = int(case.split()[-1])
        emg[:, :first] = 0
    elif case == "one band lost":
        emg[:, :, :16] = 0
    elif case == "constant":
        emg[:] = 7.5
    return emg, first


CASES = ["noise", "nothing at all", "a lost stretch", "begins at 597", "begins at 599", "begins at 600", "constant"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny", "ladder-16", "tds"])
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_finite_without_signal(name, training):
    config = preset(name)
    params = network.init(config, jax.random.key(0))
    key = jax.random.key(1) if training else None

    def loss(params, emg, valid):
        logits = network.apply(config, params, emg, valid, key)[:, 40:]
        return jnp.mean(jax.nn.log_softmax(logits)[..., 0])

    gradient = jax.jit(jax.grad(loss))
    norms = {}
    for case in [*CASES, "one band lost"]:
        emg, first = input_of(case)
        found = gradient(params, jnp.asarray(emg), valid_samples(jnp.array([[first, TIME]]), TIME))
        norms[case] = float(jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(found))))
    assert all(np.isfinite(norm) and norm < 1e4 * norms["noise"] for norm in norms.values()), norms
