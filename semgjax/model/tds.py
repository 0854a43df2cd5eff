"""The baseline of emg2qwerty: time-depth separable convolutions on log spectrograms, as a reference for size curves.

Sivakumar et al., "emg2qwerty" (NeurIPS 2024), section 5; the blocks are of Hannun et al., "Sequence-to-Sequence Speech
Recognition with Time-Depth Separable Convolutions" (Interspeech 2019). Two deliberate differences: convolutions are
padded on the left, so that the number of frames is kept and frame t ends at sample (t + 1) stride - 1 as in the
transformers; and each electrode is normalised over its window instead of over the batch, so that a trained decoder has
no state besides its parameters and no output depends on other rows of a batch. Scale and bias are those of batch norm.
"""

import typing
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from semgjax.errors import InputError
from semgjax.model.config import TDSConfig
from semgjax.model.encoder import NOT_ZERO, PLAIN, Operations
from semgjax.model.power import turned

_EPSILON = 1e-5


class BandMLP(nn.Module):
    """One band's electrodes and frequencies -> features, averaged over rotations by -1, 0 and 1 electrodes."""

    features: int

    @nn.compact
    def __call__(self, x_BxTxExF: jax.Array) -> jax.Array:
        dense = nn.Dense(self.features, dtype=x_BxTxExF.dtype, bias_init=NOT_ZERO)
        return nn.relu(dense(turned(x_BxTxExF, 1))).mean(axis=0)


class Conv(nn.Module):
    """Convolution over time with bias, padded on the left."""

    channels: int
    kernel: int
    ops: Operations

    @nn.compact
    def __call__(self, x_BxTxC: jax.Array) -> jax.Array:
        shape = (self.kernel, x_BxTxC.shape[-1], self.channels)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape, jnp.float32).astype(x_BxTxC.dtype)
        bias = self.param("bias", nn.initializers.zeros, (self.channels,), jnp.float32).astype(x_BxTxC.dtype)
        return self.ops.grouped_conv(x_BxTxC, kernel, 1, (self.kernel - 1, 0)) + bias


class Block(nn.Module):
    """Convolution over time that mixes channels, then two dense layers; each part with a residual and a layer norm."""

    channels: int
    kernel: int
    ops: Operations

    @nn.compact
    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        batch, time, width = x_BxTxD.shape
        size = width // self.channels
        # Each position within a channel is a separate sequence: [B W, T, C].
        rows = x_BxTxD.reshape(batch, time, self.channels, size).transpose(0, 3, 1, 2).reshape(-1, time, self.channels)
        y = nn.relu(Conv(self.channels, self.kernel, self.ops, name="conv")(rows))
        y = y.reshape(batch, size, time, self.channels).transpose(0, 2, 3, 1)
        x = _norm("norm_conv", x_BxTxD + y.reshape(x_BxTxD.shape))
        y = nn.Dense(width, dtype=x.dtype, name="expand")(x)
        return _norm("norm_full", x + nn.Dense(width, dtype=x.dtype, name="contract")(nn.relu(y)))


# Rematerialisation changes neither parameters nor values.
_REMAT: dict[str, Callable[[type[Block]], Any]] = {
    "none": lambda block: block,
    "cheap": lambda block: block,  # the gradient of a ReLU needs only what the next product keeps
    "layers": nn.remat,
}


class TDS(nn.Module):
    """Raw sEMG -> class logits per frame."""

    config: TDSConfig
    train: bool = False
    remat: str = "cheap"
    ops: Operations = PLAIN

    @nn.compact
    def __call__(
        self, emg_BxTxC: jax.Array, valid_BxT: jax.Array, rows_B: jax.Array
    ) -> tuple[jax.Array, list[jax.Array]]:
        """Logits, and the frames after each block."""
        config = self.config
        frame_valid_BxT = valid_BxT[:, config.hop - 1 :: config.hop]
        power_BxTxCxF = log_spectrogram(emg_BxTxC * valid_BxT[..., None].astype(emg_BxTxC.dtype), config)
        x = self.normalised(power_BxTxCxF, frame_valid_BxT)
        if self.train:
            mask_BxTxF = spectrum_mask(self.make_rng("mask"), rows_B, x.shape[1], x.shape[3], config)
            x = jnp.where(mask_BxTxF[:, :, None, :], 0.0, x)
        x = x.astype(emg_BxTxC.dtype)
        bands = jnp.split(x, config.bands, axis=2)
        x = jnp.concatenate([BandMLP(config.features, name=f"band{i}")(band) for i, band in enumerate(bands)], axis=-1)
        blocks = []
        for index, channels in enumerate(config.conv_channels):
            x = _REMAT[self.remat](Block)(channels, config.kernel, self.ops, name=f"block{index}")(x)
            blocks.append(x)
        return nn.Dense(config.classes, dtype=x.dtype, name="head")(x).astype(jnp.float32), blocks

    def normalised(self, x_BxTxCxF: jax.Array, valid_BxT: jax.Array) -> jax.Array:
        """Each electrode to mean zero and deviation one over the window's valid frames and all frequencies."""
        channels = x_BxTxCxF.shape[2]
        scale = self.param("norm_scale", nn.initializers.ones, (channels,), jnp.float32)[:, None]
        bias = self.param("norm_bias", nn.initializers.zeros, (channels,), jnp.float32)[:, None]
        weight = valid_BxT[:, :, None, None].astype(jnp.float32)
        # A product below, not a division: that one is rounded in another way where lengths are symbols.
        share = 1.0 / jnp.maximum(weight.sum(axis=(1, 3), keepdims=True) * x_BxTxCxF.shape[3], 1.0)
        mean = (x_BxTxCxF * weight).sum(axis=(1, 3), keepdims=True) * share
        variance = ((x_BxTxCxF - mean) ** 2 * weight).sum(axis=(1, 3), keepdims=True) * share
        return ((x_BxTxCxF - mean) * jax.lax.rsqrt(variance + _EPSILON) * scale + bias) * weight


