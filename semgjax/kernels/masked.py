"""The softmax of attention over the keys that a query may see."""

import jax
import jax.numpy as jnp

_HIDDEN = -1e9
"""score of a key that is not seen: finite, so that a query that sees no key gives zero and not NaN"""


def masked_softmax(scores: jax.Array, seen: jax.Array) -> jax.Array:
    """Weights over the last axis, 0 where a key is not seen; all 0 for a query that sees none.

    Args:
        scores: float32.
        seen: bool, of a shape that broadcasts to that of the scores.
    """
    return jnp.where(seen, jax.nn.softmax(jnp.where(seen, scores, _HIDDEN), axis=-1), 0.0)
