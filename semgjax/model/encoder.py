"""The decoder network and its pure functions: `init` makes a plain dict of parameters, `apply` the logits."""

import typing
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from semgjax.data.keys import BLANK
from semgjax.errors import InputError
from semgjax.model.attention import SelfAttention
from semgjax.model.config import ModelConfig
from semgjax.model.convolve import grouped_conv
from semgjax.model.dropout import Dropout, random_bits
from semgjax.model.finite import NOT_ZERO
from semgjax.model.frontend import FrontEnd
from semgjax.model.tiles import KEPT

Params = dict[str, Any]


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
        y = grouped_conv(x_BxTxD, kernel, groups, (before, taps - 1 - before))
        return nn.gelu(y + bias.astype(y.dtype))


def layer_norm(name: str, x_BxTxD: jax.Array) -> jax.Array:
    """Layer norm in float32, a submodule of the caller.

    Frames of all rows are laid end to end: XLA's sums over [1, T, D] take ten times those over [T, D] on a CPU.
    """
    flat = x_BxTxD.reshape(-1, x_BxTxD.shape[-1])
    return nn.LayerNorm(dtype=jnp.float32, name=name)(flat).astype(x_BxTxD.dtype).reshape(x_BxTxD.shape)


class Layer(nn.Module):
    """One transformer layer, normalised before each branch; shaped as the body of a scan over layers."""

    config: ModelConfig
    train: bool

    @nn.compact
    def __call__(self, x_BxTxD: jax.Array, valid_BxT: jax.Array, rows_B: jax.Array) -> tuple[jax.Array, None]:
        config, width = self.config, x_BxTxD.shape[-1]
        drop = Dropout(config.dropout, self.train)
        y = layer_norm("norm_attention", x_BxTxD)
        x = x_BxTxD + drop(SelfAttention(config, name="attention")(y, valid_BxT), rows_B)
        x = checkpoint_name(x, KEPT)
        y = layer_norm("norm_feedforward", x)
        y = checkpoint_name(nn.Dense(config.feedforward * width, dtype=x.dtype, name="expand")(y), KEPT)
        y = drop(nn.gelu(y), rows_B)
        return x + drop(nn.Dense(width, dtype=x.dtype, name="contract")(y), rows_B), None


# What is computed again on the way back; the parameters and the numbers are the same.
_REMAT: dict[str, Callable[[type[Layer]], Any]] = {
    "none": lambda layer: layer,
    "cheap": lambda layer: nn.remat(
        layer, prevent_cse=False, policy=jax.checkpoint_policies.save_only_these_names(KEPT)
    ),
    "layers": lambda layer: nn.remat(layer, prevent_cse=False),
}


class Decoder(nn.Module):
    """Raw sEMG -> class logits per frame."""

    config: ModelConfig
    train: bool = False
    remat: str = "cheap"

    @nn.compact
    def __call__(self, emg_BxTxC: jax.Array, valid_BxT: jax.Array, rows_B: jax.Array) -> jax.Array:
        config = self.config
        frame_valid_BxT = valid_BxT[:, config.stride - 1 :: config.stride]
        frames = FrontEnd(config, name="frontend")(emg_BxTxC, valid_BxT)
        frames = layer_norm("norm_frontend", frames)
        drop = Dropout(config.dropout, self.train)
        project = nn.Dense(config.dim, dtype=frames.dtype, bias_init=NOT_ZERO, name="project")
        x = drop(project(frames), rows_B)
        hidden = self.param("mask_vector", nn.initializers.uniform(1.0), (config.dim,), jnp.float32)
        if self.train and config.mask_share > 0:
            mask_BxT = time_mask(self.make_rng("mask"), rows_B, x.shape[1], config.mask_share, config.mask_length)
            x = jnp.where(mask_BxT[..., None], hidden.astype(x.dtype), x)
        x = x * frame_valid_BxT[..., None].astype(x.dtype)  # before the recording there is silence, as when streaming
        x = drop(x + PositionConv(config, name="position")(x), rows_B)
        layers = nn.scan(
            _REMAT[self.remat](Layer),
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            in_axes=nn.broadcast,
            length=config.layers,
        )(config, self.train, name="layers")
        x, _ = layers(x, frame_valid_BxT, rows_B)
        x = layer_norm("norm_out", x)
        head = nn.Dense(config.classes, dtype=x.dtype, bias_init=mostly_blank, name="head")
        return head(x).astype(jnp.float32)


def mostly_blank(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    """Bias of the head under which the blank has nine tenths of every frame, the keys sharing the rest.

    CTC's first phase only learns that frames are mostly blank; started there, it skips 50 to 130 steps whose
    number is a matter of luck.
    """
    odds = 9.0 * (shape[0] - 1)
    return jnp.zeros(shape, dtype).at[BLANK].set(jnp.log(odds))


def time_mask(key: jax.Array, rows_B: jax.Array, time: int, share: float, length: int) -> jax.Array:
    """Frames to hide, bool [B, T]: spans of `length` frames start anywhere, with `share` / `length` per frame."""
    starts_BxT = random_bits(key, rows_B, (rows_B.shape[0], time)) < jnp.uint32(share / length * 2**32)
    spans = jnp.cumsum(starts_BxT, axis=1)
    before = jnp.pad(spans, ((0, 0), (length, 0)))[:, :time]
    return spans > before


def init(config: ModelConfig, key: jax.Array) -> Params:
    """Fresh parameters: a nested dict of float32 arrays, layers stacked on a first axis."""
    emg = jnp.zeros((1, 4 * config.stride, config.channels))
    valid = jnp.ones(emg.shape[:2], bool)
    return Decoder(config).init({"params": key}, emg, valid, jnp.arange(1))["params"]


def apply(
    config: ModelConfig,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: jax.Array | None = None,
    remat: str = "cheap",
    rows_B: jax.Array | None = None,
) -> jax.Array:
    """Logits [B, T / stride, classes], float32; frame t ends at sample (t + 1) stride - 1.

    Args:
        params: from `init`.
        emg_BxTxC: raw sEMG, any unit (the front end normalises it); its type is the compute type. T is a
            multiple of the stride.
        valid_BxT: False where the input is padding.
        train_key: with a key, dropout and time masks are on and drawn from it.
        remat: what a gradient computes again to save memory: "cheap" (norms, activations, dropout) or "layers" (each
            layer whole).
        rows_B: each row's number in the whole batch, which its dropout and masks depend on (default: from 0 on).

    Raises:
        InputError: T is no multiple of the stride, or another channel count.
    """
    if emg_BxTxC.shape[1] % config.stride or emg_BxTxC.shape[2] != config.channels:
        raise InputError(
            f"input of shape {emg_BxTxC.shape}: the model wants {config.channels} channels and a length that is "
            f"a multiple of {config.stride} samples",
            "bad-value",
        )
    rngs = {} if train_key is None else dict(zip(("dropout", "mask"), jax.random.split(train_key), strict=True))
    decoder = Decoder(config, train=train_key is not None, remat=remat)
    rows_B = jnp.arange(emg_BxTxC.shape[0]) if rows_B is None else rows_B
    logits_BxTxK = decoder.apply({"params": params}, emg_BxTxC, valid_BxT, rows_B, rngs=rngs)
    return typing.cast(jax.Array, logits_BxTxK)


def count_parameters(params: Params) -> int:
    """How many numbers the parameters hold."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
