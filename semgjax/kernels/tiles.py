"""Attention in tiles of a few queries against the keys that they may see, for a CPU.

The backward pass recomputes the scores of a tile from the keys (Dao et al., "FlashAttention", NeurIPS 2022, section 3).
Scores are laid out as [keys, queries], so that every product has a long last axis and maxima run over rows. Pairs far
outside the window or in the future are not computed: with a bounded window, time and memory grow linearly with the
input.
"""

import functools

import jax
import jax.numpy as jnp

from semgjax.kernels.keep import keep

_HIDDEN, _FLOOR = -1e30, -1e20  # score of masked pairs, and lower bound of the maximum: a query without keys gives zero
_TILES = 4  # tiles of full attention, unrolled; more of them cost compile time
_TILE = 64  # queries of a tile if the window is bounded

Residuals = tuple[jax.Array, ...]


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def tiled_attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int | None, causal: bool) -> jax.Array:
    """Softmax attention within the window, [B, T, H, D]; zero for a query that sees no key.

    Equal to `semgjax.model.encoder.attention`. Products are in the inputs' type, sums in float32.
    """
    return _forward(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window, causal)[0]


def _forward(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window, causal) -> tuple[jax.Array, Residuals]:
    width, time = q_BxTxHxD.shape[-1], q_BxTxHxD.shape[1]
    q, k, v = (_time_last(x) for x in (q_BxTxHxD * q_BxTxHxD.dtype.type(width**-0.5), k_BxTxHxD, v_BxTxHxD))
    # The appended row of ones makes the product with the values also sum the weights.
    v1 = jnp.pad(v, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=1)
    if window is None:
        parts = []
        for start, stop, seen in _spans(time, causal):
            mask = _visible(jnp.arange(start, stop), jnp.arange(seen), None, causal) & valid_BxT[:, None, :seen, None]
            parts.append(_tile(q[..., start:stop], k[..., :seen], v1[..., :seen], mask))
        out, log_total = (jnp.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    else:
        count, before, span = _blocks(time, window, causal)
        q, (k, v1) = _padded(q, 0, count * _TILE), (_padded(x, before, (count - 1) * _TILE + span) for x in (k, v1))
        valid = _padded(valid_BxT, before, (count - 1) * _TILE + span)
        pairs = _visible(before + jnp.arange(_TILE), jnp.arange(span), window, causal)

        def block(_: None, start: jax.Array) -> tuple[None, tuple[jax.Array, jax.Array]]:
            mask = pairs & _cut(valid, start, span)[:, None, :, None]
            return None, _tile(_cut(q, start, _TILE), _cut(k, start, span), _cut(v1, start, span), mask)

        _, tiles = jax.lax.scan(block, None, jnp.arange(count) * _TILE)
        out, log_total = (_joined(part)[..., :time] for part in tiles)
    out = keep(jnp.moveaxis(out, 3, 1).astype(v_BxTxHxD.dtype))
    return out, (q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, out, keep(log_total))


def _backward(window, causal, residuals: Residuals, upstream_BxTxHxD: jax.Array) -> tuple[jax.Array | None, ...]:
    q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, out_BxTxHxD, log_total = residuals
    width, time = q_BxTxHxD.shape[-1], q_BxTxHxD.shape[1]
    scale = q_BxTxHxD.dtype.type(width**-0.5)
    q, k, v, g = (_time_last(x) for x in (q_BxTxHxD * scale, k_BxTxHxD, v_BxTxHxD, upstream_BxTxHxD))
    inner = (upstream_BxTxHxD.astype(jnp.float32) * out_BxTxHxD.astype(jnp.float32)).sum(axis=-1)
    rows = jnp.stack([log_total, jnp.moveaxis(inner, 2, 1)], axis=2)  # what a query's scores need, [B, H, 2, T]
    if window is None:
        parts, keys = [], jnp.zeros((2, *q.shape[:2], time, width), jnp.float32)
        for start, stop, seen in _spans(time, causal):
            mask = _visible(jnp.arange(start, stop), jnp.arange(seen), None, causal) & valid_BxT[:, None, :seen, None]
            queries = tuple(x[..., start:stop] for x in (q, g, rows))
            part, key_part = _tile_gradients(queries, k[..., :seen], v[..., :seen], mask)
            parts.append(part)
            keys = keys.at[:, :, :, :seen].add(key_part)
        dq = jnp.concatenate(parts, axis=-1)
    else:
        count, before, span = _blocks(time, window, causal)
        q, g, rows = (_padded(x, 0, count * _TILE) for x in (q, g, rows))
        k, v = (_padded(x, before, (count - 1) * _TILE + span) for x in (k, v))
        valid = _padded(valid_BxT, before, (count - 1) * _TILE + span)
        pairs = _visible(before + jnp.arange(_TILE), jnp.arange(span), window, causal)

        def block(keys: jax.Array, start: jax.Array) -> tuple[jax.Array, jax.Array]:
            mask = pairs & _cut(valid, start, span)[:, None, :, None]
            queries = tuple(_cut(x, start, _TILE) for x in (q, g, rows))
            part, key_part = _tile_gradients(queries, _cut(k, start, span), _cut(v, start, span), mask)
            total = jax.lax.dynamic_slice_in_dim(keys, start, span, axis=3) + key_part
            return jax.lax.dynamic_update_slice_in_dim(keys, total, start, axis=3), part

        keys, tiles = jax.lax.scan(
            block, jnp.zeros((2, *q.shape[:2], k.shape[-1], width), jnp.float32), jnp.arange(count) * _TILE
        )
        dq, keys = _joined(tiles)[..., :time], keys[:, :, :, before : before + time]
    dq_BxTxHxD = jnp.moveaxis(dq, 3, 1).astype(q_BxTxHxD.dtype) * scale
    dk_BxTxHxD, dv_BxTxHxD = (jnp.swapaxes(x, 1, 2).astype(q_BxTxHxD.dtype) for x in keys)
    return dq_BxTxHxD, dk_BxTxHxD, dv_BxTxHxD, None


tiled_attention.defvjp(_forward, _backward)


def _tile(q_BxHxDxQ, k_BxHxDxK, v1_BxHxExK, mask_Bx1xKxQ) -> tuple[jax.Array, jax.Array]:
    """Outputs [B, H, D, Q] and logarithms of the softmax's sums [B, H, Q], float32; values end in a row of ones."""
    scores_BxHxKxQ = jnp.where(mask_Bx1xKxQ, _product("bhdk,bhdq->bhkq", k_BxHxDxK, q_BxHxDxQ), _HIDDEN)
    top_BxHx1xQ = jnp.maximum(scores_BxHxKxQ.max(axis=2, keepdims=True), _FLOOR)
    weights_BxHxKxQ = jnp.exp(scores_BxHxKxQ - top_BxHx1xQ).astype(v1_BxHxExK.dtype)
    sums_BxHxExQ = _product("bhek,bhkq->bheq", v1_BxHxExK, weights_BxHxKxQ)
    total_BxHx1xQ = jnp.maximum(sums_BxHxExQ[:, :, -1:], 1e-30)
    return sums_BxHxExQ[:, :, :-1] / total_BxHx1xQ, (top_BxHx1xQ + jnp.log(total_BxHx1xQ))[:, :, 0]


def _tile_gradients(queries: tuple[jax.Array, ...], k_BxHxDxK, v_BxHxDxK, mask_Bx1xKxQ) -> tuple[jax.Array, jax.Array]:
    """Gradients of queries [B, H, D, Q], and of keys and values [2, B, H, K, D], float32."""
    q_BxHxDxQ, g_BxHxDxQ, rows_BxHx2xQ = queries
    kind = q_BxHxDxQ.dtype
    scores_BxHxKxQ = jnp.where(mask_Bx1xKxQ, _product("bhdk,bhdq->bhkq", k_BxHxDxK, q_BxHxDxQ), _HIDDEN)
    weights_BxHxKxQ = jnp.exp(scores_BxHxKxQ - rows_BxHx2xQ[:, :, :1])
    change_BxHxKxQ = _product("bhdk,bhdq->bhkq", v_BxHxDxK, g_BxHxDxQ) - rows_BxHx2xQ[:, :, 1:]
    change_BxHxKxQ = (weights_BxHxKxQ * change_BxHxKxQ).astype(kind)
    dq_BxHxDxQ = _product("bhdk,bhkq->bhdq", k_BxHxDxK, change_BxHxKxQ)
    dk_BxHxKxD = _product("bhkq,bhdq->bhkd", change_BxHxKxQ, q_BxHxDxQ)
    dv_BxHxKxD = _product("bhkq,bhdq->bhkd", weights_BxHxKxQ.astype(kind), g_BxHxDxQ)
    return dq_BxHxDxQ, jnp.stack([dk_BxHxKxD, dv_BxHxKxD])


def _product(form: str, left: jax.Array, right: jax.Array) -> jax.Array:
    return jnp.einsum(form, left, right, preferred_element_type=jnp.float32)


def _visible(query_Q: jax.Array, key_K: jax.Array, window: int | None, causal: bool) -> jax.Array:
    """Which pairs may see each other, bool [K, Q]."""
    age_KxQ = query_Q[None, :] - key_K[:, None]
    visible_KxQ = age_KxQ >= 0 if causal else jnp.ones_like(age_KxQ, dtype=bool)
    return visible_KxQ if window is None else visible_KxQ & (jnp.abs(age_KxQ) < window)


def _spans(time: int, causal: bool) -> list[tuple[int, int, int]]:
    """(first query, last + 1, keys) of the tiles of full attention; a causal tile sees no key after its own."""
    size = -(-time // (16 * _TILES)) * 16
    stops = [min(start + size, time) for start in range(0, time, size)]
    return [(start, stop, stop if causal else time) for start, stop in zip(range(0, time, size), stops, strict=True)]


def _blocks(time: int, window: int, causal: bool) -> tuple[int, int, int]:
    """Number of tiles, keys before a tile's first query, and keys of a tile; in whole vector registers."""
    reach = -(-(window - 1) // 16) * 16
    return -(-time // _TILE), reach, reach + _TILE + (0 if causal else reach)


def _time_last(x_BxTxHxD: jax.Array) -> jax.Array:
    return jnp.moveaxis(x_BxTxHxD, 1, 3)


def _padded(x: jax.Array, before: int, length: int) -> jax.Array:
    """Pad the last axis with `before` zeros on the left and up to `length` on the right, or cut it to `length`."""
    x = x[..., : length - before]
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, length - before - x.shape[-1])])


def _cut(x: jax.Array, start: jax.Array, length: int) -> jax.Array:
    return jax.lax.dynamic_slice_in_dim(x, start, length, axis=-1)


def _joined(tiles: jax.Array) -> jax.Array:
    """[N, ..., Q] -> [..., N Q]."""
    moved = jnp.moveaxis(tiles, 0, -2)
    return moved.reshape(*moved.shape[:-2], -1)
