"""AdamW with warm-up, a decaying learning rate and clipping; weight decay only on matrices and kernels."""

from functools import partial
from typing import Any

import jax
import optax

from semgjax.model.encoder import Params
from semgjax.training.personal_config import PersonalConfig
from semgjax.training.personal_params import trained_labels
from semgjax.training.run_config import OptimizerConfig

# Names, not ranks: layers are stacked, so that a layer's bias is two-dimensional as well.
_DECAYED = {"kernel", "direction"}


def decay_mask(params: Params) -> Params:
    """True for the leaves that weight decay pulls to zero."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key in _DECAYED, params)


def schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """Learning rate by step: linear from zero to the peak, then down to zero at the last step.

    cosine falls along half a cosine from the peak on. wsd stays at the peak and falls along a line over the last
    `cooldown` share of the steps (warm-up, stable, decay: Hu et al. 2024, MiniCPM, section 4.2); until then the
    run is the beginning of any longer one.

    This is the only place where the learning rate of a configuration is used. A pack traces it: `learning_rate` and
    `decay` may be scalars of a jitted function.
    """
    peak: Any = config.learning_rate
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


def make_optimizer(
    config: OptimizerConfig, steps: int, personal: PersonalConfig | None = None
) -> optax.GradientTransformation:
    """The chain clip -> AdamW, with the learning rate of `schedule`; of a personalised run on what its method trains.

    What the method holds gets no update, bit for bit, and no moments.

    Not optax.inject_hyperparams: it would add the learning rate to the state, and so change what checkpoints hold.
    """
    chain = optax.chain(
        optax.clip_by_global_norm(config.clip),
        optax.adamw(
            schedule(config, steps),
            b1=config.beta1,
            b2=config.beta2,
            weight_decay=config.decay,
            mask=decay_mask,
        ),
    )
    if personal is None or personal.method == "full":
        return chain
    return optax.partition({"trained": chain, "held": optax.set_to_zero()}, partial(trained_labels, personal))
