"""The front end: strided causal convolutions on raw sEMG, the first one normalised over time."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from semgjax.model.config import SAMPLE_RATE, ModelConfig
from semgjax.model.convolve import strided_conv

_EPSILON = 1e-5
_LEAST_VARIANCE = 1e-3  # as a share of the mean square
_FAN_IN = nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal", in_axis=(0, 1), out_axis=2)


def one_channel_init(key: jax.Array, shape: tuple[int, int, int], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Kernel [K, C, D] whose filter d starts on channel d mod C alone, with random taps.

    What a muscle does shows in the amplitude under each electrode. Random mixtures of all electrodes look much
    alike once rectified; starting apart, training leaves the all-blank plateau of CTC sooner (docs/log.md).
    """
    taps, channels, width = shape
    kernel_KxD = jax.random.normal(key, (taps, width), dtype) * (2.0 / taps) ** 0.5
    return kernel_KxD[:, None, :] * jnp.eye(channels, dtype=dtype)[:, jnp.arange(width) % channels]


class CausalConv(nn.Module):
    """Strided convolution without bias whose output t ends at the last sample of its own step."""

    width: int
    kernel: int
    stride: int
    one_channel: bool = False

    @nn.compact
    def __call__(self, x_BxTxC: jax.Array) -> jax.Array:
        init = one_channel_init if self.one_channel else _FAN_IN
        kernel_KxCxD = self.param("kernel", init, (self.kernel, x_BxTxC.shape[-1], self.width), jnp.float32)
        return strided_conv(x_BxTxC, kernel_KxCxD.astype(x_BxTxC.dtype), self.stride)


def rolling_sum(x_BxTxD: jax.Array, decay: float, block: int = 64) -> jax.Array:
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


class TimeNorm(nn.Module):
    """Normalisation of each channel over time, with scale and bias: group norm with groups = channels.

    "window" takes the statistics of the whole valid input (the paper's layer; it sees the future). "rolling" takes
    an exponential memory of the past, brought up to date once per `update` steps: with as many steps as end in one
    output frame, that frame still sees nothing after its own last sample, and a stream updates once per frame.
    """

    norm: str
    decay: float
    update: int

    @nn.compact
    def __call__(self, x_BxTxD: jax.Array, valid_BxT: jax.Array) -> jax.Array:
        batch, time, width = x_BxTxD.shape
        scale = self.param("scale", nn.initializers.ones, (width,), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (width,), jnp.float32)
        step = self.update if self.norm == "rolling" else time
        # [B, frames, steps, D]: statistics are one row per frame, or one for the whole window
        x = x_BxTxD.astype(jnp.float32).reshape(batch, time // step, step, width)
        weight = valid_BxT.astype(jnp.float32).reshape(batch, time // step, step, 1)
        # Frames of all rows end to end: XLA's sums over [1, frames, steps, D] take ten times as long on a CPU.
        flat, kept = x.reshape(-1, step, width), weight.reshape(-1, step, 1)
        count, first, second = (
            part.sum(axis=1).reshape(batch, time // step, -1) for part in (kept, flat * kept, flat * flat * kept)
        )
        if self.norm == "rolling":
            sums = rolling_sum(jnp.concatenate([first, second, count], axis=-1), self.decay)
            first, second, count = sums[..., :width], sums[..., width : 2 * width], sums[..., 2 * width :]
        count = jnp.maximum(count, 1e-6)
        mean = first / count
        # One pass is accurate enough: high-passed sEMG, and so any convolution of it, has a mean near zero. A row's
        # first steps alone have a variance of nothing but rounding, and without its floor a gradient of 1e7.
        power = second / count
        variance = jnp.maximum(power - mean**2, _LEAST_VARIANCE * power)
        y = (x - mean[:, :, None]) * jax.lax.rsqrt(variance + _EPSILON)[:, :, None] * scale + bias
        return (y * weight).reshape(batch, time, width).astype(x_BxTxD.dtype)


class FrontEnd(nn.Module):
    """Raw sEMG [B, T, C] at 2 kHz -> frames [B, T / stride, conv_widths[-1]]; padded samples count as silence."""

    config: ModelConfig

    @nn.compact
    def __call__(self, emg_BxTxC: jax.Array, valid_BxT: jax.Array) -> jax.Array:
        config = self.config
        x = emg_BxTxC * valid_BxT[..., None].astype(emg_BxTxC.dtype)
        for index, (width, kernel, stride) in enumerate(
            zip(config.conv_widths, config.conv_kernels, config.conv_strides, strict=True)
        ):
            x = CausalConv(width, kernel, stride, one_channel=index == 0, name=f"conv{index}")(x)
            if index == 0:
                decay = 1.0 - config.stride / (SAMPLE_RATE * config.norm_seconds)
                norm = TimeNorm(config.norm, decay, config.stride // stride, name="norm")
                x = norm(x, valid_BxT[:, stride - 1 :: stride])
            x = nn.gelu(x)
        return x
