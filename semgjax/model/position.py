"""The convolutional position embedding, by what suits the device. Writes nothing."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from semgjax.model.attention import platform
from semgjax.model.config import ModelConfig

_BLOCK, _SHORT_BLOCK, _SHORT = 8, 4, 16  # frames of a block; of kernels of at most _SHORT taps


class PositionConv(nn.Module):
    """Grouped convolution over time with weight norm, as a relative position embedding (wav2vec 2.0, section 2).

    The gain of the weight norm is one number per tap. Causal: padded on the left only, so that no output sees
    a later frame; otherwise centred.
    """

    config: ModelConfig

    @nn.compact
    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        config, width = self.config, x_BxTxD.shape[-1]
        taps, groups = config.position_kernel, config.position_groups
        deviation = 2.0 / (taps * width) ** 0.5
        shape = (taps, width // groups, width)
        direction = self.param("direction", nn.initializers.normal(deviation), shape, jnp.float32)
        norm = jnp.sqrt((direction**2).sum(axis=(1, 2), keepdims=True))
        gain = self.param("gain", lambda key: norm.reshape(taps))
        bias = self.param("bias", nn.initializers.zeros, (width,), jnp.float32)
        kernel = (direction / norm * gain[:, None, None]).astype(x_BxTxD.dtype)
        before = taps - 1 if config.causal else taps // 2
        conv = banded_conv if platform() == "cpu" else library_conv
        y = conv(x_BxTxD, kernel, groups, (before, taps - 1 - before))
        return nn.gelu(y + bias.astype(y.dtype))


def library_conv(x_BxTxD: jax.Array, kernel_KxCxD: jax.Array, groups: int, padding: tuple[int, int]) -> jax.Array:
    """Grouped convolution over time, [B, T, D]; C = D / groups."""
    return jax.lax.conv_general_dilated(
        x_BxTxD, kernel_KxCxD, (1,), [padding], dimension_numbers=("NWC", "WIO", "NWC"), feature_group_count=groups
    )


def banded_conv(x_BxTxD: jax.Array, kernel_KxCxD: jax.Array, groups: int, padding: tuple[int, int]) -> jax.Array:
    """The same as products of blocks of frames with a banded matrix: the formulation for a CPU.

    A block's outputs need its own frames and the taps - 1 around them: one product of all those with the kernel,
    written once per frame of the block, a frame lower each time. The library's grouped convolution, and products tap
    by tap, take many times as long on a CPU (docs/log.md).
    """
    batch, time, width = x_BxTxD.shape
    taps, inputs, _ = kernel_KxCxD.shape
    size = _BLOCK if taps > _SHORT else _SHORT_BLOCK
    blocks = -(-time // size)
    spans = 1 + -(-(taps - 1) // size)  # blocks that a block's outputs need
    length, rows = (blocks + spans - 1) * size, spans * size
    padded = jnp.pad(x_BxTxD, ((0, 0), (padding[0], length - padding[0] - time), (0, 0)))
    x_GxBxNxP = jnp.moveaxis(padded.reshape(batch, blocks + spans - 1, size, groups, inputs), 3, 0)
    x_GxBxNxP = x_GxBxNxP.reshape(groups, batch, blocks + spans - 1, size * inputs)
    kernel_GxKxCxE = jnp.moveaxis(kernel_KxCxD.reshape(taps, inputs, groups, width // groups), 2, 0)

    @jax.checkpoint
    def product(x: jax.Array, kernel: jax.Array) -> jax.Array:
        copy = jnp.pad(kernel, ((0, 0), (size - 1, rows - taps), (0, 0), (0, 0)))
        bands = [copy[:, size - 1 - frame : size - 1 - frame + rows] for frame in range(size)]
        matrix = jnp.stack(bands, axis=3).reshape(groups, rows * inputs, size * (width // groups))
        patches = jnp.concatenate([x[:, :, span : span + blocks] for span in range(spans)], axis=-1)
        return jnp.einsum("gbnp,gpe->gbne", patches, matrix)

    y_GxBxTxE = product(x_GxBxNxP, kernel_GxKxCxE).reshape(groups, batch, blocks * size, width // groups)
    return jnp.moveaxis(y_GxBxTxE[:, :, :time], 0, 2).reshape(batch, time, width)
