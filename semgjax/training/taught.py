"""The loss of a run with a teacher: terms of the teacher's outputs and hidden frames beside the run's own loss."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from semgjax.losses.best_path import best_path_ctc
from semgjax.losses.delay import best_delay, delayed
from semgjax.losses.distillation import chosen_kl, frame_kl, mix
from semgjax.losses.features import feature_distance
from semgjax.losses.frame_choice import batch_mean, frame_weights
from semgjax.losses.guiding import guiding
from semgjax.losses.shares import share_at
from semgjax.model.encoder import Params
from semgjax.training.distill_config import DistillConfig

Sums = dict[str, jax.Array]


class Frames(NamedTuple):
    """Valid frames of the core, bool [B, T]: of this part of the batch, and of the whole batch (or the same array)."""

    part: jax.Array
    whole: jax.Array


def share_of(distill: DistillConfig, step: ArrayLike, steps: int) -> float | jax.Array:
    """The share of the KL term after `step` of `steps` steps."""
    return share_at(step, steps, distill.weight, distill.final_weight, distill.schedule)


def taught(
    distill: DistillConfig,
    share: float | jax.Array,
    logits_BxTxK: jax.Array,
    target_BxTxK: jax.Array,
    frames: Frames,
    own: jax.Array,
) -> tuple[jax.Array, Sums]:
    """The loss of a batch with the terms of the teacher's outputs (scalar), and their sums.

    share KL + (1 - share) [(1 - hard) own + hard CTC(best path)] + guide x guiding mask. KL per frame, CTC per label.
    Every term is this part's share of the whole batch's, so that parts add up.

    Args:
        share: of the KL term, from `share_of`.
        target_BxTxK: the teacher's logits or log probabilities, at the student's frames.
        own: the run's own loss of these logits.

    Returns:
        The loss; kl, and where they are part of the loss hard and guide.
    """
    kl, heard, seen = _kl(distill, logits_BxTxK, target_BxTxK, frames)
    sums = {"kl": kl}
    if distill.hard:
        sums["hard"] = batch_mean(best_path_ctc(logits_BxTxK, target_BxTxK, frames.part), *frames)
        own = mix(sums["hard"], own, distill.hard)
    loss = mix(kl, own, share)
    if distill.guide:
        sums["guide"] = batch_mean(guiding(heard, target_BxTxK, seen), *frames)
        loss += distill.guide * sums["guide"]
    return loss, sums


def _kl(
    distill: DistillConfig, logits_BxTxK: jax.Array, target_BxTxK: jax.Array, frames: Frames
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The KL term; the student's logits at the delay that fits best, and which of the teacher's frames they answer."""
    shape = (distill.temperature, distill.key_boost, distill.divergence)
    if distill.frames == "all" and not distill.delay:
        # A teacher's own logits are finite; a reverse divergence also divides by its probabilities.
        bounded = distill.divergence != "forward"
        kl = frame_kl(logits_BxTxK, target_BxTxK, frames.part, *shape, bounded)
        if frames.whole is not frames.part:
            kl *= frames.part.sum() / jnp.maximum(frames.whole.sum(), 1)
        return kl, logits_BxTxK, frames.part
    weight = frame_weights(target_BxTxK, frames.part, distill.frames, distill.threshold, distill.around)
    heard, seen = logits_BxTxK, frames.part
    if distill.delay:
        delay_B = best_delay(heard, target_BxTxK, weight, seen, distill.delay, distill.temperature, distill.divergence)
        heard, later = delayed(heard, seen, delay_B)
        seen &= later
        weight *= seen
    return batch_mean(chosen_kl(heard, target_BxTxK, weight, *shape), *frames), heard, seen


def features(
    distill: DistillConfig,
    extra: Params,
    hidden_BxTxD: jax.Array,
    teacher_BxUxE: jax.Array,
    frames: Frames,
) -> tuple[jax.Array, Sums]:
    """The weighted term of feature matching (scalar), and its sum "features"; frames of the core."""
    distance = batch_mean(feature_distance(hidden_BxTxD, teacher_BxUxE, extra["projector"], frames.part), *frames)
    return distill.features * distance, {"features": distance}
