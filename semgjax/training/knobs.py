"""The numbers in which packed runs may differ: inputs of their common step. Writes nothing."""

from typing import NamedTuple

from jax.typing import ArrayLike

from semgjax.training.run_config import RunConfig


class Knobs(NamedTuple):
    """Scalars, or one entry per run; the rest of a configuration is the same in all runs of a pack."""

    seed: ArrayLike
    learning_rate: ArrayLike
    decay: ArrayLike


def knobs_of(config: RunConfig) -> Knobs:
    """Those of one run."""
    return Knobs(config.train.seed, config.optimizer.learning_rate, config.optimizer.decay)
