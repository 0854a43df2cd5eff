"""Attention by cuDNN's fused kernel: GPU only, float16 or bfloat16 only. Not yet run on a GPU."""

import jax
import jax.numpy as jnp


def cudnn_attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int | None, causal: bool) -> jax.Array:
    """Equal to the reference attention of semgjax.model.encoder, including zero for a query that sees no key.

    The kernel's own window looks back only, so a two-sided window is part of the mask. The mask has a row per query,
    since cuDNN does not accept one that is shared by all queries.
    """
    time = jnp.arange(q_BxTxHxD.shape[1])
    age_QxK = time[:, None] - time[None, :]
    near_QxK = jnp.ones_like(age_QxK, dtype=bool) if window is None else jnp.abs(age_QxK) < window
    if causal:
        near_QxK &= age_QxK >= 0
    visible_BxQxK = near_QxK & valid_BxT[:, None, :]
    out = jax.nn.dot_product_attention(
        q_BxTxHxD,
        k_BxTxHxD,
        v_BxTxHxD,
        mask=visible_BxQxK[:, None],
        is_causal=causal,
        local_window_size=(window - 1, 0) if window is not None and causal else None,
        implementation="cudnn",
    )
    return jnp.where(visible_BxQxK.any(axis=-1)[:, :, None, None], out, 0)
