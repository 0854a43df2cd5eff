"""The horizon correction: learning rate, epsilon and beta2 tuned on one run, for a run of another batch or length.

With a batch B in place of B0 the noise of a step is that of B / B0 small ones: rate times sqrt(B / B0), epsilon divided
by it, and 1 - beta2 times B / B0 (Malladi et al., "On the SDEs and scaling rules for adaptive gradient algorithms",
2022, section 5). A run that sees T windows in place of T0 takes its rate times (T0 / T)^0.3, the exponent that scaling
ladders of language models used (Marin's Delphi); it is not measured for sEMG.
"""

from dataclasses import dataclass

from semgjax.errors import InputError
from semgjax.training.run_config import OptimizerConfig

EPSILON = 1e-8
"""of AdamW, where nothing corrects it"""
LENGTH_POWER = 0.3


@dataclass(frozen=True)
class Horizon:
    """What a run takes in place of the configured values."""

    rate: float = 1.0
    """factor of the learning rate"""
    beta2: float = 0.98
    epsilon: float = EPSILON


def horizon(config: OptimizerConfig, batch: int, steps: int) -> Horizon:
    """The correction of a run of `steps` steps of `batch` windows.

    Raises:
        InputError: the batch is so much larger than the tuned one that no beta2 is left ("bad-value").
    """
    if not config.tuned_batch:
        return Horizon(beta2=config.beta2)
    larger = batch / config.tuned_batch
    longer = larger * steps / config.tuned_steps
    beta2 = 1.0 - larger * (1.0 - config.beta2)
    if not 0.0 <= beta2 < 1.0:
        raise InputError(
            f"optimizer.tuned_batch {config.tuned_batch}: a batch of {batch} is {larger:g} times as large, and beta2 "
            f"{config.beta2} would become {beta2:g}; tune at a larger batch, or set beta2 nearer to 1",
            "bad-value",
        )
    return Horizon(larger**0.5 * longer**-LENGTH_POWER, beta2, EPSILON / larger**0.5)
