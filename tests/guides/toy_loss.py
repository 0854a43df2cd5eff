"""A loss from outside the package: CTC plus a penalty on confident frames (Pereyra et al. 2017)."""

from dataclasses import dataclass
from typing import ClassVar

import jax

from semgjax.losses.loss import CTC, register_loss


@register_loss
@dataclass(frozen=True)
class ConfidencePenalty(CTC):
    LOSS: ClassVar[str] = "confidence-penalty"

    weight: float = 0.1

    def __call__(self, logits_BxTxK, batch, whole):
        ctc, sums = super().__call__(logits_BxTxK, batch, whole)
        log_p = jax.nn.log_softmax(logits_BxTxK)
        entropy = -(jax.numpy.exp(log_p) * log_p).sum(axis=-1)  # nats per frame
        share = len(batch["labels"]) / len(whole["labels"])
        entropy = entropy.mean() * share
        return ctc - self.weight * entropy, sums | {"entropy": entropy}

    def metrics(self, totals, steps):
        return super().metrics(totals, steps) | {"entropy": totals["entropy"] / steps}
