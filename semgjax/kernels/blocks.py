"""Sliding-window attention in blocks of the window's length, for accelerators and inputs of many windows."""

import jax
import jax.numpy as jnp

from semgjax.kernels.keep import keep
from semgjax.kernels.masked import masked_softmax


def block_attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int, causal: bool) -> jax.Array:
    """Attention within `window` frames, in blocks of that length: keys lie in the own and neighbouring blocks.

    Time and memory are O(T window) instead of O(T^2).
    """
    batch, time, heads, width = q_BxTxHxD.shape
    blocks = -(-time // window)
    padding = blocks * window - time

    def block(x):
        x = jnp.pad(x, ((0, 0), (0, padding)) + ((0, 0),) * (x.ndim - 2))
        return x.reshape(batch, blocks, window, *x.shape[2:])

    def neighbours(x):
        edge = ((0, 0),) * (x.ndim - 2)
        before = jnp.pad(x[:, :-1], ((0, 0), (1, 0), *edge))
        after = [] if causal else [jnp.pad(x[:, 1:], ((0, 0), (0, 1), *edge))]
        return jnp.concatenate([before, x, *after], axis=2)

    q, k, v = block(q_BxTxHxD), neighbours(block(k_BxTxHxD)), neighbours(block(v_BxTxHxD))
    valid_BxNxK = neighbours(block(valid_BxT))
    age_qxk = jnp.arange(window)[:, None] + window - jnp.arange(k.shape[2])[None, :]
    seen_qxk = (jnp.abs(age_qxk) < window) & ((age_qxk >= 0) | (not causal))
    mask = seen_qxk[None, None] & valid_BxNxK[:, :, None, :]
    scores = jnp.einsum("bnqhd,bnkhd->bnhqk", q, k).astype(jnp.float32) * width**-0.5
    weights = masked_softmax(scores, mask[:, :, None])
    out = jnp.einsum("bnhqk,bnkhd->bnqhd", weights.astype(v.dtype), v)
    return keep(out.reshape(batch, blocks * window, heads, width)[:, :time])
