"""Random bits for dropout and masks that cost about as much as reading the array.

The library's counter-based generator takes longer than everything else in a transformer layer on a CPU (docs/log.md).
Here one of its draws gives two words for a whole array, and a bit mixer spreads them over the places. A place's bits
depend on the key, its row's number in the whole batch, and its place in the row alone: a batch drops the same numbers
on one device and on many, whole or in parts.
"""

import jax
import jax.numpy as jnp


def random_bits(key: jax.Array, rows_B: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Bits of places of an array [B, ...], uint32: a mixed sum of the key's words, the row's number and the place.

    The mixer is the finaliser of MurmurHash3 (Appleby 2011), twice, with a word of the key before each.
    """
    words = jax.random.bits(key, (2,), jnp.uint32)
    index = jnp.broadcast_to(rows_B.astype(jnp.uint32).reshape(-1, *[1] * (len(shape) - 1)), shape)
    for axis, size in enumerate(shape[1:], 1):
        index = index * jnp.uint32(size) + jax.lax.broadcasted_iota(jnp.uint32, shape, axis)
    return _mixed(_mixed(index ^ words[0]) ^ words[1])


def _mixed(x: jax.Array) -> jax.Array:
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)
