"""Self-attention whose cost grows linearly with time when the window is bounded, by what suits the device.

On a CPU in tiles (semgjax.model.tiles), on a GPU in half precision by cuDNN, elsewhere as products that XLA fuses.
"""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from semgjax.model.config import ModelConfig
from semgjax.model.tiles import KEPT, tiled_attention

Attention = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]
"""(q, k, v [B, T, H, D], valid [B, T]) -> [B, T, H, D]"""

_HIDDEN = -1e9  # finite, so that a row with no visible key is not NaN; it gives zero, as `tiled_attention` does


def full_attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int | None, causal: bool) -> jax.Array:
    """Softmax attention over all pairs, masked to the window; [B, T, H, D]. The reference for the others.

    Zero for a query that sees no key.
    """
    time = q_BxTxHxD.shape[1]
    age_qxk = jnp.arange(time)[:, None] - jnp.arange(time)[None, :]
    visible_qxk = _in_window(age_qxk, window, causal)
    mask_Bx1xqxk = (visible_qxk[None] & valid_BxT[:, None, :])[:, None]
    scores = jnp.einsum("bqhd,bkhd->bhqk", q_BxTxHxD, k_BxTxHxD).astype(jnp.float32) * q_BxTxHxD.shape[-1] ** -0.5
    weights = jnp.where(mask_Bx1xqxk, jax.nn.softmax(jnp.where(mask_Bx1xqxk, scores, _HIDDEN), axis=-1), 0.0)
    return checkpoint_name(jnp.einsum("bhqk,bkhd->bqhd", weights.astype(v_BxTxHxD.dtype), v_BxTxHxD), KEPT)


def local_attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int, causal: bool) -> jax.Array:
    """Attention within `window` frames, in blocks of that length: a query's keys lie in its own and the next blocks.

    Equal to `full_attention` with the same window; time and memory are O(T window) instead of O(T^2).
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
    mask = _in_window(age_qxk, window, causal)[None, None] & valid_BxNxK[:, :, None, :]
    scores = jnp.einsum("bnqhd,bnkhd->bnhqk", q, k).astype(jnp.float32) * width**-0.5
    seen = mask[:, :, None]
    weights = jnp.where(seen, jax.nn.softmax(jnp.where(seen, scores, _HIDDEN), axis=-1), 0.0)
    out = jnp.einsum("bnhqk,bnkhd->bnqhd", weights.astype(v.dtype), v)
    return checkpoint_name(out.reshape(batch, blocks * window, heads, width)[:, :time], KEPT)


def _in_window(age: jax.Array, window: int | None, causal: bool) -> jax.Array:
    """Which pairs may see each other; `age` is query index minus key index."""
    visible = age >= 0 if causal else jnp.ones_like(age, dtype=bool)
    return visible if window is None else visible & (jnp.abs(age) < window)


def cudnn_attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int | None, causal: bool) -> jax.Array:
    """The same by cuDNN's fused kernel: on a GPU, float16 or bfloat16 only."""
    reach = None if window is None else (window - 1, 0 if causal else window - 1)
    return jax.nn.dot_product_attention(
        q_BxTxHxD,
        k_BxTxHxD,
        v_BxTxHxD,
        mask=valid_BxT[:, None, None, :],
        is_causal=causal,
        local_window_size=reach,
        implementation="cudnn",
    )


def platform() -> str:
    """Kind of device that the present trace is for: of the mesh set by `jax.set_mesh`, else of the default device."""
    abstract = jax.sharding.get_abstract_mesh().abstract_device
    return jax.default_backend() if abstract is None else abstract.platform


def choose_attention(kind: str, dtype: jnp.dtype, time: int, window: int | None, causal: bool) -> Attention:
    """The formulation that suits a kind of device, a type and a length; all give the same values."""
    if kind == "cpu":
        return functools.partial(tiled_attention, window=window, causal=causal)
    if kind == "gpu" and dtype in (jnp.float16, jnp.bfloat16):
        return functools.partial(cudnn_attention, window=window, causal=causal)
    if window is None or time < 4 * window:  # blocks of the window pay only when there are several of them
        return functools.partial(full_attention, window=window, causal=causal)
    return functools.partial(local_attention, window=window, causal=causal)


class SelfAttention(nn.Module):
    """Multi-head self-attention with biases on all four projections."""

    config: ModelConfig

    @nn.compact
    def __call__(self, x_BxTxD: jax.Array, valid_BxT: jax.Array) -> jax.Array:
        config = self.config
        batch, time, width = x_BxTxD.shape
        head = width // config.heads
        qkv = nn.Dense(3 * width, dtype=x_BxTxD.dtype, name="qkv")(x_BxTxD)
        q, k, v = (
            checkpoint_name(x.reshape(batch, time, config.heads, head), KEPT) for x in jnp.split(qkv, 3, axis=-1)
        )
        attention = choose_attention(platform(), x_BxTxD.dtype, time, config.attention_window, config.causal)
        out = attention(q, k, v, valid_BxT)
        return nn.Dense(width, dtype=x_BxTxD.dtype, name="out")(out.reshape(batch, time, width))
