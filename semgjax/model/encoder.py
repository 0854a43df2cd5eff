"""The decoder from raw sEMG to logits: pure functions on a plain dict of parameters, in reading order.

This file is the definition. `Operations` holds the expensive parts in their reference form; semgjax.model.operations
replaces them by the forms of semgjax.kernels that suit a device and give the same values.
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import gelu
from jax.nn.initializers import lecun_normal, normal, uniform, variance_scaling

from semgjax.errors import InputError
from semgjax.kernels.bits import random_bits
from semgjax.kernels.keep import KEPT, keep
from semgjax.kernels.masked import masked_softmax
from semgjax.model import complete_p, power
from semgjax.model.config import ModelConfig
from semgjax.model.front import front_width
from semgjax.model.running import history, rolling_sum

Params = dict[str, Any]
Key = jax.Array | None
"""a random key, or None for no dropout and no masks"""

_EPSILON = 1e-5
_LEAST_VARIANCE = 1e-3  # as a share of the mean square

# -- the expensive parts, reference form --------------------------------------------------------------------------


def attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int | None, causal: bool) -> jax.Array:
    """Softmax attention over all pairs, masked to the window; [B, T, H, D]. Zero for a query that sees no key."""
    time = jnp.arange(q_BxTxHxD.shape[1])
    age_QxK = time[:, None] - time[None, :]
    visible_QxK = age_QxK >= 0 if causal else jnp.ones_like(age_QxK, dtype=bool)
    if window is not None:
        visible_QxK &= jnp.abs(age_QxK) < window
    mask_Bx1xQxK = (visible_QxK[None] & valid_BxT[:, None, :])[:, None]
    scores = jnp.einsum("bqhd,bkhd->bhqk", q_BxTxHxD, k_BxTxHxD).astype(jnp.float32) * q_BxTxHxD.shape[-1] ** -0.5
    weights = masked_softmax(scores, mask_Bx1xQxK)
    return keep(jnp.einsum("bhqk,bkhd->bqhd", weights.astype(v_BxTxHxD.dtype), v_BxTxHxD))


def strided_conv(x_BxTxC: jax.Array, kernel_KxCxD: jax.Array, stride: int) -> jax.Array:
    """[B, T / stride, D], where output t ends at the last sample of its step; zero-padded on the left."""
    padding = [(kernel_KxCxD.shape[0] - stride, 0)]
    return jax.lax.conv_general_dilated(
        x_BxTxC, kernel_KxCxD, (stride,), padding, dimension_numbers=("NWC", "WIO", "NWC")
    )


def grouped_conv(x_BxTxD: jax.Array, kernel_KxCxE: jax.Array, groups: int, padding: tuple[int, int]) -> jax.Array:
    """[B, T, E] with `padding` frames of zeros before and after; C = D / groups."""
    return jax.lax.conv_general_dilated(
        x_BxTxD, kernel_KxCxE, (1,), [padding], dimension_numbers=("NWC", "WIO", "NWC"), feature_group_count=groups
    )


def layer_norm(x: jax.Array, scale: jax.Array, bias: jax.Array) -> jax.Array:
    """Layer norm over the last axis, computed in float32."""
    y = x.astype(jnp.float32)
    square = jax.lax.square(y)
    mean, power = y.mean(axis=-1, keepdims=True), square.mean(axis=-1, keepdims=True)
    variance = jnp.maximum(0.0, power - jax.lax.square(mean))
    return ((y - mean) * (jax.lax.rsqrt(variance + 1e-6) * scale) + bias).astype(x.dtype)


def step_sums(x_BxFxSxD: jax.Array, weight_BxFxSx1: jax.Array) -> tuple[jax.Array, ...]:
    """Sums over the steps of each frame: weights [B, F, 1], weighted x and weighted x^2 [B, F, D]."""
    x, weight = x_BxFxSxD, weight_BxFxSx1
    return weight.sum(axis=2), (x * weight).sum(axis=2), (x * x * weight).sum(axis=2)


class Operations(NamedTuple):
    """The expensive parts and all that reaches across time, with the signatures of the reference forms."""

    attention: Callable[..., jax.Array] = attention
    strided_conv: Callable[..., jax.Array] = strided_conv
    grouped_conv: Callable[..., jax.Array] = grouped_conv
    layer_norm: Callable[..., jax.Array] = layer_norm
    step_sums: Callable[..., tuple[jax.Array, ...]] = step_sums
    rolling_sum: Callable[..., jax.Array] = rolling_sum
    history: Callable[..., jax.Array] = history
    scan: Callable[..., Any] = jax.lax.scan
    """over layers"""


PLAIN = Operations()

# -- the front end ------------------------------------------------------------------------------------------------


def front_end(config: ModelConfig, params: Params, emg_BxTxC, valid_BxT, ops: Operations) -> jax.Array:
    """Raw sEMG [B, T, C] -> frames [B, T / stride, front_width]; padded samples are zeros."""
    if config.frontend == "power":
        return power.front_end(config, params, emg_BxTxC, valid_BxT, ops.rolling_sum, ops.history)
    x = emg_BxTxC * valid_BxT[..., None].astype(emg_BxTxC.dtype)
    for index, stride in enumerate(config.conv_strides):
        x = ops.strided_conv(x, params[f"conv{index}"]["kernel"].astype(x.dtype), stride)
        if index == 0:
            x = time_norm(config, params["norm"], x, valid_BxT[:, stride - 1 :: stride], ops)
        x = gelu(x)
    return x


def time_norm(config: ModelConfig, params: Params, x_BxTxD, valid_BxT, ops: Operations = PLAIN) -> jax.Array:
    """Normalisation of each channel over time, with scale and bias: group norm with groups = channels.

    "window" takes the statistics of the whole valid input (the paper's layer; it sees the future). "rolling" takes
    an exponential moving average of the past, updated once per output frame, so that a frame sees nothing after its
    own last sample.
    """
    batch, time, width = x_BxTxD.shape
    rolling = config.norm == "rolling"
    step = config.stride // config.conv_strides[0] if rolling else time
    # [B, frames, steps, D]: statistics are one row per frame, or one for the whole window
    x = x_BxTxD.astype(jnp.float32).reshape(batch, time // step, step, width)
    weight = valid_BxT.astype(jnp.float32).reshape(batch, time // step, step, 1)
    count, first, second = ops.step_sums(x, weight)
    if rolling:
        sums = ops.rolling_sum(jnp.concatenate([first, second, count], axis=-1), config.norm_decay)
        first, second, count = sums[..., :width], sums[..., width : 2 * width], sums[..., 2 * width :]
    # A product, not a division by what is broadcast: that one is rounded in another way where lengths are symbols.
    share = 1.0 / jnp.maximum(count, 1e-6)
    mean = first * share
    # One pass is accurate enough: high-passed sEMG, and any convolution of it, has a mean near zero. A row's
    # first steps have a variance of rounding errors only; without the floor its gradient would reach 1e7.
    power = second * share
    variance = jnp.maximum(power - mean**2, _LEAST_VARIANCE * power)
    y = (x - mean[:, :, None]) * jax.lax.rsqrt(variance + _EPSILON)[:, :, None] * params["scale"] + params["bias"]
    return (y * weight).reshape(batch, time, width).astype(x_BxTxD.dtype)


# -- position, layers, whole network ------------------------------------------------------------------------------


def position(config: ModelConfig, params: Params, x_BxTxD: jax.Array, ops: Operations = PLAIN) -> jax.Array:
    """Grouped convolution over time with weight norm, as a relative position embedding (wav2vec 2.0, section 2).

    The weight norm has one gain per tap. Causal: padded on the left only, so that no output sees a later frame;
    otherwise centred.
    """
    direction, taps = params["direction"], config.position_kernel
    norm = jnp.sqrt((direction**2).sum(axis=(1, 2), keepdims=True))
    kernel = (direction / norm * params["gain"][:, None, None]).astype(x_BxTxD.dtype)
    before = taps - 1 if config.causal else taps // 2
    y = ops.grouped_conv(x_BxTxD, kernel, config.position_groups, (before, taps - 1 - before))
    return gelu(y + params["bias"].astype(y.dtype))


def layer(config: ModelConfig, params: Params, x_BxTxD, valid_BxT, rows_B, key: Key, ops: Operations) -> jax.Array:
    """One pre-norm transformer layer."""

    def drop(x: jax.Array, use: int) -> jax.Array:
        return dropout(x, rows_B, config.dropout, _named(key, "layers", "Dropout_0", 3 + use))

    batch, time, width = x_BxTxD.shape
    y = ops.layer_norm(x_BxTxD, **params["norm_attention"])
    qkv = dense(params["attention"]["qkv"], y)
    q, k, v = (keep(part.reshape(batch, time, config.heads, -1)) for part in jnp.split(qkv, 3, axis=-1))
    q = scaled(q, complete_p.logit_scale(config))
    y = ops.attention(q, k, v, valid_BxT, config.attention_window, config.causal)
    y = dense(params["attention"]["out"], y.reshape(batch, time, width))
    x = keep(x_BxTxD + drop(scaled(y, complete_p.residual_scale(config)), 1))
    y = ops.layer_norm(x, **params["norm_feedforward"])
    y = drop(gelu(keep(dense(params["expand"], y))), 2)
    return x + drop(scaled(dense(params["contract"], y), complete_p.residual_scale(config)), 3)


# Rematerialisation changes neither parameters nor values.
_REMAT: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "none": lambda body: body,
    "cheap": lambda body: jax.checkpoint(
        body, prevent_cse=False, policy=jax.checkpoint_policies.save_only_these_names(KEPT)
    ),
    "layers": lambda body: jax.checkpoint(body, prevent_cse=False),
}


def apply(
    config: ModelConfig,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: Key = None,
    remat: str = "cheap",
    rows_B: jax.Array | None = None,
    ops: Operations = PLAIN,
) -> jax.Array:
    """Logits [B, T / stride, classes], float32; frame t ends at sample (t + 1) stride - 1.

    Args:
        params: from `init`.
        emg_BxTxC: raw sEMG, any unit (the front end normalises it); its type is the compute type. T is a
            multiple of the stride.
        valid_BxT: False where the input is padding.
        train_key: random key of dropout and time masks; None for evaluation.
        remat: what the backward pass recomputes to save memory: "none", "cheap" (norms, activations, dropout,
            scores) or "layers" (whole layers).
        rows_B: index of each row in the global batch, on which its dropout and masks depend (default: 0, 1, ...).
        ops: the expensive parts, in reference form or in one that suits the device.

    Raises:
        InputError: T is not a multiple of the stride, or the channel count differs.
    """
    x, _ = frames(config, params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops, keep_layers=False)
    return read_out(config, params["head"], x).astype(jnp.float32)


def hidden(
    config: ModelConfig,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: Key = None,
    remat: str = "cheap",
    rows_B: jax.Array | None = None,
    ops: Operations = PLAIN,
) -> tuple[jax.Array, jax.Array]:
    """The logits of `apply`, and the frames after each layer, [layers, B, T / stride, dim].

    The last ones are those that the head reads, after the last norm.

    Raises:
        InputError: as `apply`.
    """
    x, layers = frames(config, params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops, keep_layers=True)
    return read_out(config, params["head"], x).astype(jnp.float32), jnp.concatenate([layers[:-1], x[None]])


def frames(
    config: ModelConfig, params: Params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops, keep_layers: bool
) -> tuple[jax.Array, Any]:
    """Frames that the head reads, and with `keep_layers` those after each layer."""
    if emg_BxTxC.shape[1] % config.stride or emg_BxTxC.shape[2] != config.channels:
        raise InputError(
            f"input of shape {emg_BxTxC.shape}: the model takes {config.channels} channels and a length that is "
            f"a multiple of {config.stride} samples",
            "bad-shape",
        )
    rows_B = jnp.arange(emg_BxTxC.shape[0]) if rows_B is None else rows_B
    drop_key, mask_key = (None, None) if train_key is None else jax.random.split(train_key)

    def drop(x: jax.Array, use: int) -> jax.Array:
        return dropout(x, rows_B, config.dropout, _named(drop_key, "Dropout_0", use))

    valid_BxF = valid_BxT[:, config.stride - 1 :: config.stride]
    x = front_end(config, params["frontend"], emg_BxTxC, valid_BxT, ops)
    x = drop(dense(params["project"], ops.layer_norm(x, **params["norm_frontend"])), 1)
    if mask_key is not None and config.mask_share > 0:
        mask_BxF = time_mask(_named(mask_key, 1), rows_B, x.shape[1], config.mask_share, config.mask_length)
        x = jnp.where(mask_BxF[..., None], params["mask_vector"].astype(x.dtype), x)
    x = x * valid_BxF[..., None].astype(x.dtype)  # zeros before the recording, as in streaming
    x = drop(x + position(config, params["position"], x, ops), 2)

    def body(x_BxFxD: jax.Array, one: tuple[Params, Key]) -> tuple[jax.Array, Any]:
        x_BxFxD = layer(config, one[0], x_BxFxD, valid_BxF, rows_B, one[1], ops)
        return x_BxFxD, x_BxFxD if keep_layers else None

    keys = None if drop_key is None else jax.random.split(drop_key, config.layers)
    x, layers_LxBxFxD = ops.scan(_REMAT[remat](body), x, (params["layers"], keys))
    return ops.layer_norm(x, **params["norm_out"]), layers_LxBxFxD


def read_out(config: ModelConfig, params: Params, x: jax.Array) -> jax.Array:
    """The logits of the head."""
    return dense(params, scaled(x, complete_p.output_scale(config)))


def scaled(x: jax.Array, factor: float) -> jax.Array:
    """x times a constant in the type of x; x itself for 1."""
    return x if factor == 1.0 else x * x.dtype.type(factor)


def dense(params: Params, x: jax.Array) -> jax.Array:
    """x @ kernel + bias in the type of x."""
    return x @ params["kernel"].astype(x.dtype) + params["bias"].astype(x.dtype)


def dropout(x: jax.Array, rows_B: jax.Array, rate: float, key: Key) -> jax.Array:
    """Dropout with the rate rounded to 1/256 and the exact matching scale."""
    dropped = round(256 * rate)
    if key is None or dropped == 0:
        return x
    kept = random_bits(key, rows_B, x.shape) >> 24 >= dropped
    return jnp.where(kept, x * x.dtype.type(256 / (256 - dropped)), x.dtype.type(0))


def time_mask(key: Any, rows_B: jax.Array, time: int, share: float, length: int) -> jax.Array:
    """Masked frames, bool [B, T]: a span of `length` frames starts at each frame with probability share / length."""
    starts_BxT = random_bits(key, rows_B, (rows_B.shape[0], time)) < jnp.uint32(share / length * 2**32)
    spans = jnp.cumsum(starts_BxT, axis=1)
    before = jnp.pad(spans, ((0, 0), (length, 0)))[:, :time]
    return spans > before


# -- initial parameters -------------------------------------------------------------------------------------------

NOT_ZERO = normal(0.1)
"""Bias in front of the residual layers. With zero biases a frame without signal (lost electrodes, or the first frame of
a session) stays exactly zero through every layer at initialisation, and each norm multiplies the gradient at zero by a
thousand: NaN after ten layers."""


def init(config: ModelConfig, key: jax.Array) -> Params:
    """Initial parameters: a nested dict of float32 arrays, layers stacked along the first axis."""
    dim, wide, taps = config.dim, config.feedforward * config.dim, config.position_kernel

    def linear(key: jax.Array, path: tuple[str, ...], inputs: int, outputs: int, bias: Any = None) -> Params:
        first = 3 if path[0] == "layers" else 1  # Linen's scan counts twice
        kernel = lecun_normal()(_named(key, *path, first), (inputs, outputs))
        return {
            "kernel": scaled(kernel, complete_p.initial_scale(config, path)),
            "bias": jnp.zeros(outputs) if bias is None else bias(_named(key, *path, first + 1), (outputs,)),
        }

    def norm(width: int) -> Params:
        return {"scale": jnp.ones(width), "bias": jnp.zeros(width)}

    def one_layer(key: jax.Array) -> Params:
        return {
            "norm_attention": norm(dim),
            "attention": {
                "qkv": linear(key, ("layers", "attention", "qkv"), dim, 3 * dim),
                "out": linear(key, ("layers", "attention", "out"), dim, dim),
            },
            "norm_feedforward": norm(dim),
            "expand": linear(key, ("layers", "expand"), dim, wide),
            "contract": linear(key, ("layers", "contract"), wide, dim),
        }

    def convolutions() -> Params:
        inputs = (config.channels, *config.conv_widths[:-1])
        front: Params = {"norm": norm(config.conv_widths[0])}
        for index, shape in enumerate(zip(config.conv_kernels, inputs, config.conv_widths, strict=True)):
            start = one_channel if index == 0 else variance_scaling(2.0, "fan_in", "truncated_normal", (0, 1), 2)
            front[f"conv{index}"] = {"kernel": start(_named(key, "frontend", f"conv{index}", 1), shape)}
        return front

    # The paper's layer gives less the more groups there are; under completep the groups are as wide as the base's.
    deviation = (taps * dim / config.position_groups) ** -0.5 if config.complete_p else 2.0 / (taps * dim) ** 0.5
    direction = normal(deviation)(_named(key, "position", 1), (taps, dim // config.position_groups, dim))
    gain = jnp.sqrt((direction**2).sum(axis=(1, 2)))
    return {
        "frontend": convolutions() if config.frontend == "conv" else power.init(config, _named(key, "frontend", 1)),
        "norm_frontend": norm(front_width(config)),
        "project": linear(key, ("project",), front_width(config), dim, NOT_ZERO),
        "mask_vector": uniform(1.0)(_named(key, 1), (dim,)),
        "position": {"direction": direction, "gain": gain, "bias": jnp.zeros(dim)},
        "layers": jax.lax.map(one_layer, jax.random.split(key, config.layers)),
        "norm_out": norm(dim),
        "head": linear(key, ("head",), dim, config.classes, mostly_blank),
    }


def one_channel(key: Any, shape: tuple[int, int, int]) -> jax.Array:
    """Kernel [K, C, D] whose filter d starts on the single channel d mod C, with random taps.

    Muscle activity shows in the amplitude under each electrode. Random mixtures of all electrodes look much alike
    once rectified; with separate channels training leaves the all-blank plateau of CTC sooner (docs/log.md).
    """
    taps, channels, width = shape
    kernel_KxD = jax.random.normal(key, (taps, width)) * (2.0 / taps) ** 0.5
    return kernel_KxD[:, None, :] * jnp.eye(channels)[:, jnp.arange(width) % channels]


def mostly_blank(key: Any, shape: tuple[int, ...]) -> jax.Array:
    """Bias of the head that gives the blank, the last class, probability 0.9 in every frame.

    CTC training first learns that frames are mostly blank; starting there skips that phase of 50 to 130 steps.
    """
    return jnp.zeros(shape).at[-1].set(jnp.log(9.0 * (shape[0] - 1)))


def _named(key: Key, *path: str | int) -> Any:
    """The random key of a path of names and a number, by Flax Linen's rule, so that a seed gives the parameters
    and dropout of earlier versions.
    """
    if key is None:
        return None
    words = (part.encode() if isinstance(part, str) else bytes([part]) for part in path)
    digest = hashlib.sha1(b"".join(words), usedforsecurity=False).digest()
    return jax.random.fold_in(key, jnp.uint32(int.from_bytes(digest[:4], "big")))


def count_parameters(params: Params) -> int:
    """The number of parameters."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
