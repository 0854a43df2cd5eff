"""Which frames of a teacher count in a student's loss, and means over them that add up over the parts of a batch."""

from typing import Literal

import jax
import jax.numpy as jnp

Choice = Literal["all", "blank", "spikes", "entropy"]


def frame_weights(
    teacher_BxTxK: jax.Array, valid_BxT: jax.Array, choice: Choice, threshold: float = 0.9, around: int = 3
) -> jax.Array:
    """How much each frame counts, float32 [B, T], zero where it is not valid. No gradient reaches the teacher.

    * all: every valid frame, 1.
    * blank: those whose blank, the last class, the teacher gives a probability below `threshold`.
    * spikes: those within `around` frames, on either side, of a frame at which a key is the teacher's likeliest class
      (symmetric selection: Hilmes et al. 2025, "Analyzing the Importance of Blank for CTC-Based Knowledge
      Distillation", arXiv 2506.01503).
    * entropy: the teacher's entropy as a share of the largest, log K. A frame that the teacher is sure of says no more
      than its label; where it weighs several keys it knows what the labels do not say. Unlike the others this has no
      limit to choose, and frames that the teacher is sure of fade out by themselves.
    """
    valid = valid_BxT.astype(jnp.float32)
    if choice == "all":
        return valid
    teacher = jax.lax.stop_gradient(teacher_BxTxK.astype(jnp.float32))
    if choice == "spikes":
        return valid * _near(spikes(teacher, valid_BxT), around)
    p = jax.nn.softmax(teacher, axis=-1)
    if choice == "blank":
        return valid * (p[..., -1] < threshold)
    # xlogy of 0 is 0, and so a logit of -inf adds nothing.
    entropy_BxT = -jax.scipy.special.xlogy(p, p).sum(axis=-1)
    return valid * entropy_BxT / jnp.log(teacher.shape[-1])


def spikes(teacher_BxTxK: jax.Array, valid_BxT: jax.Array) -> jax.Array:
    """Valid frames at which a key, and not the blank, is the likeliest class; bool [B, T]."""
    return (teacher_BxTxK.argmax(axis=-1) != teacher_BxTxK.shape[-1] - 1) & valid_BxT.astype(bool)


def row_means(value_BxT: jax.Array, weight_BxT: jax.Array) -> jax.Array:
    """Weighted mean of each row, [B]; zero, with gradient zero, for a row without weight."""
    total_B = weight_BxT.sum(axis=1)
    counted_BxT = jnp.where(weight_BxT > 0, value_BxT, 0.0)
    return (counted_BxT * weight_BxT).sum(axis=1) / jnp.where(total_B > 0, total_B, 1.0)


def batch_mean(row_B: jax.Array, valid_BxT: jax.Array, whole_valid_BxT: jax.Array) -> jax.Array:
    """Mean of rows, each by its number of valid frames: this part's share of the whole batch's mean, a scalar.

    With a selection, a mean over the batch's selected frames would not add up: a part of a batch (gradient
    accumulation) does not know how many frames the teacher selects in the others. Valid frames are known.
    """
    return (row_B * valid_BxT.sum(axis=1)).sum() / jnp.maximum(whole_valid_BxT.sum(), 1)


def _near(spike_BxT: jax.Array, around: int) -> jax.Array:
    """Whether a spike lies within `around` frames, bool [B, T]."""
    time = spike_BxT.shape[1]
    before = jnp.pad(jnp.cumsum(spike_BxT, axis=1), ((0, 0), (1, 0)))  # [B, T + 1], spikes in frames before t
    index = jnp.arange(time)
    last, first = jnp.minimum(index + around + 1, time), jnp.maximum(index - around, 0)
    return before[:, last] > before[:, first]
