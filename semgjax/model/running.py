"""What reaches back in time: the steps before an input, and running sums that see the past only."""

import jax
import jax.numpy as jnp

BLOCK = 64
"""steps that `rolling_sum` adds up by one product"""


def history(x_BxTx: jax.Array, steps: int) -> jax.Array:
    """x [B, T, ...] with the `steps` before it, [B, steps + T, ...]: zeros here, in streaming what came before."""
    return jnp.pad(x_BxTx, ((0, 0), (steps, 0), *((0, 0),) * (x_BxTx.ndim - 2)))


def rolling_sum(x_BxTxD: jax.Array, decay: float, block: int = BLOCK) -> jax.Array:
    """s_t = decay s_(t-1) + x_t along time, float32: a triangular product inside a block, a scan over blocks."""
    batch, time, width = x_BxTxD.shape
    blocks = -(-time // block)
    x = jnp.pad(x_BxTxD, ((0, 0), (0, blocks * block - time), (0, 0))).reshape(batch, blocks, block, width)
    age_ixj = jnp.arange(block)[:, None] - jnp.arange(block)[None, :]
    triangle_ixj = jnp.where(age_ixj >= 0, decay ** jnp.maximum(age_ixj, 0), 0.0).astype(jnp.float32)
    inside = jnp.einsum("ij,bkjd->bkid", triangle_ixj, x.astype(jnp.float32))

    def carry(state_BxD: jax.Array, last_BxD: jax.Array) -> tuple[jax.Array, jax.Array]:
        return decay**block * state_BxD + last_BxD, state_BxD

    _, before = jax.lax.scan(carry, jnp.zeros_like(inside[:, 0, -1]), jnp.moveaxis(inside[:, :, -1], 1, 0))
    fade_i = decay ** (1.0 + jnp.arange(block, dtype=jnp.float32))
    total = inside + jnp.moveaxis(before, 0, 1)[:, :, None, :] * fade_i[:, None]
    return total.reshape(batch, blocks * block, width)[:, :time]
