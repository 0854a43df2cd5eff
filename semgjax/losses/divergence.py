"""Divergences between a teacher's and a student's distribution of a frame: forward, reverse and Jensen-Shannon."""

from typing import Literal

import jax
import jax.numpy as jnp

Kind = Literal["forward", "reverse", "js"]
_LEAST = -1e5
"""a logit of -inf is as likely as e^-100000, as in the CTC loss: zero times infinity would be NaN"""


def log_softmax_at(logits_BxTxK: jax.Array, temperature: float, bounded: bool = True) -> jax.Array:
    """Log probabilities at a temperature, float32 [B, T, K]; if `bounded`, finite also for logits of -inf."""
    x = logits_BxTxK.astype(jnp.float32)
    x = jnp.where(x < _LEAST, _LEAST, x) if bounded else x
    return jax.nn.log_softmax(x / temperature, axis=-1)


def frame_divergence(
    student_BxTxK: jax.Array,
    teacher_BxTxK: jax.Array,
    temperature: float = 1.0,
    kind: Kind = "forward",
    bounded: bool = True,
) -> jax.Array:
    """Divergence of each frame at a temperature, nats, float32 [B, T]. No gradient reaches the teacher.

    forward: KL(teacher || student), which makes the student cover what the teacher finds possible (Hinton et al. 2015,
    section 2). reverse: KL(student || teacher), which makes it choose among that. js: the mean of the KL of each to
    the mean of both, at most log 2 (Lin 1991, "Divergence Measures Based on the Shannon Entropy").

    Args:
        student_BxTxK: logits or log probabilities; `teacher_BxTxK` likewise.
        temperature: divides both before the softmax. The caller multiplies by its square (`frame_kl`).
        bounded: logits may be -inf. Networks give finite ones; without the bound, which changes the last bits of the
            gradient, runs of earlier versions keep theirs.
    """
    p = log_softmax_at(jax.lax.stop_gradient(teacher_BxTxK), temperature, bounded)
    q = log_softmax_at(student_BxTxK, temperature, bounded)
    if kind == "forward":
        return _kl(p, q)
    if kind == "reverse":
        return _kl(q, p)
    middle = jnp.logaddexp(p, q) - jnp.log(2.0)
    return 0.5 * (_kl(p, middle) + _kl(q, middle))


def _kl(p: jax.Array, q: jax.Array) -> jax.Array:
    return (jnp.exp(p) * (p - q)).sum(axis=-1)
