"""Whole sessions through a decoder: emissions of stitched windows, greedy output, errors per user."""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from semgjax.data.batching.batches import session_chunks
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import Session
from semgjax.decode.greedy import greedy
from semgjax.evaluate.error_rates import Counts, count_errors
from semgjax.model import network
from semgjax.model.config import Network
from semgjax.model.encoder import Params

Forward = Callable[[Params, ArrayLike, ArrayLike], jax.Array]
"""(params, emg [B, T, C], valid [B, 2]) -> emissions of the core [B, T_core, K]"""


def core_frames(config: Network, spec: WindowSpec) -> slice:
    """Frames of a window that emit its core's keys: the core, later by the model's emission delay."""
    first = (spec.left + config.emission_delay) // config.stride
    return slice(first, first + spec.length // config.stride)


def valid_samples(valid_Bx2: jax.Array, time: int) -> jax.Array:
    """First and last + 1 valid sample -> mask, bool [B, T]."""
    index_T = jnp.arange(time)
    return (index_T[None, :] >= valid_Bx2[:, :1]) & (index_T[None, :] < valid_Bx2[:, 1:])


def make_forward(config: Network, spec: WindowSpec) -> Forward:
    """The jitted decoder on windows of one shape, cropped to the core."""

    @jax.jit
    def forward(params: Params, emg_BxTxC: jax.Array, valid_Bx2: jax.Array) -> jax.Array:
        logits = network.apply(config, params, emg_BxTxC, valid_samples(valid_Bx2, emg_BxTxC.shape[1]))
        return logits[:, core_frames(config, spec)]

    return forward


def session_logits(
    forward: Forward,
    config: Network,
    params: Params,
    session: Session,
    spec: WindowSpec,
    batch: int,
) -> np.ndarray:
    """Emissions of a whole session, float32 [ceil(samples / stride), K]; the cores of its windows end to end.

    Every window is seen with the context it had in training, so a session's length does not matter.
    """
    parts = [
        np.asarray(forward(params, chunk["emg"], chunk["valid"])).reshape(-1, config.classes)
        for chunk in session_chunks(session, spec, batch)
    ]
    return np.concatenate(parts)[: -(-session.samples // config.stride)]


def evaluate_greedy(
    forward: Forward,
    config: Network,
    params: Params,
    sessions: Iterable[Session],
    spec: WindowSpec,
    batch: int,
) -> dict[str, Counts]:
    """Errors of greedy decoding per user, each session decoded whole."""
    return count_users((s, session_logits(forward, config, params, s, spec, batch)) for s in sessions)


def count_users(decoded: Iterable[tuple[Session, np.ndarray]]) -> dict[str, Counts]:
    """Errors of greedy decoding per user, from sessions and their emissions [T, K]."""
    users: dict[str, Counts] = {}
    for session, logits_TxK in decoded:
        users[session.user] = users.get(session.user, Counts()) + count_errors(session.labels, greedy(logits_TxK))
    return users
