"""CTC loss per row, with rows that cannot be aligned taken out and counted."""

import jax
import jax.numpy as jnp
import optax

from semgjax.data.keys import BLANK


def feasible(labels_BxN: jax.Array, label_count_B: jax.Array, frames: int) -> jax.Array:
    """Which rows fit: labels plus adjacent repeats (each needs a blank between) are no more than `frames`; bool [B]."""
    inside_BxN = jnp.arange(labels_BxN.shape[1])[None, :] < label_count_B[:, None]
    repeats_B = ((labels_BxN[:, 1:] == labels_BxN[:, :-1]) & inside_BxN[:, 1:]).sum(axis=1)
    return label_count_B + repeats_B <= frames


def ctc(logits_BxTxK: jax.Array, labels_BxN: jax.Array, label_count_B: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Negative log likelihood per row (nats, float32 [B]) and which rows are feasible (bool [B]).

    An infeasible row has loss and gradient zero: its labels are emptied before the recursion, for a huge finite
    loss would have a meaningless gradient.
    """
    batch, frames, _ = logits_BxTxK.shape
    ok_B = feasible(labels_BxN, label_count_B, frames)
    count_B = jnp.where(ok_B, label_count_B, 0)
    label_padding = (jnp.arange(labels_BxN.shape[1])[None, :] >= count_B[:, None]).astype(jnp.float32)
    frame_padding = jnp.zeros((batch, frames), jnp.float32)
    loss_B = optax.ctc_loss(logits_BxTxK.astype(jnp.float32), frame_padding, labels_BxN, label_padding, blank_id=BLANK)
    return jnp.where(ok_B, loss_B, 0.0), ok_B
