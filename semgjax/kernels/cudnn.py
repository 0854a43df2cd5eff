"""Attention by cuDNN's fused kernel: on a GPU, float16 or bfloat16 only. Not yet run on a GPU."""

import jax
import jax.numpy as jnp


def cudnn_attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int | None, causal: bool) -> jax.Array:
    """As the reference attention of semgjax.model.encoder.

    The kernel's own window looks back only, so that a window on both sides is part of the mask. The mask has a row per
    query, since cuDNN takes none that is the same for all queries.
    """
    time = q_BxTxHxD.shape[1]
    mask_BxQxK = jnp.broadcast_to(valid_BxT[:, None, :], (len(valid_BxT), time, time))
    if window is not None and not causal:
        age_QxK = jnp.arange(time)[:, None] - jnp.arange(time)[None, :]
        mask_BxQxK &= jnp.abs(age_QxK) < window
    return jax.nn.dot_product_attention(
        q_BxTxHxD,
        k_BxTxHxD,
        v_BxTxHxD,
        mask=mask_BxQxK[:, None],
        is_causal=causal,
        local_window_size=(window - 1, 0) if window is not None and causal else None,
        implementation="cudnn",
    )
