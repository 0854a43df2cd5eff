"""Chunks of any length through a network that streams: whole frames are decoded, and the samples of the next wait."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.model import streaming
from semgjax.model.encoder import Params
from semgjax.model.kind import Network

BLOCK = 32
"""frames that a long chunk is decoded by"""

Step = Callable[[Params, streaming.State, ArrayLike, ArrayLike], tuple[streaming.State, jax.Array]]


@dataclass(frozen=True, eq=False)
class Feed:
    """A network ready to stream: make one with `make_feed` and use it for all streams.

    Attributes:
        config: the network.
        params: its parameters, on the device.
        step: compiled for one frame and for BLOCK frames.
    """

    config: Network
    params: Params
    step: Step


class Fed(NamedTuple):
    """A stream so far: a tree of arrays whose shapes never change.

    Attributes:
        network: what the network keeps.
        waiting: samples of a frame that is not complete, float32 [stride, channels]; the first `held` count.
        valid: which of them were there, bool [stride].
        held: int32 [].
    """

    network: streaming.State
    waiting: np.ndarray
    valid: np.ndarray
    held: np.ndarray


def make_feed(config: Network, params: Params) -> Feed:
    """Compile nothing yet, bring the parameters to the device.

    Raises:
        InputError: the network cannot stream ("conflict").
    """
    streaming.check_streams(config)

    @jax.jit
    def step(
        params: Params, state: streaming.State, emg_BxTxC: ArrayLike, valid_BxT: ArrayLike
    ) -> tuple[streaming.State, jax.Array]:
        return streaming.step(config, params, state, jnp.asarray(emg_BxTxC), jnp.asarray(valid_BxT))

    return Feed(config, jax.device_put(params), step)


def begin(feed: Feed) -> Fed:
    """A stream before its first sample; also what resets one."""
    stride, channels = feed.config.stride, feed.config.channels
    waiting, valid = np.zeros((stride, channels), np.float32), np.zeros(stride, bool)
    return Fed(streaming.begin(feed.config), waiting, valid, np.zeros((), np.int32))


def advance(feed: Feed, state: Fed, emg_TxC: ArrayLike, valid_T: ArrayLike | None = None) -> tuple[Fed, np.ndarray]:
    """The stream after these samples, and natural-log probabilities of the frames they complete, float32 [F, classes].

    Args:
        emg_TxC: the next samples, any number of them, none too.
        valid_T: False where a sample was lost; its value does not count. None: all are there.

    Raises:
        InputError: another number of channels ("channel-count"), another shape ("bad-shape"), or values that are not
            finite in samples that count ("not-finite").
    """
    new_TxC, valid = _checked(feed, emg_TxC, valid_T)
    stride, held = feed.config.stride, int(state.held)
    emg_TxC = np.concatenate([state.waiting[:held], new_TxC])
    valid = np.concatenate([state.valid[:held], valid])
    frames, network, found = len(emg_TxC) // stride, state.network, []
    at = 0
    while at < frames:
        size = BLOCK if frames - at >= BLOCK else 1
        part = slice(at * stride, (at + size) * stride)
        network, log_probs = feed.step(feed.params, network, emg_TxC[None, part], valid[None, part])
        found.append(np.asarray(log_probs[0]))
        at += size
    left = len(emg_TxC) - frames * stride
    waiting, kept = np.zeros_like(state.waiting), np.zeros_like(state.valid)
    waiting[:left], kept[:left] = emg_TxC[frames * stride :], valid[frames * stride :]
    empty = np.zeros((0, feed.config.classes), np.float32)
    return Fed(network, waiting, kept, np.array(left, np.int32)), np.concatenate([empty, *found])


def _checked(feed: Feed, emg_TxC: ArrayLike, valid_T: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    emg = np.asarray(emg_TxC, np.float32)
    if emg.ndim != 2:
        raise InputError(f"samples: shape {emg.shape}; give [samples, {feed.config.channels}]", "bad-shape")
    if emg.shape[1] != feed.config.channels:
        raise InputError(f"samples: {emg.shape[1]} channels; the network takes {feed.config.channels}", "channel-count")
    valid = np.ones(len(emg), bool) if valid_T is None else np.asarray(valid_T, bool)
    if valid.shape != emg.shape[:1]:
        raise InputError(f"valid: shape {valid.shape}; give one value for each of {len(emg)} samples", "bad-shape")
    bad = ~np.isfinite(emg).all(axis=1) & valid
    if bad.any():
        raise InputError(
            f"samples: sample {int(np.argmax(bad))} of the chunk is not finite; mark it as lost or repair it",
            "not-finite",
        )
    return np.where(valid[:, None], emg, np.float32(0)), valid
