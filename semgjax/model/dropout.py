"""Dropout whose random bits cost about as much as reading the array. Writes nothing.

The library's counter-based generator takes longer than everything else in a transformer layer on a CPU (docs/log.md).
Here one of its draws gives two words for a whole array, and a bit mixer spreads them over the places. A place's bits
depend on the key and its index alone, so a batch drops the same numbers on one device and on many.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp


def random_bytes(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Bits of places of an array, uint32 `shape` in [0, 256): a mixed sum of the key's words and the index.

    The mixer is the finaliser of MurmurHash3 (Appleby 2011), twice, with a word of the key before each.
    """
    words = jax.random.bits(key, (2,), jnp.uint32)
    index = jnp.zeros(shape, jnp.uint32)
    for axis, size in enumerate(shape):
        index = index * jnp.uint32(size) + jax.lax.broadcasted_iota(jnp.uint32, shape, axis)
    return _mixed(_mixed(index ^ words[0]) ^ words[1]) >> 24


def _mixed(x: jax.Array) -> jax.Array:
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


class Dropout(nn.Module):
    """Zeros for a share of the numbers, the others scaled up; the share is rounded to 1/256, the scale is exact."""

    rate: float
    train: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        dropped = round(256 * self.rate)
        if not self.train or dropped == 0:
            return x
        kept = random_bytes(self.make_rng("dropout"), x.shape) >= dropped
        return jnp.where(kept, x * x.dtype.type(256 / (256 - dropped)), x.dtype.type(0))
