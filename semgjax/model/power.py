"""The power front end: log amplitude of each electrode per frame, then a layer that tolerates a turn of the ring.

Muscle activity shows in the amplitude under each electrode. Where recordings are few, a network that must find this in
the raw signal stays on the all-blank plateau of CTC (docs/log.md). The two amplitudes are the usual ones of
gesture classifiers: root mean square, and mean absolute difference of neighbouring samples ("waveform length"; Hudgins
et al., "A new strategy for multifunction myoelectric control", 1993), which grows with frequency too. The layer on
turned rings is that of emg2qwerty (Sivakumar et al., NeurIPS 2024, section 5).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import gelu
from jax.nn.initializers import lecun_normal, normal

from semgjax.model.config import ModelConfig
from semgjax.model.front import POWER_FEATURES, ring_places
from semgjax.model.running import history, rolling_sum

Params = dict[str, Any]
Reach = Callable[..., jax.Array]
"""`rolling_sum` or `history` of semgjax.model.running, or their streaming forms"""

_FLOOR = 0.03
"""an amplitude's floor, as a share of its ring's: a lost electrode is at log 0.03 of it, and not at -infinity"""
_LEAST = 1e-9
"""amplitude below which there is no signal at all, in the signal's unit"""


def front_end(
    config: ModelConfig,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    fading: Reach = rolling_sum,
    before: Reach = history,
) -> jax.Array:
    """Raw sEMG [B, T, C] -> frames [B, T / power_frame, front_width] in the input's type.

    Frame t ends at sample (t + 1) power_frame - 1 and depends on nothing later, unless config.norm is "window".

    Args:
        fading, before: `rolling_sum` and `history` of semgjax.model.encoder.Operations.
    """
    x_BxFxCxP = log_amplitudes(config, emg_BxTxC, valid_BxT, fading, before) * params["scale"] + params["bias"]
    return read_rings(config, params, x_BxFxCxP.astype(emg_BxTxC.dtype))


def log_amplitudes(
    config: ModelConfig,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    fading: Reach = rolling_sum,
    before: Reach = history,
) -> jax.Array:
    """Log of RMS and of mean absolute difference, less their means over time: float32 [B, F, C, 2].

    The mean of each electrode is that of config.norm: over the past ("rolling", with the time constant norm_seconds,
    the frame itself included) or over the whole window ("window"). So neither the unit, nor the gain of an electrode
    matters. Samples that are not valid do not count; a frame without valid samples is zero.
    """
    batch, time, channels = emg_BxTxC.shape
    frames = (batch, time // config.power_frame, config.power_frame)
    x = emg_BxTxC.astype(jnp.float32)  # squares of float16 would overflow
    valid = valid_BxT.astype(jnp.float32)[..., None]
    # A difference needs two valid samples; that of the first sample of the input is unknown.
    pair = valid * before(valid, 1)[:, :-1]
    change = jnp.abs(x - before(x, 1)[:, :-1])

    def sums(value_BxTxD: jax.Array) -> jax.Array:
        return value_BxTxD.reshape(*frames, -1).sum(axis=2)

    share_BxFx1 = sums(valid) / config.power_frame
    square = _log_over_floor(config, sums(x * x * valid), sums(valid), _FLOOR**2, _LEAST**2, fading)
    slope = _log_over_floor(config, sums(change * pair), sums(pair), _FLOOR, _LEAST, fading)
    log_BxFxD = jnp.concatenate([0.5 * square, slope], axis=-1)
    weight_BxFx1 = _at_least(running(config, share_BxFx1, fading), 1e-6)
    mean_BxFxD = running(config, log_BxFxD * share_BxFx1, fading) / weight_BxFx1
    centred = jnp.where(share_BxFx1 > 0, log_BxFxD - mean_BxFxD, 0.0)
    return centred.reshape(*frames[:2], POWER_FEATURES, channels).swapaxes(2, 3)


def _log_over_floor(
    config: ModelConfig, total_BxFxC: jax.Array, count_BxFx1: jax.Array, share: float, least: float, fading: Reach
) -> jax.Array:
    """Log of the mean of each electrode in each frame plus a floor: `share` of the mean over its ring and over time."""
    level_BxFxC = running(config, total_BxFxC, fading) / _at_least(running(config, count_BxFx1, fading), 1.0)
    floor_BxFxC = jnp.concatenate(
        [
            jnp.broadcast_to(ring.mean(axis=-1, keepdims=True), ring.shape)
            for ring in (level_BxFxC[..., low:high] for low, high in ring_places(config))
        ],
        axis=-1,
    )
    return jnp.log(total_BxFxC / _at_least(count_BxFx1, 1.0) + share * floor_BxFxC + least)


def running(config: ModelConfig, x_BxFxD: jax.Array, fading: Reach = rolling_sum) -> jax.Array:
    """Sums over time by config.norm: fading ones of the past, or those of the whole window at every frame."""
    if config.norm == "window":
        return jnp.broadcast_to(x_BxFxD.sum(axis=1, keepdims=True), x_BxFxD.shape)
    return fading(x_BxFxD, config.norm_decay)


def turned(x_BxTxExF: jax.Array, turns: int) -> jax.Array:
    """A ring as it lies and turned by up to `turns` electrodes to either side: [2 turns + 1, B, T, E F]."""
    places = jnp.stack([jnp.roll(x_BxTxExF, turn, axis=2) for turn in range(-turns, turns + 1)])
    return places.reshape(*places.shape[:3], -1)


def read_rings(config: ModelConfig, params: Params, x_BxFxCxP: jax.Array) -> jax.Array:
    """One dense layer a ring, on the ring turned by -turns to turns electrodes, averaged over the turns."""
    rings = []
    for index, (low, high) in enumerate(ring_places(config)):
        x = turned(x_BxFxCxP[:, :, low:high], config.power_turns)
        kernel, bias = (params[f"ring{index}"][name].astype(x.dtype) for name in ("kernel", "bias"))
        rings.append(gelu(x @ kernel + bias).mean(axis=0))
    return jnp.concatenate(rings, axis=-1)


def init(config: ModelConfig, key: jax.Array) -> Params:
    """Initial parameters of the front end: float32 arrays."""
    front: Params = {"scale": jnp.ones(POWER_FEATURES), "bias": jnp.zeros(POWER_FEATURES)}
    for index, electrodes in enumerate(config.rings):
        kernel_key, bias_key = jax.random.split(jax.random.fold_in(key, index))
        front[f"ring{index}"] = {
            "kernel": lecun_normal()(kernel_key, (electrodes * POWER_FEATURES, config.power_width)),
            # Not zero: see `semgjax.model.encoder.NOT_ZERO`, which is this too.
            "bias": normal(0.1)(bias_key, (config.power_width,)),
        }
    return front


def _at_least(count: jax.Array, least: float) -> jax.Array:
    return jnp.maximum(count, least)
