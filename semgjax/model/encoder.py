"""The decoder network and its pure functions: `init` makes a plain dict of parameters, `apply` the logits."""

import typing
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from semgjax.data.keys import BLANK
from semgjax.errors import InputError
from semgjax.model.attention import SelfAttention
from semgjax.model.config import ModelConfig
from semgjax.model.dropout import Dropout
from semgjax.model.frontend import FrontEnd

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


def grouped_conv(x_BxTxD: jax.Array, kernel_KxCxD: jax.Array, groups: int, padding: tuple[int, int]) -> jax.Array:
    """Grouped convolution over time as products of blocks of frames with a banded matrix; the library's values.

    A block's outputs need its own frames and the taps - 1 around them: one product of all those with the kernel,
    written once per frame of the block, a frame lower each time. The library's grouped convolution, and products tap
    by tap, take many times as long on a CPU (docs/log.md).
    """
    batch, time, width = x_BxTxD.shape
    taps, inputs, _ = kernel_KxCxD.shape
    size = min(max(taps // 8, 4), 16)  # frames: more waste products, fewer copy the input more often
    blocks = -(-time // size)
    spans = 1 + -(-(taps - 1) // size)  # blocks that a block's outputs need
    length = (blocks + spans - 1) * size
    padded = jnp.pad(x_BxTxD, ((0, 0), (padding[0], length - padding[0] - time), (0, 0)))
    x_GxBxNxP = jnp.moveaxis(padded.reshape(batch, blocks + spans - 1, size, groups, inputs), 3, 0)
    x_GxBxNxP = x_GxBxNxP.reshape(groups, batch, blocks + spans - 1, size * inputs)
    kernel_GxKxCxE = jnp.moveaxis(kernel_KxCxD.reshape(taps, inputs, groups, width // groups), 2, 0)

    @jax.checkpoint
    def product(x: jax.Array, kernel: jax.Array) -> jax.Array:
        rows = spans * size
        # Copies of the kernel end to end, each a row longer than the matrix is: cut anew, they are its bands.
        copy = jnp.pad(kernel, ((0, 0), (0, rows + 1 - taps), (0, 0), (0, 0)))
        bands = jnp.tile(copy, (1, size, 1, 1))[:, : size * rows].reshape(groups, size, rows, inputs, -1)
        matrix = bands.transpose(0, 2, 3, 1, 4).reshape(groups, rows * inputs, -1)
        patches = jnp.concatenate([x[:, :, span : span + blocks] for span in range(spans)], axis=-1)
        return jnp.einsum("gbnp,gpe->gbne", patches, matrix)

    y_GxBxTxE = product(x_GxBxNxP, kernel_GxKxCxE).reshape(groups, batch, blocks * size, width // groups)
    return jnp.moveaxis(y_GxBxTxE[:, :, :time], 0, 2).reshape(batch, time, width)


class Layer(nn.Module):
    """One transformer layer, normalised before each branch; shaped as the body of a scan over layers."""

    config: ModelConfig
    train: bool

    @nn.compact
    def __call__(self, x_BxTxD: jax.Array, valid_BxT: jax.Array) -> tuple[jax.Array, None]:
        config, width = self.config, x_BxTxD.shape[-1]
        drop = Dropout(config.dropout, self.train)
        y = nn.LayerNorm(dtype=jnp.float32, name="norm_attention")(x_BxTxD).astype(x_BxTxD.dtype)
        x = x_BxTxD + drop(SelfAttention(config, name="attention")(y, valid_BxT))
        y = nn.LayerNorm(dtype=jnp.float32, name="norm_feedforward")(x).astype(x.dtype)
        y = nn.gelu(nn.Dense(config.feedforward * width, dtype=x.dtype, name="expand")(y))
        return x + drop(nn.Dense(width, dtype=x.dtype, name="contract")(drop(y))), None


# What is computed again on the way back; the parameters and the numbers are the same.
_REMAT: dict[str, Callable[[type[Layer]], Any]] = {
    "none": lambda layer: layer,
    "layers": lambda layer: nn.remat(layer, prevent_cse=False),
    "dots": lambda layer: nn.remat(
        layer, prevent_cse=False, policy=jax.checkpoint_policies.dots_with_no_batch_dims_saveable
    ),
}


class Decoder(nn.Module):
    """Raw sEMG -> class logits per frame."""

    config: ModelConfig
    train: bool = False
    remat: str = "none"

    @nn.compact
    def __call__(self, emg_BxTxC: jax.Array, valid_BxT: jax.Array) -> jax.Array:
        config = self.config
        frame_valid_BxT = valid_BxT[:, config.stride - 1 :: config.stride]
        frames = FrontEnd(config, name="frontend")(emg_BxTxC, valid_BxT)
        frames = nn.LayerNorm(dtype=jnp.float32, name="norm_frontend")(frames).astype(frames.dtype)
        drop = Dropout(config.dropout, self.train)
        x = drop(nn.Dense(config.dim, dtype=frames.dtype, name="project")(frames))
        hidden = self.param("mask_vector", nn.initializers.uniform(1.0), (config.dim,), jnp.float32)
        if self.train and config.mask_share > 0:
            mask_BxT = time_mask(self.make_rng("mask"), frame_valid_BxT.shape, config.mask_share, config.mask_length)
            x = jnp.where(mask_BxT[..., None], hidden.astype(x.dtype), x)
        x = x * frame_valid_BxT[..., None].astype(x.dtype)  # before the recording there is silence, as when streaming
        x = drop(x + PositionConv(config, name="position")(x))
        layers = nn.scan(
            _REMAT[self.remat](Layer),
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            in_axes=nn.broadcast,
            length=config.layers,
            # A few layers laid out in line run about 15 % faster on a CPU and compile no slower; many do not.
            unroll=config.layers if config.layers <= 4 else 1,
        )(config, self.train, name="layers")
        x, _ = layers(x, frame_valid_BxT)
        x = nn.LayerNorm(dtype=jnp.float32, name="norm_out")(x).astype(x.dtype)
        head = nn.Dense(config.classes, dtype=x.dtype, bias_init=mostly_blank, name="head")
        return head(x).astype(jnp.float32)


def mostly_blank(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    """Bias of the head under which the blank has nine tenths of every frame, the keys sharing the rest.

    CTC's first phase only learns that frames are mostly blank; started there, it skips 50 to 130 steps whose
    number is a matter of luck.
    """
    odds = 9.0 * (shape[0] - 1)
    return jnp.zeros(shape, dtype).at[BLANK].set(jnp.log(odds))


def time_mask(key: jax.Array, shape: tuple[int, ...], share: float, length: int) -> jax.Array:
    """Frames to hide, bool [B, T]: spans of `length` frames start anywhere, with `share` / `length` per frame."""
    starts_BxT = jax.random.bernoulli(key, share / length, shape)
    spans = jnp.cumsum(starts_BxT, axis=1)
    before = jnp.pad(spans, ((0, 0), (length, 0)))[:, : shape[1]]
    return spans > before


def init(config: ModelConfig, key: jax.Array) -> Params:
    """Fresh parameters: a nested dict of float32 arrays, layers stacked on a first axis."""
    emg = jnp.zeros((1, 4 * config.stride, config.channels))
    valid = jnp.ones(emg.shape[:2], bool)
    return Decoder(config).init({"params": key}, emg, valid)["params"]


def apply(
    config: ModelConfig,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: jax.Array | None = None,
    remat: str = "none",
) -> jax.Array:
    """Logits [B, T / stride, classes], float32; frame t ends at sample (t + 1) stride - 1.

    Args:
        params: from `init`.
        emg_BxTxC: raw sEMG, any unit (the front end normalises it); its type is the compute type. T is a
            multiple of the stride.
        valid_BxT: False where the input is padding.
        train_key: with a key, dropout and time masks are on and drawn from it.
        remat: what a gradient computes again to save memory: "none", "layers" (each layer whole) or "dots" (all of a
            layer but its matrix products).

    Raises:
        InputError: T is no multiple of the stride, or another channel count.
    """
    if emg_BxTxC.shape[1] % config.stride or emg_BxTxC.shape[2] != config.channels:
        raise InputError(
            f"input of shape {emg_BxTxC.shape}: the model wants {config.channels} channels and a length that is "
            f"a multiple of {config.stride} samples"
        )
    rngs = {} if train_key is None else dict(zip(("dropout", "mask"), jax.random.split(train_key), strict=True))
    decoder = Decoder(config, train=train_key is not None, remat=remat)
    logits_BxTxK = decoder.apply({"params": params}, emg_BxTxC, valid_BxT, rngs=rngs)
    return typing.cast(jax.Array, logits_BxTxK)


def count_parameters(params: Params) -> int:
    """How many numbers the parameters hold."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
