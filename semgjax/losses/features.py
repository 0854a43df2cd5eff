"""Feature matching: a linear projector takes the student's hidden frames to the teacher's, of any width and stride."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from semgjax.losses.align import check_frames
from semgjax.losses.frame_choice import row_means

_EPSILON = 1e-6


def feature_distance(
    student_BxTxD: jax.Array, teacher_BxUxE: jax.Array, projector: Mapping[str, jax.Array], valid_BxT: jax.Array
) -> jax.Array:
    """Mean squared difference of the projected student's and the teacher's hidden frames; float32 [B].

    The teacher's frames are first brought to mean zero and variance one over their width, so that 1 is the distance of
    a student that says nothing, whatever the teacher's scale. The projector is that of Romero et al. 2015 ("FitNets",
    section 2.2) in its linear form. No gradient reaches the teacher.

    Args:
        projector: kernel [D, E] and bias [E].
        valid_BxT: frames of the student that count.

    Raises:
        InputError: neither number of frames divides the other ("conflict").
    """
    teacher = at_frames(jax.lax.stop_gradient(teacher_BxUxE.astype(jnp.float32)), student_BxTxD.shape[1])
    centred = teacher - teacher.mean(axis=-1, keepdims=True)
    wanted = centred * jax.lax.rsqrt(jnp.square(centred).mean(axis=-1, keepdims=True) + _EPSILON)
    found = student_BxTxD.astype(jnp.float32) @ projector["kernel"] + projector["bias"]
    return row_means(jnp.square(found - wanted).mean(axis=-1), valid_BxT.astype(jnp.float32))


def at_frames(x_BxUxE: jax.Array, frames: int) -> jax.Array:
    """Hidden frames at another stride, [B, frames, E]: means of several frames, or each frame several times.

    Raises:
        InputError: neither number of frames divides the other ("conflict").
    """
    batch, time, width = x_BxUxE.shape
    check_frames(time, frames)
    if time % frames == 0:
        return x_BxUxE.reshape(batch, frames, time // frames, width).mean(axis=2) if time != frames else x_BxUxE
    return jnp.repeat(x_BxUxE, frames // time, axis=1)
