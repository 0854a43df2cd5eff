"""The guiding mask: the student is drawn to emit the teacher's keys at the teacher's frames."""

import jax
import jax.numpy as jnp

from semgjax.losses.divergence import log_softmax_at
from semgjax.losses.frame_choice import row_means, spikes


def guiding(student_BxTxK: jax.Array, teacher_BxTxK: jax.Array, valid_BxT: jax.Array) -> jax.Array:
    """1 - the student's mean probability of the teacher's likeliest class where that is a key; float32 [B], 0 to 1.

    Kurata and Audhkhasi 2019, "Guiding CTC Posterior Spike Timings for Improved Posterior Fusion and Knowledge
    Distillation" (Interspeech): the teacher's likeliest class of each frame is a mask of ones, without those of the
    blank, and the student's probabilities under it are maximised. Theirs is the negative sum; the mean does not depend
    on the window's length, and one minus it is zero where the two agree. A row without spikes has zero. No gradient
    reaches the teacher.
    """
    teacher = jax.lax.stop_gradient(teacher_BxTxK)
    best_BxTx1 = teacher.argmax(axis=-1)[..., None]
    p_BxT = jnp.exp(jnp.take_along_axis(log_softmax_at(student_BxTxK, 1.0), best_BxTx1, axis=-1)[..., 0])
    return row_means(1.0 - p_BxT, spikes(teacher, valid_BxT).astype(jnp.float32))
