"""The two programs of an export as JAX functions: the whole signal, and one frame of a stream."""

from collections.abc import Callable
from typing import Any

import jax

from semgjax.model import network, streaming
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.model.operations import REFERENCE


def offline_program(config: Network) -> Callable[..., jax.Array]:
    """(params, emg [B, T, channels], valid [B, T]) -> natural-log probabilities float32 [B, T / stride, classes].

    In the reference forms of `semgjax.model.encoder`, which have no shapes or kernels of their own for a device.
    """

    def offline(params: Params, emg_BxTxC: jax.Array, valid_BxT: jax.Array) -> jax.Array:
        logits = network.apply(config, params, emg_BxTxC, valid_BxT, remat="none", kernels=REFERENCE)
        return jax.nn.log_softmax(logits)

    return offline


def step_program(config: Network) -> Callable[..., tuple[jax.Array, ...]]:
    """(params, *state, emg [B, T, channels], valid [B, T]) -> (*state, log probabilities), of a network that streams.

    Raises:
        InputError: it cannot stream ("conflict").
    """
    streaming.check_streams(config)

    def step(params: Params, *inputs: Any) -> tuple[jax.Array, ...]:
        *state, emg_BxTxC, valid_BxT = inputs
        after, log_probs = streaming.step(config, params, tuple(state), emg_BxTxC, valid_BxT)
        return (*after, log_probs)

    return step
