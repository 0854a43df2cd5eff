"""What a decoder emits and how it agrees with its teacher: sums of a batch for the log, and their members of a line.

The last class is the blank. A symbol is a greedy one: a run of frames whose most likely class is the same and not the
blank; it lies at its first frame. Everything is measured at temperature 1 and gives no gradient.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.losses.divergence import log_softmax_at

REACH = 8
"""frames to both sides of a teacher's symbol within which the student's symbol of the same class is looked for"""
STUDENT, TEACHER = "diagnostics.student", "diagnostics.teacher"
"""names of the sums: one array each, so that they cost one transfer"""
DIAGNOSTICS = (STUDENT, TEACHER)
_STUDENT = ("frames", "blank", "symbols", "expected")
_TEACHER = (
    "spikes", "kl_spikes", "agreed", "blanks", "kl_blanks", "emitted", "confidence", "emitted_agreed", "unmatched",
)  # fmt: skip
_NEAREST_FIRST = sorted(range(-REACH, REACH + 1), key=lambda offset: (abs(offset), offset))


class Read(NamedTuple):
    """What a decoder says at every frame of a window's core.

    Attributes:
        log_p: log-probabilities, float32 [B, T, K]
        best: most likely class, int32 [B, T]; the blank at frames without signal
        starts: where a symbol begins, bool [B, T]
        valid: frames on signal, bool [B, T]
    """

    log_p: jax.Array
    best: jax.Array
    starts: jax.Array
    valid: jax.Array

    @property
    def symbols_B(self) -> jax.Array:
        """Symbols of each row, int32 [B]."""
        return self.starts.sum(axis=1)


def read(logits_BxTxK: jax.Array, valid_BxT: jax.Array) -> Read:
    """A decoder's output from its logits or log-probabilities."""
    log_p_BxTxK = log_softmax_at(logits_BxTxK, 1.0)  # finite also where a logit is -inf
    blank = logits_BxTxK.shape[-1] - 1
    best_BxT = jnp.where(valid_BxT, jnp.argmax(log_p_BxTxK, axis=-1), blank)
    before_BxT = jnp.pad(best_BxT[:, :-1], ((0, 0), (1, 0)), constant_values=blank)
    return Read(log_p_BxTxK, best_BxT, (best_BxT != blank) & (best_BxT != before_BxT), valid_BxT)


def diagnostics(
    logits_BxTxK: jax.Array, target_BxTxK: jax.Array | None, valid_BxT: jax.Array, batch: Mapping[str, jax.Array]
) -> dict[str, jax.Array]:
    """Sums of a batch or of a part of one; those of all parts add up.

    Args:
        target_BxTxK: the teacher's logits or log-probabilities at the same frames; None without a teacher.
        batch: label_count int32 [B]; labelled bool [B], where some rows have no labels. Such a row is expected to
            have as many symbols as the teacher reads in it, and without a teacher it does not count.
    """
    # A barrier keeps the compiler from fusing this with the loss, whose last bits would then depend on it.
    student = read(jax.lax.optimization_barrier(jax.lax.stop_gradient(logits_BxTxK)), valid_BxT)
    teacher = None
    if target_BxTxK is not None:
        teacher = read(jax.lax.optimization_barrier(jax.lax.stop_gradient(target_BxTxK)), valid_BxT)
    symbols_B, expected_B = student.symbols_B, batch["label_count"]
    if "labelled" in batch:
        symbols_B = symbols_B if teacher is not None else jnp.where(batch["labelled"], symbols_B, 0)
        expected_B = jnp.where(batch["labelled"], expected_B, 0 if teacher is None else teacher.symbols_B)
    sums = {
        "frames": valid_BxT.sum(),
        "blank": jnp.where(valid_BxT, jnp.exp(student.log_p[..., -1]), 0.0).sum(),
        "symbols": symbols_B.sum(),
        "expected": expected_B.sum(),
    }
    found = {STUDENT: _array(sums, _STUDENT)}
    if teacher is not None:
        offsets = symbol_offsets(student, teacher)
        sums = {**frame_agreement(student, teacher), "unmatched": teacher.starts.sum() - offsets.sum()}
        found[TEACHER] = jnp.concatenate([_array(sums, _TEACHER), offsets.astype(jnp.float32)])
    return found


