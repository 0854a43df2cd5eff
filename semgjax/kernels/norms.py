"""Norms on flattened frames: on a CPU, XLA's sums over [1, T, D] take ten times as long as those over [T, D]."""

from collections.abc import Callable

import jax


def flat_norm(norm: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """A norm over the last axis of [B, T, D], computed on [B T, D]."""

    def flattened(x_BxTxD: jax.Array, scale: jax.Array, bias: jax.Array) -> jax.Array:
        return norm(x_BxTxD.reshape(-1, x_BxTxD.shape[-1]), scale, bias).reshape(x_BxTxD.shape)

    return flattened


def flat_step_sums(x_BxFxSxD: jax.Array, weight_BxFxSx1: jax.Array) -> tuple[jax.Array, ...]:
    """Equal to `step_sums` of semgjax.model.encoder."""
    batch, frames, steps, width = x_BxFxSxD.shape
    flat, kept = x_BxFxSxD.reshape(-1, steps, width), weight_BxFxSx1.reshape(-1, steps, 1)
    parts = (kept, flat * kept, flat * flat * kept)
    count, first, second = (part.sum(axis=1).reshape(batch, frames, -1) for part in parts)
    return count, first, second
