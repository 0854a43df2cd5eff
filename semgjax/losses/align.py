"""A teacher's outputs at a student's frames: shorter or longer ones, and which of them lie on signal."""

import jax
import jax.numpy as jnp

from semgjax.errors import InputError
from semgjax.losses.divergence import log_softmax_at

_LEAST = 1e-30
"""a probability of a key that is still a float32 with a finite logarithm"""


def at_student_frames(teacher_BxUxK: jax.Array, frames: int) -> jax.Array:
    """A teacher's logits at the frames of a student, [B, frames, K]; the blank is the last class.

    Frames of the same length stay as they are. Each longer frame of the teacher is repeated, which greedy decoding
    reads as one key. Of n shorter ones the result is the log probability of what all of them emit together, as CTC has
    it: frames are independent (Graves et al. 2006, equation 2), so a student's frame is blank with the product of their
    blanks. What is left is shared by the keys as their probabilities add up over the n frames. So one spike of n frames
    keeps its height, where a mean would leave 1 / n of it.

    Raises:
        InputError: neither number of frames divides the other ("conflict").
    """
    batch, time, classes = teacher_BxUxK.shape
    if time == frames:
        return teacher_BxUxK
    check_frames(time, frames)
    if frames % time == 0:
        return jnp.repeat(teacher_BxUxK, frames // time, axis=1)
    logs = log_softmax_at(teacher_BxUxK, 1.0).reshape(batch, frames, time // frames, classes)
    keys_BxTxK = jax.nn.logsumexp(logs[..., :-1], axis=2)
    key_BxTxn = jax.nn.logsumexp(logs[..., :-1], axis=-1)
    # Either form of log(blank) loses digits where the other keeps them.
    blank_BxTxn = jnp.where(key_BxTxn < jnp.log(0.5), jnp.log1p(-jnp.exp(key_BxTxn)), logs[..., -1])
    blank_BxT = blank_BxTxn.sum(axis=-1)
    any_key_BxT = jnp.log(jnp.maximum(-jnp.expm1(blank_BxT), _LEAST))
    share_BxTxK = keys_BxTxK - jax.nn.logsumexp(keys_BxTxK, axis=-1, keepdims=True)
    return jnp.concatenate([any_key_BxT[..., None] + share_BxTxK, blank_BxT[..., None]], axis=-1)


def valid_at_student_frames(valid_BxU: jax.Array, frames: int) -> jax.Array:
    """Frames of a student whose teacher's frames all lie on signal, bool [B, frames].

    Raises:
        InputError: neither number of frames divides the other ("conflict").
    """
    batch, time = valid_BxU.shape
    if time == frames:
        return valid_BxU
    check_frames(time, frames)
    if frames % time == 0:
        return jnp.repeat(valid_BxU, frames // time, axis=1)
    return valid_BxU.reshape(batch, frames, time // frames).all(axis=2)


def check_frames(time: int, frames: int) -> None:
    """
    Raises:
        InputError: neither number of frames divides the other ("conflict").
    """
    if time % frames and frames % time:
        raise InputError(
            f"the student has {frames} frames in a window and the teacher {time}; choose a student whose frame is a "
            "multiple of the teacher's, or the reverse",
            "conflict",
        )
