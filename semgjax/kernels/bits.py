"""Random bits for dropout and masks at about the cost of reading the array.

On a CPU, JAX's counter-based generator takes longer than the rest of a transformer layer (docs/log.md). Here it draws
two words per array, which a bit mixer spreads over the elements. The bits of an element depend only on the key, the
index of its row in the global batch, and its position in the row: dropout is the same on one device and on many, and
under gradient accumulation.
"""

import jax
import jax.numpy as jnp


def random_bits(key: jax.Array, rows_B: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Bits of the elements of an array [B, ...], uint32: a mix of the key's words, the row and the position.

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
