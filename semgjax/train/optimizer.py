"""AdamW with warm-up, a falling rate and clipping; weight decay on matrices and kernels alone."""

import jax
import optax

from semgjax.model.encoder import Params
from semgjax.train.config import OptimizerConfig

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
    """
    warmup = max(1, round(config.warmup * steps))
    if config.schedule == "cosine":
        return optax.warmup_cosine_decay_schedule(0.0, config.learning_rate, warmup, max(steps, warmup + 1))
    fall = max(1, round(config.cooldown * steps))
    rise = optax.linear_schedule(0.0, config.learning_rate, warmup)
    down = optax.linear_schedule(config.learning_rate, 0.0, fall)
    flat = optax.constant_schedule(config.learning_rate)
    return optax.join_schedules([rise, flat, down], [warmup, max(warmup, steps - fall)])


def make_optimizer(config: OptimizerConfig, steps: int) -> optax.GradientTransformation:
    """The chain clip -> AdamW, as a function of the configuration alone."""
    return optax.chain(
        optax.clip_by_global_norm(config.clip),
        optax.adamw(
            schedule(config, steps),
            b1=config.beta1,
            b2=config.beta2,
            weight_decay=config.decay,
            mask=decay_mask,
        ),
    )
