"""Hard targets: CTC of the student on the labels of the teacher's best path, for sessions with and without labels."""

import jax
import jax.numpy as jnp

from semgjax.losses.ctc import ctc
from semgjax.losses.frame_choice import spikes


def best_path(teacher_BxTxK: jax.Array, valid_BxT: jax.Array, room: int) -> tuple[jax.Array, jax.Array]:
    """Labels of the likeliest class of each frame, collapsed: int32 [B, room] and their number, int32 [B].

    Repeats count once and blanks (the last class) never, as in greedy decoding (Graves et al. 2006, section 3.2).
    Frames that are not valid are blank. The number may pass `room`; labels beyond it are not kept.
    """
    path_BxT = jnp.where(spikes(teacher_BxTxK, valid_BxT), teacher_BxTxK.argmax(axis=-1), teacher_BxTxK.shape[-1] - 1)
    before_BxT = jnp.pad(path_BxT[:, :-1], ((0, 0), (1, 0)), constant_values=teacher_BxTxK.shape[-1] - 1)
    new_BxT = (path_BxT != teacher_BxTxK.shape[-1] - 1) & (path_BxT != before_BxT)
    place_BxT = jnp.where(new_BxT, jnp.cumsum(new_BxT, axis=1) - 1, room)
    rows_Bx1 = jnp.arange(path_BxT.shape[0])[:, None]
    labels = jnp.zeros((path_BxT.shape[0], room), jnp.int32)
    return labels.at[rows_Bx1, place_BxT].set(path_BxT, mode="drop"), new_BxT.sum(axis=1).astype(jnp.int32)


def best_path_ctc(student_BxTxK: jax.Array, teacher_BxTxK: jax.Array, valid_BxT: jax.Array) -> jax.Array:
    """CTC loss on the teacher's best path, nats per label, float32 [B]. No gradient reaches the teacher.

    Sequence-level distillation with one hypothesis (Kim and Rush 2016, "Sequence-Level Knowledge Distillation",
    section 3.2). A row without labels counts as one with one label. A row in which the teacher finds more keys than
    half its frames has loss zero: that is noise, and room for it would make every row dearer.
    """
    room = max(1, teacher_BxTxK.shape[1] // 2)
    labels_BxN, count_B = best_path(jax.lax.stop_gradient(teacher_BxTxK), valid_BxT, room)
    fits_B = count_B <= room
    loss_B, _ = ctc(student_BxTxK, labels_BxN, jnp.where(fits_B, count_B, 0))
    return jnp.where(fits_B, loss_B / jnp.maximum(count_B, 1), 0.0)
