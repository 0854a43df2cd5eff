"""Convolutions over time as matrix products, for a CPU.

XLA's convolutions are slow on a CPU, and twenty times slower within a loop such as gradient accumulation
(docs/log.md).
"""

import jax
import jax.numpy as jnp

_BLOCK, _SHORT_BLOCK, _SHORT = 8, 4, 16  # frames of a block; of kernels of at most _SHORT taps


def strided_products(x_BxTxC: jax.Array, kernel_KxCxD: jax.Array, stride: int) -> jax.Array:
    """`strided_conv` of semgjax.model.encoder as one product.

    Taps that fill whole steps: of the steps with all their taps at once, whose parts are then shifted and added. That
    reads the input once; patches of it are several times its size. Other kernels: of patches, without empty taps.
    """
    batch, time, channels = x_BxTxC.shape
    taps, _, width = kernel_KxCxD.shape
    steps, blocks = time // stride, -(-taps // stride)
    x_BxNxP = x_BxTxC[:, : steps * stride].reshape(batch, steps, stride * channels)
    if taps % stride == 0:
        kernel_PxE = jnp.moveaxis(kernel_KxCxD.reshape(blocks, stride * channels, width), 0, 1).reshape(
            -1, blocks * width
        )
        parts = (x_BxNxP.reshape(batch * steps, -1) @ kernel_PxE).reshape(batch, steps, blocks, width)
        y_BxNxD = parts[:, :, -1]
        for late in range(1, blocks):
            y_BxNxD += jnp.pad(parts[:, : steps - late, -1 - late], ((0, 0), (late, 0), (0, 0)))
        return y_BxNxD
    x_BxNxP = jnp.pad(x_BxNxP, ((0, 0), (blocks - 1, 0), (0, 0)))
    oldest = x_BxNxP[:, :steps, (blocks * stride - taps) * channels :]  # its first samples have no tap
    patches = jnp.concatenate([oldest, *(x_BxNxP[:, b : b + steps] for b in range(1, blocks))], axis=-1)
    return (patches.reshape(batch * steps, -1) @ kernel_KxCxD.reshape(-1, width)).reshape(batch, steps, width)


def banded_products(x_BxTxD: jax.Array, kernel_KxCxE: jax.Array, groups: int, padding: tuple[int, int]) -> jax.Array:
    """`grouped_conv` of semgjax.model.encoder as products of blocks of frames with a banded matrix.

    A block's outputs need its frames and the taps - 1 around them: one product of all of these with a matrix that
    repeats the kernel for each frame of the block, shifted by one frame. A product per tap takes many times as long.
    """
    batch, time, _ = x_BxTxD.shape
    taps, inputs, width = kernel_KxCxE.shape
    size = _BLOCK if taps > _SHORT else _SHORT_BLOCK
    blocks = -(-time // size)
    spans = 1 + -(-(taps - 1) // size)  # blocks that a block's outputs need
    length, rows = (blocks + spans - 1) * size, spans * size
    padded = jnp.pad(x_BxTxD, ((0, 0), (padding[0], length - padding[0] - time), (0, 0)))
    x_GxBxNxP = jnp.moveaxis(padded.reshape(batch, blocks + spans - 1, size, groups, inputs), 3, 0)
    x_GxBxNxP = x_GxBxNxP.reshape(groups, batch, blocks + spans - 1, size * inputs)
    kernel_GxKxCxE = jnp.moveaxis(kernel_KxCxE.reshape(taps, inputs, groups, width // groups), 2, 0)

    @jax.checkpoint
    def product(x: jax.Array, kernel: jax.Array) -> jax.Array:
        copy = jnp.pad(kernel, ((0, 0), (size - 1, rows - taps), (0, 0), (0, 0)))
        bands = [copy[:, size - 1 - frame : size - 1 - frame + rows] for frame in range(size)]
        matrix = jnp.stack(bands, axis=3).reshape(groups, rows * inputs, size * (width // groups))
        patches = jnp.concatenate([x[:, :, span : span + blocks] for span in range(spans)], axis=-1)
        return jnp.einsum("gbnp,gpe->gbne", patches, matrix)

    y_GxBxTxE = product(x_GxBxNxP, kernel_GxKxCxE).reshape(groups, batch, blocks * size, width // groups)
    return jnp.moveaxis(y_GxBxTxE[:, :, :time], 0, 2).reshape(batch, time, width)
