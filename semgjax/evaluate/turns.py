"""The turn of a session's band, found without labels: the one at which the decoder is most confident.

A band is put on turned by an electrode or two against other days and other people. Every session is decoded with its
rings turned by each of a few places, and the decoder's own confidence chooses; labels take no part.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jax.typing import ArrayLike

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import Session
from semgjax.errors import InputError
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.stitched import Forward, count_users, session_logits
from semgjax.model.encoder import Params
from semgjax.model.front import most_turns
from semgjax.model.kind import Network

Turn = tuple[int, ...]
"""places by which each ring is turned: electrode i is read where electrode i + places lay, as augment.roll does"""
MOST_PASSES = 125
"""turns that are tried for a session, each with a pass through the decoder"""


@dataclass(frozen=True)
class TurnChoice:
    """The turn that was chosen for a session.

    Attributes:
        session: its name.
        turn: places of each ring.
        confidence: at the turns that were tried, in their order; see `confidence`.
    """

    session: str
    turn: Turn
    confidence: tuple[float, ...]


def turns_to_try(rings: Sequence[int], most: int) -> list[Turn]:
    """Every combination of -most to most places of each ring, the smallest turns first.

    Raises:
        InputError: `most` is negative, turns a ring onto itself, or gives more than MOST_PASSES combinations.
    """
    limit = most_turns(tuple(rings))
    if not 0 <= most <= limit or (2 * most + 1) ** len(rings) > MOST_PASSES:
        raise InputError(
            f"turns {most} must lie in 0 to {limit} for rings of {', '.join(map(str, rings))} electrodes, and give at "
            f"most {MOST_PASSES} combinations of turns",
            "bad-value",
        )
    found = itertools.product(range(-most, most + 1), repeat=len(rings))
    return sorted(found, key=lambda turn: (sum(map(abs, turn)), turn))


def confidence(logits_TxK: np.ndarray) -> float:
    """How sure a decoder is of the classes that it emits, from a session's logits [T, K]; the blank is the last class.

    Information between frames and classes, in nats per event-bearing frame: the entropy of the mean distribution over
    the classes less the mean entropy of the frames' distributions, both without the blank and weighted by its
    complement (Bridle et al., "Unsupervised classifiers, mutual information and phantom targets", NeurIPS 1991).
    A decoder that reads every event as one and the same class has none, however sure it is.
    """
    shifted = logits_TxK.astype(np.float64) - logits_TxK.max(axis=-1, keepdims=True)
    p_TxK = np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True)
    event_T = p_TxK[:, :-1].sum(axis=-1)
    class_TxK = p_TxK[:, :-1] / np.maximum(event_T, 1e-12)[:, None]
    weight_T = event_T / max(event_T.sum(), 1e-12)
    return float(_entropy(weight_T @ class_TxK) - weight_T @ _entropy(class_TxK))


def _entropy(p_K: np.ndarray) -> np.ndarray:
    """Along the last axis, in nats."""
    return -(p_K * np.log(np.maximum(p_K, 1e-12))).sum(axis=-1)


def turn_order(rings: Sequence[int], turn: Turn) -> np.ndarray:
    """The channel to read at each place, int64 [C], for rings turned by these places."""
    starts = itertools.accumulate(rings, initial=0)
    return np.concatenate(
        [start + np.roll(np.arange(size), places) for start, size, places in zip(starts, rings, turn, strict=False)]
    )


def turned_forward(forward: Forward, order_C: np.ndarray) -> Forward:
    """A decoder that reads the channels in this order."""

    def turned(params: Params, emg_BxTxC: ArrayLike, valid_Bx2: ArrayLike) -> jax.Array:
        return forward(params, np.asarray(emg_BxTxC)[..., order_C], valid_Bx2)

    return turned


def decode_turned(
    forward: Forward, config: Network, params: Params, session: Session, spec: WindowSpec, batch: int, most: int
) -> tuple[np.ndarray, TurnChoice]:
    """A session's emissions at the most confident of the turns to try, and that turn; of equal ones, the smallest.

    Raises:
        InputError: see `turns_to_try`.
    """
    rings = session.band.rings
    best_TxK, chosen, values = np.zeros(0), turns_to_try(rings, most)[0], list[float]()
    for turn in turns_to_try(rings, most):
        turned = turned_forward(forward, turn_order(rings, turn))
        logits_TxK = session_logits(turned, config, params, session, spec, batch)
        value = confidence(logits_TxK)
        if not values or value > max(values):
            best_TxK, chosen = logits_TxK, turn
        values.append(value)
    return best_TxK, TurnChoice(session.name, chosen, tuple(values))


def evaluate_turned(
    forward: Forward,
    config: Network,
    params: Params,
    sessions: Iterable[Session],
    spec: WindowSpec,
    batch: int,
    most: int,
) -> tuple[dict[str, Counts], list[TurnChoice]]:
    """Errors of greedy decoding per user with the turn of each session chosen without labels, and these turns.

    Raises:
        InputError: see `turns_to_try`.
    """
    choices = []

    def decoded() -> Iterator[tuple[Session, np.ndarray]]:
        for session in sessions:
            logits_TxK, choice = decode_turned(forward, config, params, session, spec, batch, most)
            choices.append(choice)
            yield session, logits_TxK

    return count_users(decoded()), choices