def frame_agreement(student: Read, teacher: Read) -> dict[str, jax.Array]:
    """Sums over frames: KL(teacher || student) in nats and counts, where the teacher's most likely class is a key
    ("spikes") and where it is the blank; frames of the teacher's keys with the same class ("agreed"); and over frames
    where the student's class is a key ("emitted") its probability and how often the teacher says the same.
    """  # noqa: D205
    blank = student.log_p.shape[-1] - 1
    kl_BxT = (jnp.exp(teacher.log_p) * (teacher.log_p - student.log_p)).sum(axis=-1)
    spike_BxT, blank_BxT = teacher.best != blank, student.valid & (teacher.best == blank)
    emitted_BxT, same_BxT = student.best != blank, student.best == teacher.best
    return {
        "spikes": spike_BxT.sum(),
        "kl_spikes": jnp.where(spike_BxT, kl_BxT, 0.0).sum(),
        "agreed": (spike_BxT & same_BxT).sum(),
        "blanks": blank_BxT.sum(),
        "kl_blanks": jnp.where(blank_BxT, kl_BxT, 0.0).sum(),
        "emitted": emitted_BxT.sum(),
        "confidence": jnp.where(emitted_BxT, jnp.exp(student.log_p.max(axis=-1)), 0.0).sum(),
        "emitted_agreed": (emitted_BxT & same_BxT).sum(),
    }


def symbol_offsets(student: Read, teacher: Read) -> jax.Array:
    """Counts of the teacher's symbols by the frames to the student's nearest one of that class, int32 [2 REACH + 1].

    The first count is of student symbols REACH frames early, the last of those REACH frames late; of two equally near
    ones the earlier counts. A symbol of the student may be the nearest of several. Symbols without one count nowhere.
    """
    frames = student.best.shape[1]
    class_BxT = jnp.pad(jnp.where(student.starts, student.best, -1), ((0, 0), (REACH, REACH)), constant_values=-1)
    near_OxBxT = jnp.stack([class_BxT[:, REACH + offset :][:, :frames] for offset in _NEAREST_FIRST])
    match_OxBxT = (near_OxBxT == teacher.best) & teacher.starts
    first_BxT = jnp.where(match_OxBxT.any(axis=0), jnp.argmax(match_OxBxT, axis=0), -1)
    counts_O = (first_BxT == jnp.arange(len(_NEAREST_FIRST))[:, None, None]).sum(axis=(1, 2))
    return counts_O[np.argsort(_NEAREST_FIRST)]


def diagnostic_metrics(totals: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Members of a line of metrics.jsonl from the arrays of `diagnostics`, added up.

    None where nothing was counted, and where a sum is not finite (a loss may leave such frames out).

    blank: mean probability of the blank; emitted: symbols per label; expected: the labels (see `diagnostics`). With a
    teacher: kl_spikes and kl_blanks, nats per frame; agreement: share of the teacher's key frames with the same class;
    confidence: the student's mean probability where it emits, and overconfidence: that less the share of these frames
    where the teacher says the same; offsets: counts from -REACH to REACH frames; unmatched: symbols without an offset.
    """
    if STUDENT not in totals:
        return {}
    s = dict(zip(_STUDENT, map(float, totals[STUDENT]), strict=True))
    line: dict[str, Any] = {
        "blank": _share(s["blank"], s["frames"]),
        "emitted": _share(s["symbols"], s["expected"]),
        "expected": round(s["expected"]),
    }
    if TEACHER not in totals:
        return line
    values = totals[TEACHER]
    t = dict(zip(_TEACHER, map(float, values), strict=False))
    confidence, same = _share(t["confidence"], t["emitted"]), _share(t["emitted_agreed"], t["emitted"])
    return {
        **line,
        "kl_spikes": _share(t["kl_spikes"], t["spikes"]),
        "kl_blanks": _share(t["kl_blanks"], t["blanks"]),
        "agreement": _share(t["agreed"], t["spikes"]),
        "confidence": confidence,
        "overconfidence": None if confidence is None or same is None else confidence - same,
        "offsets": [round(float(count)) for count in values[len(_TEACHER) :]],
        "unmatched": round(t["unmatched"]),
    }


def _array(sums: Mapping[str, jax.Array], names: tuple[str, ...]) -> jax.Array:
    return jnp.stack([sums[name].astype(jnp.float32) for name in names])


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole and math.isfinite(part) else None
