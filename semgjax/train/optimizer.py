"""AdamW with warm-up, cosine decay and clipping; weight decay on matrices and kernels alone."""

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
    """Learning rate by step: linear from zero to the peak, then half a cosine to zero at the last step."""
    warmup = max(1, round(config.warmup * steps))
    return optax.warmup_cosine_decay_schedule(0.0, config.learning_rate, warmup, max(steps, warmup + 1))


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
