"""Delay tolerance: a student with less look-ahead may emit some frames later than its teacher."""

import jax
import jax.numpy as jnp

from semgjax.losses.divergence import Kind, frame_divergence
from semgjax.losses.frame_choice import row_means


def best_delay(
    student_BxTxK: jax.Array,
    teacher_BxTxK: jax.Array,
    weight_BxT: jax.Array,
    valid_BxT: jax.Array,
    delay: int,
    temperature: float = 1.0,
    kind: Kind = "forward",
) -> jax.Array:
    """The delay of each row, 0 to `delay` frames, at which its mean divergence is least; int32 [B], without gradient.

    A range of delays behind the teacher is the temporal alignment buffer of Li et al. 2025 ("Delayed-KD: Delayed
    Knowledge Distillation based CTC for Low-Latency Streaming ASR", arXiv 2505.22069). Here a row has one delay, the
    best of the range: a free choice for each frame would let the student say the teacher's classes in any order. A row
    without a common frame has delay 0.
    """
    student, teacher = jax.lax.stop_gradient((student_BxTxK, teacher_BxTxK))

    def mean_at(shift: jax.Array) -> jax.Array:
        later, seen_BxT = delayed(student, valid_BxT, jnp.broadcast_to(shift, student.shape[:1]))
        weight = weight_BxT * seen_BxT
        mean_B = row_means(frame_divergence(later, teacher, temperature, kind), weight)
        return jnp.where(weight.sum(axis=1) > 0, mean_B, jnp.inf)

    # One shift after the other: all at once would hold delay + 1 copies of the logits.
    return jax.lax.map(mean_at, jnp.arange(delay + 1)).argmin(axis=0).astype(jnp.int32)


def delayed(x_BxTxK: jax.Array, valid_BxT: jax.Array, delay_B: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Frame t + delay at place t, [B, T, K], and whether that frame exists and is valid, bool [B, T]."""
    time = x_BxTxK.shape[1]
    index_BxT = jnp.arange(time)[None, :] + delay_B[:, None]
    inside_BxT = jnp.minimum(index_BxT, time - 1)
    later = jnp.take_along_axis(x_BxTxK, inside_BxT[..., None], axis=1)
    seen = jnp.take_along_axis(valid_BxT.astype(bool), inside_BxT, axis=1) & (index_BxT < time)
    return later, seen
