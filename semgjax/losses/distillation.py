"""Distillation of CTC models: KL to the teacher's frame logits, mixed with the task's CTC loss."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp

from semgjax.losses.divergence import Kind, frame_divergence
from semgjax.losses.frame_choice import row_means


def frame_kl(
    student_BxTxK: jax.Array,
    teacher_BxTxK: jax.Array,
    valid_BxT: jax.Array,
    temperature: float,
    key_boost: float = 0.0,
    kind: Kind = "forward",
    bounded: bool = True,
) -> jax.Array:
    """Mean over valid frames of the divergence at a temperature, times its square.

    The square keeps the gradient's size the same for any temperature (Hinton, Vinyals and Dean 2015, "Distilling the
    Knowledge in a Neural Network", section 2). Nats per frame, float32 scalar. No gradient reaches the teacher. A frame
    counts 1 + key_boost x (1 - the teacher's probability of the blank, the last class): nine frames of ten are blank,
    and what the teacher knows is in the others.

    Args:
        kind: forward, the KL(teacher || student), reverse or js (`frame_divergence`).
        bounded: logits may be -inf (`frame_divergence`).
    """
    kl_BxT = frame_divergence(student_BxTxK, teacher_BxTxK, temperature, kind, bounded)
    kl_BxT = boosted(kl_BxT, teacher_BxTxK, key_boost)
    weight_BxT = valid_BxT.astype(jnp.float32)
    return temperature**2 * (kl_BxT * weight_BxT).sum() / jnp.maximum(weight_BxT.sum(), 1.0)


def chosen_kl(
    student_BxTxK: jax.Array,
    teacher_BxTxK: jax.Array,
    weight_BxT: jax.Array,
    temperature: float,
    key_boost: float = 0.0,
    kind: Kind = "forward",
) -> jax.Array:
    """The mean of each row over frames that count (`frame_weights`), else as `frame_kl`: nats per frame, float32 [B].

    A row without such frames has zero. With weight one on all valid frames, the mean of the rows by their valid frames
    (`batch_mean`) is `frame_kl`.
    """
    kl_BxT = boosted(frame_divergence(student_BxTxK, teacher_BxTxK, temperature, kind), teacher_BxTxK, key_boost)
    return temperature**2 * row_means(kl_BxT, weight_BxT)


def boosted(kl_BxT: jax.Array, teacher_BxTxK: jax.Array, key_boost: float) -> jax.Array:
    """Each frame times 1 + key_boost x the teacher's probability that it is a key; the blank is the last class."""
    if not key_boost:
        return kl_BxT
    known = jax.lax.stop_gradient(teacher_BxTxK.astype(jnp.float32))
    return kl_BxT * (1.0 + key_boost * (1.0 - jax.nn.softmax(known, axis=-1)[..., -1]))


def mean_teacher(logits: Sequence[jax.Array]) -> jax.Array:
    """One teacher's logits as they are; of several the logarithm of their mean probabilities, [B, T, K]."""
    if len(logits) == 1:
        return logits[0]
    logs = jnp.stack([jax.nn.log_softmax(one.astype(jnp.float32), axis=-1) for one in logits])
    return jax.nn.logsumexp(logs, axis=0) - jnp.log(len(logits))


def mix(kl_per_frame: jax.Array, ctc_per_label: jax.Array, weight: float | jax.Array) -> jax.Array:
    """weight KL + (1 - weight) CTC: one per frame, one per label, so the mix means the same for any window length."""
    return weight * kl_per_frame + (1.0 - weight) * ctc_per_label


TERMS = ("kl", "hard", "guide", "features", "intermediate")
"""sums of the terms of a teacher, as far as a run has them"""


def distill_metrics(totals: Mapping[str, float], steps: int) -> dict[str, float]:
    """Means over steps of the teacher's terms; nothing for a run without a teacher.

    kl: nats per frame. hard: nats per label. guide and features: see semgjax.losses. intermediate: the mean loss of the
    intermediate layers.
    """
    return {name: totals[name] / steps for name in TERMS if name in totals}
