"""AdamW with warm-up, a falling rate and clipping; weight decay on matrices and kernels alone."""

from typing import Any

import jax
import optax
from jax.typing import ArrayLike

from semgjax.model.encoder import Params
from semgjax.training.knobs import Knobs
from semgjax.training.run_config import OptimizerConfig

# Names, not ranks: layers are stacked, so that a layer's bias is two-dimensional as well.
_DECAYED = {"kernel", "direction"}


def decay_mask(params: Params) -> Params:
    """True for the leaves that weight decay pulls to zero."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key in _DECAYED, params)


def schedule(config: OptimizerConfig, steps: int, rate: ArrayLike | None = None) -> optax.Schedule:
    """Learning rate by step: linear from zero to the peak, then down to zero at the last step.

    cosine falls along half a cosine from the peak on. wsd stays at the peak and falls along a line over the last
    `cooldown` share of the steps (warm-up, stable, decay: Hu et al. 2024, MiniCPM, section 4.2); until then the
    run is the beginning of any longer one.

    Args:
        rate: the peak, where it is an input of the step (default: the configuration's).
    """
    peak: Any = config.learning_rate if rate is None else rate
    warmup = max(1, round(config.warmup * steps))
    rise = optax.linear_schedule(0.0, peak, warmup)
    if config.schedule == "cosine":
        # warmup_cosine_decay_schedule is these two, but wants to know whether the peak is zero: no traced value tells.
        return optax.join_schedules(
            [rise, optax.cosine_decay_schedule(peak, max(steps, warmup + 1) - warmup)], [warmup]
        )
    fall = max(1, round(config.cooldown * steps))
    down = optax.linear_schedule(peak, 0.0, fall)
    flat = optax.constant_schedule(peak)
    return optax.join_schedules([rise, flat, down], [warmup, max(warmup, steps - fall)])


def make_optimizer(config: OptimizerConfig, steps: int, knobs: Knobs | None = None) -> optax.GradientTransformation:
    """The chain clip -> AdamW, as a function of the configuration alone.

    Args:
        knobs: learning rate and weight decay, where they are inputs of the step (default: the configuration's).
    """
    rate, decay = (None, config.decay) if knobs is None else (knobs.learning_rate, knobs.decay)
    return optax.chain(
        optax.clip_by_global_norm(config.clip),
        optax.adamw(
            schedule(config, steps, rate),
            b1=config.beta1,
            b2=config.beta2,
            weight_decay=decay,
            mask=decay_mask,
        ),
    )
