"""AdamW or Muon with warm-up, a decaying learning rate and clipping; weight decay only on matrices and kernels."""

import re
from functools import partial
from typing import Any

import jax
import optax
from optax.contrib import MuonDimensionNumbers, scale_by_muon

from semgjax.model.complete_p import factors
from semgjax.model.config import ModelConfig, Network
from semgjax.model.encoder import Params
from semgjax.parallel.rules import path_name
from semgjax.training.horizon import Horizon, horizon
from semgjax.training.personal_config import PersonalConfig
from semgjax.training.personal_params import trained_labels
from semgjax.training.run_config import OptimizerConfig, RunConfig

# Names, not ranks: layers are stacked, so that a layer's bias is two-dimensional as well.
_DECAYED = {"kernel", "direction"}
_MATRIX = re.compile(r"^(layers/.+|project)/kernel$")
"""paths of Muon's parameters: matrices between frames; what reads the signal and what reads out stay with AdamW"""
_MUON_SIZE = 0.2
"""root mean square of Muon's steps, about that of AdamW's (Liu et al., "Muon is scalable for LLM training", 2025)"""


def decay_mask(params: Params) -> Params:
    """True for the leaves that weight decay pulls to zero."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key in _DECAYED, params)


def schedule(config: OptimizerConfig, steps: int, batch: int) -> optax.Schedule:
    """Learning rate by step: linear from zero to the peak, then down to zero at the last step.

    cosine falls along half a cosine from the peak on. wsd stays at the peak and falls along a line over the last
    `cooldown` share of the steps (warm-up, stable, decay: Hu et al. 2024, MiniCPM, section 4.2); until then the
    run is the beginning of any longer one.

    This is the only place where the learning rate of a configuration is used. A pack traces it: `learning_rate` and
    `decay` may be scalars of a jitted function.
    """
    peak: Any = config.learning_rate
    if config.tuned_batch:
        peak = peak * horizon(config, batch, steps).rate
    warmup = max(1, round(config.warmup * steps))
    rise = optax.linear_schedule(0.0, peak, warmup)
    if config.schedule == "cosine":
        # Not warmup_cosine_decay_schedule, which is the same but compares the peak with zero: a tracer has no value.
        return optax.join_schedules(
            [rise, optax.cosine_decay_schedule(peak, max(steps, warmup + 1) - warmup)], [warmup]
        )
    fall = max(1, round(config.cooldown * steps))
    down = optax.linear_schedule(peak, 0.0, fall)
    flat = optax.constant_schedule(peak)
    return optax.join_schedules([rise, flat, down], [warmup, max(warmup, steps - fall)])


def run_optimizer(config: RunConfig) -> optax.GradientTransformation:
    """The optimizer of a run."""
    return make_optimizer(config.optimizer, config.train.steps, config.train.batch, config.model, config.personal)


def make_optimizer(
    config: OptimizerConfig, steps: int, batch: int, model: Network, personal: PersonalConfig | None = None
) -> optax.GradientTransformation:
    """The chain clip -> AdamW or Muon, with the learning rate of `schedule`; of a personalised run on what its method
    trains.

    A network under completep has its factors of rate and epsilon for each tensor (semgjax.model.complete_p). What the
    method of a personalised run holds gets no update, bit for bit, and no moments.

    Not optax.inject_hyperparams: it would add the learning rate to the state, and so change what checkpoints hold.
    """
    own, rate = horizon(config, batch, steps), schedule(config, steps, batch)
    complete_p = isinstance(model, ModelConfig) and model.complete_p
    if complete_p or config.kind == "muon":
        direction = _direction(config, own, model)
        after = (optax.add_decayed_weights(config.decay, decay_mask), optax.scale_by_learning_rate(rate))
        chain = optax.chain(optax.clip_by_global_norm(config.clip), direction, *after)
    else:
        chain = optax.chain(
            optax.clip_by_global_norm(config.clip),
            optax.adamw(
                rate,
                b1=config.beta1,
                b2=own.beta2,
                eps=own.epsilon,
                weight_decay=config.decay,
                mask=decay_mask,
            ),
        )
    if personal is None or personal.method == "full":
        return chain
    return optax.partition({"trained": chain, "held": optax.set_to_zero()}, partial(trained_labels, personal))


def _direction(config: OptimizerConfig, own: Horizon, model: Network) -> optax.GradientTransformation:
    """The step of each tensor before weight decay and learning rate: scaled, so that decay per step does not change.

    Adam divides m by sqrt(v) + epsilon, so a gradient divided by a factor has epsilon times that factor.
    """
    adam = optax.chain(
        _scale(model, lambda found: 1.0 / found.epsilon),
        optax.scale_by_adam(config.beta1, own.beta2, own.epsilon),
        _scale(model, lambda found: found.rate),
    )
    if config.kind == "adamw":
        return adam
    # An orthogonal step of a matrix with n times the inputs moves its output sqrt(n) times as far, not n times.
    muon = optax.chain(
        scale_by_muon(weight_dimension_numbers=lambda grads: jax.tree.map(_last_two, grads)),
        optax.stateless(lambda grads, _: jax.tree.map(lambda x: x * (_MUON_SIZE * max(x.shape[-2:]) ** 0.5), grads)),
        _scale(model, lambda found: found.width**-0.5),
    )
    return optax.partition({"muon": muon, "adamw": adam}, _kinds)


def _kinds(params: Params) -> Params:
    labels = jax.tree_util.tree_map_with_path(
        lambda path, _: "muon" if _MATRIX.search(path_name(path)) else "adamw", params
    )
    return dict(labels)


def _last_two(grad: jax.Array) -> MuonDimensionNumbers:
    return MuonDimensionNumbers(grad.ndim - 2, grad.ndim - 1)


def _scale(model: Network, of: Any) -> optax.GradientTransformation:
    """Multiply each tensor's update by a number of its `Factors`."""

    def update(updates: Params, _: Params | None) -> Params:
        if not isinstance(model, ModelConfig):
            return updates
        return dict(jax.tree.map(lambda x, found: x * of(found), updates, factors(model, updates)))

    return optax.stateless(update)
