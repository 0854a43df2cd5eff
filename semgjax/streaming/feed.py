"""Chunks of any length through a network that streams: whole frames are decoded, and the samples of the next wait."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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

State = tuple[Any, ...]
"""arrays [1, ...] of one shape for the whole stream"""
Step = Callable[[State, np.ndarray, np.ndarray], tuple[State, ArrayLike]]
"""(state, emg [1, T, channels], valid [1, T]) -> state, natural-log probabilities [1, T / stride, classes]"""


@dataclass(frozen=True, eq=False)
class Feed:
    """A network ready to stream: make one with `make_feed` or `feed_of_steps` and use it for all streams.

    Attributes:
        stride: samples of a frame.
        channels: electrodes.
        classes: outputs, the blank last.
        begin: the network's state before the first frame.
        step: one call for `together` frames or for `block` frames.
        block: frames that a long chunk is decoded by, a multiple of `together`.
        together: frames that are decoded at once. A step reads all parameters, however few its frames are.
    """

    stride: int
    channels: int
    classes: int
    begin: Callable[[], State]
    step: Step
    block: int
    together: int = 1

    @property
    def unit(self) -> int:
        """Samples that are decoded at once."""
        return self.stride * self.together


class Fed(NamedTuple):
    """A stream so far: a tree of arrays whose shapes never change.

    Attributes:
        network: what the network keeps.
        waiting: samples of frames that are not complete, float32 [unit, channels]; the first `held` count.
        valid: which of them were there, bool [unit].
        held: int32 [].
    """

    network: State
    waiting: np.ndarray
    valid: np.ndarray
    held: np.ndarray


def make_feed(config: Network, params: Params, together: int = 1) -> Feed:
    """Compile nothing yet, bring the parameters to the device.

    Args:
        together: frames that are decoded at once, a divisor of BLOCK.

    Raises:
        InputError: the network cannot stream ("conflict"), or no such number of frames ("bad-value").
    """
    if together < 1 or BLOCK % together:
        raise InputError(f"together: value {together}; give a divisor of {BLOCK}", "bad-value")
    streaming.check_streams(config)

    @jax.jit
    def compiled(
        params: Params, state: streaming.State, emg_BxTxC: ArrayLike, valid_BxT: ArrayLike
    ) -> tuple[streaming.State, jax.Array]:
        return streaming.step(config, params, state, jnp.asarray(emg_BxTxC), jnp.asarray(valid_BxT))

    device = jax.devices()[0]
    # Both are put on a device by name: a state that is on one by default would make every program be compiled twice.
    held = jax.device_put(params, device)
    return Feed(
        config.stride,
        config.channels,
        config.classes,
        lambda: jax.device_put(streaming.begin(config), device),
        lambda state, emg_BxTxC, valid_BxT: compiled(held, state, emg_BxTxC, valid_BxT),
        BLOCK,
        together,
    )


def feed_of_steps(about: Mapping[str, Any], begin: Callable[[], State], step: Step) -> Feed:
    """The feed of an export that another runtime runs, frame by frame (`semgjax.runtime`).

    Args:
        about: the content of model.json.
        begin: the state before the first frame.
        step: one frame further.
    """
    channels = sum(about["band"]["rings"])
    return Feed(int(about["frame_samples"]), channels, int(about["blank"]) + 1, begin, step, 1)


def begin(feed: Feed) -> Fed:
    """A stream before its first sample; also what resets one."""
    waiting, valid = np.zeros((feed.unit, feed.channels), np.float32), np.zeros(feed.unit, bool)
    return Fed(feed.begin(), waiting, valid, np.zeros((), np.int32))


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
    unit, held = feed.unit, int(state.held)
    emg_TxC = np.concatenate([state.waiting[:held], new_TxC])
    valid = np.concatenate([state.valid[:held], valid])
    units, block, network, found = len(emg_TxC) // unit, feed.block // feed.together, state.network, []
    at = 0
    while at < units:
        size = block if units - at >= block else 1
        part = slice(at * unit, (at + size) * unit)
        network, log_probs = feed.step(network, emg_TxC[None, part], valid[None, part])
        found.append(np.asarray(log_probs, np.float32)[0])
        at += size
    left = len(emg_TxC) - units * unit
    waiting, kept = np.zeros_like(state.waiting), np.zeros_like(state.valid)
    waiting[:left], kept[:left] = emg_TxC[units * unit :], valid[units * unit :]
    empty = np.zeros((0, feed.classes), np.float32)
    return Fed(network, waiting, kept, np.array(left, np.int32)), np.concatenate([empty, *found])


def _checked(feed: Feed, emg_TxC: ArrayLike, valid_T: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    emg = np.asarray(emg_TxC, np.float32)
    if emg.ndim != 2:
        raise InputError(f"samples: shape {emg.shape}; give [samples, {feed.channels}]", "bad-shape")
    if emg.shape[1] != feed.channels:
        raise InputError(f"samples: {emg.shape[1]} channels; the network takes {feed.channels}", "channel-count")
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
