"""The checkpoint name of arrays that the backward pass does not recompute (`remat` in semgjax.model.encoder)."""

import jax
from jax.ad_checkpoint import checkpoint_name

KEPT = "kept"


def keep(x: jax.Array) -> jax.Array:
    """Mark an array as saved under rematerialisation."""
    return checkpoint_name(x, KEPT)
