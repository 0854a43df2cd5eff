"""Weights of attention over the keys that are seen."""

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.kernels.masked import masked_softmax


def test_weights_are_those_of_the_seen_keys_alone_and_zero_where_none_is_seen():
    scores = jnp.array([[1.0, 2.0, 50.0], [3.0, 0.0, -1.0]])
    seen = jnp.array([[True, True, False], [False, False, False]])
    weights = np.asarray(masked_softmax(scores, seen))
    np.testing.assert_allclose(weights[0], [*jax.nn.softmax(scores[0, :2]), 0.0], rtol=1e-6)
    assert not weights[1].any()
    gradient = jax.grad(lambda x: masked_softmax(x, seen)[:, 0].sum())(scores)
    assert np.isfinite(gradient).all() and not gradient[1].any() and gradient[0, 2] == 0.0
