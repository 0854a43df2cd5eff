"""Statistics of the frames that a network's head reads, brought to those of the training people in closed form.

The networks here store no running statistics, so there are none to re-estimate. The frames behind the last norm have a
mean and a variance over time, though; the head is changed so that it sees a person's frames as if they had the training
people's (the idea of Li et al., "Revisiting batch normalization for practical domain adaptation", 2016).
"""

from collections.abc import Callable

import jax
import numpy as np
from jax.typing import ArrayLike

from semgjax.adapting.rolling_norm import Moments
from semgjax.adapting.signal_only import Unlabelled
from semgjax.data.batching.batches import session_chunks
from semgjax.data.batching.windows import WindowSpec
from semgjax.evaluate.stitched import core_frames, valid_samples
from semgjax.model import network
from semgjax.model.config import Network
from semgjax.model.encoder import Params

_FLOOR = 1e-4
"""of a standard deviation, as a share of the training people's"""

Hidden = Callable[[Params, ArrayLike, ArrayLike], jax.Array]


def make_hidden(config: Network, spec: WindowSpec) -> Hidden:
    """The compiled frames [B, T_core, D] that the head reads, of windows of one shape."""

    @jax.jit
    def frames(params: Params, emg_BxTxC: jax.Array, valid_Bx2: jax.Array) -> jax.Array:
        _, layers = network.hidden(config, params, emg_BxTxC, valid_samples(valid_Bx2, emg_BxTxC.shape[1]))
        return layers[-1][:, core_frames(config, spec)]

    return frames


def frame_moments(
    hidden: Hidden, config: Network, params: Params, session: Unlabelled, spec: WindowSpec, batch: int
) -> Moments:
    """Mean and variance over a session of each member of the frames that the head reads."""
    parts = [np.asarray(hidden(params, c["emg"], c["valid"])) for c in session_chunks(session, spec, batch)]
    width = parts[0].shape[-1]
    frames = np.concatenate([part.reshape(-1, width) for part in parts])[: -(-session.samples // config.stride)]
    return Moments(frames.mean(axis=0, dtype=np.float64), frames.var(axis=0, dtype=np.float64))


def match_head(params: Params, own: Moments, target: Moments) -> Params:
    """Parameters whose head reads frames of the moments `own` as if they had those of the target."""
    spread = np.sqrt(target.variance)
    scale = spread / np.maximum(np.sqrt(own.variance), _FLOOR * spread)
    kernel, bias = (np.asarray(params["head"][name], np.float64) for name in ("kernel", "bias"))
    head = {
        **params["head"],
        "kernel": (scale[:, None] * kernel).astype(np.float32),
        "bias": (bias + (target.mean - own.mean * scale) @ kernel).astype(np.float32),
    }
    return {**params, "head": head}
