"""A few gradient steps on scales and biases, by entropy or by pseudo-labels; nothing else of a network moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from semgjax.adapting.pseudo_labels import PseudoLabels
from semgjax.data.batching.batches import Batch
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.evaluate.stitched import core_frames, valid_samples
from semgjax.losses.ctc import ctc
from semgjax.model import network
from semgjax.model.config import Network
from semgjax.model.encoder import Params

MOVED = ("scale", "bias")
"""names of the parameters that are adapted"""


@dataclass(frozen=True)
class Descent:
    """How many steps of Adam, at which rate, of how many windows; held: weight of the KL that holds the blank."""

    steps: int
    rate: float
    batch: int
    held: float = 1.0


def entropy_loss(logits_BxTxK: jax.Array, base_BxTxK: jax.Array, held: float) -> jax.Array:
    """Minus the information between frames and classes without the blank, in nats, and what holds the blank.

    The information is that of `semgjax.evaluate.turns.confidence`: marginal entropy less mean entropy, so that reading
    one class everywhere does not pay. To it is added `held` times the mean KL divergence of every frame's probability
    of the blank from the base's, so that falling silent does not pay either.
    """
    log_p = jax.nn.log_softmax(logits_BxTxK, axis=-1)
    event, log_event = _events(log_p)
    log_q = log_p[..., :-1] - log_event[..., None]
    weight = event / jnp.maximum(event.sum(), 1e-6)
    q = jnp.exp(log_q)
    marginal = (weight[..., None] * q).sum(axis=(0, 1))
    information = -(marginal * jnp.log(jnp.maximum(marginal, 1e-12))).sum() + (weight * (q * log_q).sum(-1)).sum()
    log_base = jax.lax.stop_gradient(jax.nn.log_softmax(base_BxTxK, axis=-1))
    base, log_base_event = _events(log_base)
    kl = base * (log_base_event - log_event) + jnp.exp(log_base[..., -1]) * (log_base[..., -1] - log_p[..., -1])
    return -information + held * kl.mean()


def _events(log_p_BxTxK: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Probability of no blank, and its log."""
    log_event = jax.nn.logsumexp(log_p_BxTxK[..., :-1], axis=-1)
    return jnp.exp(log_event), log_event


Step = Callable[[Params, Any, dict[str, np.ndarray]], tuple[Params, Any]]


@dataclass(frozen=True, eq=False)
class Adapters:
    """Compiled steps for a network and its windows; see `make_adapters`.

    Attributes:
        emissions: (params, emg, valid) -> logits of the core.
    """

    descent: Descent
    optimiser: optax.GradientTransformation
    emissions: Callable[[Params, Any, Any], jax.Array]
    entropy_step: Step
    label_step: Step

    def minimise_entropy(self, params: Params, windows: Batch, seed: Sequence[int]) -> Params:
        """Parameters after steps of `entropy_loss` on a session's windows.

        Raises:
            InputError: they are not finite ("not-finite").
        """
        base = params

        def batch_of(rows: np.ndarray) -> dict[str, Any]:
            found = {name: windows[name][rows] for name in ("emg", "valid")}
            return {**found, "base": self.emissions(base, found["emg"], found["valid"])}

        return self._descend(params, np.arange(len(windows["emg"])), self.entropy_step, batch_of, seed)

    def learn_labels(self, params: Params, windows: Batch, pseudo: PseudoLabels, seed: Sequence[int]) -> Params:
        """Parameters after steps of CTC on these labels of windows; windows drawn depend on the seed alone.

        Raises:
            InputError: they are not finite ("not-finite").
        """
        room = _room(windows["emg"].shape[1])  # one shape for all sessions, so that the step is compiled once
        if max(map(len, pseudo.labels)) > room:
            raise InputError(f"a window has more than {room} pseudo-labels; use shorter windows", "bad-value")
        labels = np.stack([np.pad(one, (0, room - len(one))) for one in pseudo.labels])
        counts = np.array([len(one) for one in pseudo.labels], np.int32)

        def batch_of(places: np.ndarray) -> dict[str, Any]:
            rows = pseudo.windows[places]
            found = {name: windows[name][rows] for name in ("emg", "valid")}
            return {**found, "labels": labels[places], "label_count": counts[places]}

        return self._descend(params, np.arange(len(pseudo.windows)), self.label_step, batch_of, seed)

    def _descend(
        self, params: Params, places: np.ndarray, step: Step, batch_of: Callable[..., Any], seed: Sequence[int]
    ) -> Params:
        random, state = np.random.default_rng(seed), self.optimiser.init(params)
        rounds = -(-self.descent.steps * self.descent.batch // len(places))
        order = np.concatenate([random.permutation(places) for _ in range(rounds)] or [places])
        for number in range(self.descent.steps):
            chosen = order[number * self.descent.batch : (number + 1) * self.descent.batch]
            params, state = step(params, state, batch_of(chosen))
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
            raise InputError("adaptation gave parameters that are not finite; lower the rate", "not-finite")
        return params


def _room(samples: int) -> int:
    """Labels a window has room for: one for every 40 samples, far above any rate of typing."""
    return max(1, samples // 40)


def make_adapters(config: Network, spec: WindowSpec, descent: Descent) -> Adapters:
    """Compile-once steps for a network on windows of one shape."""
    optimiser = optax.adam(descent.rate)

    @jax.jit
    def emissions(params: Params, emg_BxTxC: jax.Array, valid_Bx2: jax.Array) -> jax.Array:
        logits = network.apply(config, params, emg_BxTxC, valid_samples(valid_Bx2, emg_BxTxC.shape[1]))
        return logits[:, core_frames(config, spec)]

    def entropy(params: Params, batch: dict[str, jax.Array]) -> jax.Array:
        return entropy_loss(emissions(params, batch["emg"], batch["valid"]), batch["base"], descent.held)

    def labels(params: Params, batch: dict[str, jax.Array]) -> jax.Array:
        logits = emissions(params, batch["emg"], batch["valid"])
        loss_B, ok_B = ctc(logits, batch["labels"], batch["label_count"])
        return loss_B.sum() / jnp.maximum(jnp.where(ok_B, batch["label_count"], 0).sum(), 1)

    def step_of(loss: Callable[..., jax.Array]) -> Step:
        @jax.jit
        def step(params: Params, state: Any, batch: dict[str, jax.Array]) -> tuple[Params, Any]:
            gradient = _only_moved(jax.grad(loss)(params, batch))
            updates, state = optimiser.update(gradient, state, params)
            return optax.apply_updates(params, updates), state

        return step

    return Adapters(descent, optimiser, emissions, step_of(entropy), step_of(labels))


def _only_moved(gradient: Params) -> Params:
    """Zero gradients, with which Adam stands still, but for scales and biases."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf if path[-1].key in MOVED else jnp.zeros_like(leaf), gradient
    )