def log_spectrogram(emg_BxTxC: jax.Array, config: TDSConfig) -> jax.Array:
    """log10 of the power per Hann-windowed spectrum, float32 [B, T / hop, C, points / 2 + 1].

    Spectrum t ends with the last sample of frame t; the signal is zero-padded on the left.
    """
    batch, time, channels = emg_BxTxC.shape
    parts, frames = config.points // config.hop, time // config.hop
    x = jnp.pad(emg_BxTxC.astype(jnp.float32), ((0, 0), (config.points - config.hop, 0), (0, 0)))
    x = x.reshape(batch, frames + parts - 1, config.hop, channels)
    pieces_BxTxPxC = jnp.concatenate([x[:, part : part + frames] for part in range(parts)], axis=2)
    sample = np.arange(config.points)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * sample / config.points)
    wave = np.exp(-2j * np.pi * np.outer(sample, np.arange(config.points // 2 + 1)) / config.points) * window[:, None]
    wave /= np.sqrt((window**2).sum())
    forms = (jnp.asarray(part, jnp.float32) for part in (wave.real, wave.imag))
    power = sum(jnp.einsum("btpc,pf->btcf", pieces_BxTxPxC, form) ** 2 for form in forms)
    return jnp.log10(power + 1e-6)


def spectrum_mask(key: jax.Array, rows_B: jax.Array, time: int, frequencies: int, config: TDSConfig) -> jax.Array:
    """SpecAugment's masks, bool [B, T, F]: spans of time and bands of frequency, equal for all electrodes."""

    def spans(key: jax.Array, size: int, count: int, most: int) -> jax.Array:
        start_key, length_key = jax.random.split(key)
        length = jax.random.randint(length_key, (count, 1), 0, most + 1)
        start = jax.random.randint(start_key, (count, 1), 0, jnp.maximum(size - length, 1))
        index = jnp.arange(size)
        return ((index >= start) & (index < start + length)).any(axis=0)

    def of_row(row: jax.Array) -> jax.Array:
        time_key, frequency_key = jax.random.split(jax.random.fold_in(key, row))
        in_time = spans(time_key, time, config.time_masks, config.time_mask_length)
        in_frequency = spans(frequency_key, frequencies, config.frequency_masks, config.frequency_mask_length)
        return in_time[:, None] | in_frequency[None, :]

    return jax.vmap(of_row)(rows_B)


def init(config: TDSConfig, key: jax.Array) -> dict[str, Any]:
    """Initial parameters: a nested dict of float32 arrays."""
    emg = jnp.zeros((1, config.hop, config.channels))
    return typing.cast(
        dict[str, Any], TDS(config).init({"params": key}, emg, jnp.ones((1, config.hop), bool), jnp.arange(1))["params"]
    )


def apply(
    config: TDSConfig,
    params: dict[str, Any],
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: jax.Array | None = None,
    remat: str = "cheap",
    rows_B: jax.Array | None = None,
    ops: Operations = PLAIN,
) -> jax.Array:
    """Logits [B, T / stride, classes], float32; frame t ends at sample (t + 1) stride - 1 (as `encoder.apply`).

    Args:
        train_key: random key of the time and frequency masks; None for evaluation.
        remat: what the backward pass recomputes to save memory: "cheap" (nothing here) or "layers" (whole blocks).
        rows_B: index of each row in the global batch, on which its masks depend (default: 0, 1, ...).

    Raises:
        InputError: T is not a multiple of the stride, or the channel count differs.
    """
    return _run(config, params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops)[0]


def hidden(
    config: TDSConfig,
    params: dict[str, Any],
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: jax.Array | None = None,
    remat: str = "cheap",
    rows_B: jax.Array | None = None,
    ops: Operations = PLAIN,
) -> tuple[jax.Array, jax.Array]:
    """The logits of `apply`, and the frames after each block, [blocks, B, T / stride, D]; the head reads the last.

    Raises:
        InputError: as `apply`.
    """
    logits, blocks = _run(config, params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops)
    return logits, jnp.stack(blocks)


def _run(
    config: TDSConfig, params: dict[str, Any], emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops
) -> tuple[jax.Array, list[jax.Array]]:
    if emg_BxTxC.shape[1] % config.hop or emg_BxTxC.shape[2] != config.channels:
        raise InputError(
            f"input of shape {emg_BxTxC.shape}: the model takes {config.channels} channels and a length that is "
            f"a multiple of {config.hop} samples",
            "bad-shape",
        )
    rngs = {} if train_key is None else {"mask": train_key}
    network = TDS(config, train=train_key is not None, remat=remat, ops=ops)
    rows_B = jnp.arange(emg_BxTxC.shape[0]) if rows_B is None else rows_B
    found = network.apply({"params": params}, emg_BxTxC, valid_BxT, rows_B, rngs=rngs)
    return typing.cast(tuple[jax.Array, list[jax.Array]], found)


def _norm(name: str, x: jax.Array) -> jax.Array:
    return nn.LayerNorm(dtype=jnp.float32, name=name)(x).astype(x.dtype)
