"""CTC loss per row and the alignment behind it, with infeasible rows masked and counted.

Graves et al., "Connectionist Temporal Classification" (ICML 2006), section 4: forward and backward variables over
the labels with a blank before, between and after them. Both run in one scan, the backward ones as a forward recursion
over reversed time and labels, for on an accelerator a scan costs what its number of steps costs; on a GPU one kernel
(semgjax.kernels.alignments) may take its place. They are kept as mantissa and exponent (semgjax.kernels.wide), so their
gradient has float32's digits at any length.
"""

import functools
import operator
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec

from semgjax.kernels.wide import Wide, add, from_log, multiply, power, to_log, zeros
from semgjax.model.operations import CTCForm, platform


class Occupancy(NamedTuple):
    """Probability of every state at every frame, given the labels; a frame's states sum to one.

    Attributes:
        labels: float32 [B, T, N], label n
        blanks: float32 [B, T, N + 1], the blank before label n, and the last one
    """

    labels: jax.Array
    blanks: jax.Array


def feasible(labels_BxN: jax.Array, label_count_B: jax.Array, frames: int) -> jax.Array:
    """Which rows fit: labels plus adjacent repeats (each needs a blank between) are no more than `frames`; bool [B]."""
    inside_BxN = jnp.arange(labels_BxN.shape[1])[None, :] < label_count_B[:, None]
    repeats_B = ((labels_BxN[:, 1:] == labels_BxN[:, :-1]) & inside_BxN[:, 1:]).sum(axis=1)
    return label_count_B + repeats_B <= frames


def ctc(
    logits_BxTxK: jax.Array, labels_BxN: jax.Array, label_count_B: jax.Array, form: CTCForm = "scan"
) -> tuple[jax.Array, jax.Array]:
    """Negative log likelihood per row (nats, float32 [B]) and which rows are feasible (bool [B]).

    An infeasible row has loss and gradient zero: its labels are emptied before the recursion, for a huge finite
    loss would have a meaningless gradient. A label whose logit is -inf is as likely as e^-100000. A row with NaN in
    its logits has loss NaN, so that a run can see it; frames without a signal should be made finite before.

    Args:
        form: scan, or fused for one kernel of all frames on a GPU; where there is none that kernel is interpreted, with
            the same values but slowly.
    """
    ok_B = feasible(labels_BxN, label_count_B, logits_BxTxK.shape[1])
    count_B = jnp.where(ok_B, label_count_B, 0)
    loss_B = _loss(logits_BxTxK.astype(jnp.float32), labels_BxN, count_B, form)
    return jnp.where(ok_B, loss_B, 0.0), ok_B


def ctc_per_label(
    logits_BxTxK: jax.Array,
    batch: Mapping[str, jax.Array],
    whole: Mapping[str, jax.Array],
    form: CTCForm = "scan",
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Nats per label of the whole batch's feasible rows, this part's share (scalar), and the part's sums.

    Sums: ctc (nats), labels, rows, infeasible (rows). See `semgjax.losses.loss.Loss`. Unlabelled rows count in none of
    them: no label was asked for there, which is not the same as that there is none.
    """
    ctc_B, ok_B = ctc(logits_BxTxK, batch["labels"], batch["label_count"], form)
    if "labelled" in batch:
        return _of_labelled(ctc_B, ok_B, batch, whole, logits_BxTxK.shape[1])
    labels = jnp.where(ok_B, batch["label_count"], 0).sum()
    sums = {
        "ctc": ctc_B.sum(),
        "labels": labels,
        "rows": jnp.asarray(ctc_B.size),
        "infeasible": (~ok_B).sum(),
    }
    if whole is not batch:
        fits_B = feasible(whole["labels"], whole["label_count"], logits_BxTxK.shape[1])
        labels = jnp.where(fits_B, whole["label_count"], 0).sum()
    return sums["ctc"] / jnp.maximum(labels, 1), sums


def _of_labelled(
    ctc_B: jax.Array, ok_B: jax.Array, batch: Mapping[str, jax.Array], whole: Mapping[str, jax.Array], frames: int
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """`ctc_per_label` of a batch some of whose rows are unlabelled."""
    known_B = batch["labelled"]
    counted_B = ok_B & known_B
    sums = {
        "ctc": jnp.where(counted_B, ctc_B, 0.0).sum(),
        "labels": jnp.where(counted_B, batch["label_count"], 0).sum(),
        "rows": known_B.sum(),
        "infeasible": (~ok_B & known_B).sum(),
    }
    fits_B = feasible(whole["labels"], whole["label_count"], frames) & whole["labelled"]
    labels = jnp.where(fits_B, whole["label_count"], 0).sum()
    return sums["ctc"] / jnp.maximum(labels, 1), sums


def align(logits_BxTxK: jax.Array, labels_BxN: jax.Array, label_count_B: jax.Array) -> Occupancy:
    """Where the labels lie in time: the probability of each at every frame. Rows must be feasible."""
    log_p_BxTxK = jax.nn.log_softmax(logits_BxTxK.astype(jnp.float32), axis=-1)
    return _align(log_p_BxTxK, labels_BxN, label_count_B, "scan")[1]


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _loss(logits_BxTxK: jax.Array, labels_BxN: jax.Array, count_B: jax.Array, form: CTCForm) -> jax.Array:
    log_p_BxTxK = jax.nn.log_softmax(logits_BxTxK, axis=-1)
    (blank, label), _ = _variables(log_p_BxTxK, labels_BxN, count_B, False, form)
    return _negative_log(log_p_BxTxK, blank, label, count_B)


def _loss_forward(
    logits_BxTxK: jax.Array, labels_BxN: jax.Array, count_B: jax.Array, form: CTCForm
) -> tuple[jax.Array, jax.Array]:
    """The loss and, as residual of the backward pass, its gradient: softmax minus occupancy (Graves 2006, eq. 16)."""
    log_p_BxTxK = jax.nn.log_softmax(logits_BxTxK, axis=-1)
    loss_B, occupancy = _align(log_p_BxTxK, labels_BxN, count_B, form)
    inside_BxN = jnp.arange(labels_BxN.shape[1])[None, :] < count_B[:, None]
    class_BxNxK = jax.nn.one_hot(jnp.where(inside_BxN, labels_BxN, -1), logits_BxTxK.shape[-1])
    wanted_BxTxK = jnp.einsum("btn,bnk->btk", occupancy.labels, class_BxNxK, precision=jax.lax.Precision.HIGHEST)
    wanted_BxTxK = wanted_BxTxK.at[..., -1].add(occupancy.blanks.sum(axis=-1))
    return loss_B, jnp.exp(log_p_BxTxK) - wanted_BxTxK


def _loss_backward(form: CTCForm, gradient_BxTxK: jax.Array, upstream_B: jax.Array) -> tuple[jax.Array, None, None]:
    # A row without weight has gradient zero, also where its own gradient is NaN.
    upstream_Bx1x1 = upstream_B[:, None, None]
    return jnp.where(upstream_Bx1x1 == 0.0, 0.0, upstream_Bx1x1 * gradient_BxTxK), None, None


_loss.defvjp(_loss_forward, _loss_backward)


def _align(
    log_p_BxTxK: jax.Array, labels_BxN: jax.Array, count_B: jax.Array, form: CTCForm
) -> tuple[jax.Array, Occupancy]:
    """Negative log likelihood [B] and the states' probabilities."""
    (blank, label), (before, after) = _variables(log_p_BxTxK, labels_BxN, count_B, True, form)
    blanks, labels = (
        Wide(one.mantissa * other.mantissa[::-1, :, ::-1], one.exponent + other.exponent[::-1, :, ::-1])
        for one, other in zip(before, after, strict=True)
    )
    top_TxBx1 = jnp.maximum(
        blanks.exponent.max(axis=-1, keepdims=True), labels.exponent.max(axis=-1, keepdims=True, initial=-(2**30))
    )
    blank_TxBxM, label_TxBxN = (x.mantissa * power(x.exponent - top_TxBx1) for x in (blanks, labels))
    scale_TxBx1 = 1.0 / (blank_TxBxM.sum(axis=-1, keepdims=True) + label_TxBxN.sum(axis=-1, keepdims=True))
    occupancy = Occupancy(*(jnp.swapaxes(x * scale_TxBx1, 0, 1) for x in (label_TxBxN, blank_TxBxM)))
    return _negative_log(log_p_BxTxK, blank, label, count_B), occupancy


def _negative_log(log_p_BxTxK: jax.Array, blank: Wide, label: Wide, count_B: jax.Array) -> jax.Array:
    """The loss from the forward variables after the last frame: of the last label and of the blank behind it."""
    ending_1xBxM = add(blank, _delayed(label))
    log_1xBxM = to_log(ending_1xBxM)
    loss_B = -jnp.take_along_axis(log_1xBxM[0], count_B[:, None], axis=1)[:, 0]
    # Exponents hide NaN.
    return jnp.where(jnp.isnan(log_p_BxTxK).any(axis=(1, 2)), jnp.nan, loss_B)


def _variables(
    log_p_BxTxK: jax.Array, labels_BxN: jax.Array, count_B: jax.Array, both_ways: bool, form: CTCForm
) -> tuple[tuple[Wide, Wide], tuple[tuple[Wide, Wide], tuple[Wide, Wide]]]:
    """`_recursion` in either form. The compiler cannot split a kernel over devices: each gets its rows here."""
    # Without labels or frames there is nothing to walk over.
    if form == "scan" or 0 in (labels_BxN.shape[1], log_p_BxTxK.shape[1]):
        return _recursion(log_p_BxTxK, labels_BxN, count_B, both_ways)
    from semgjax.kernels.alignments import alignments  # not at the top: Pallas takes a second to import

    mesh = jax.sharding.get_abstract_mesh()
    fused = functools.partial(alignments, both_ways=both_ways, interpret=platform() != "gpu")
    axes = tuple(name for name in mesh.axis_names if name not in mesh.manual_axes)
    if axes:
        rows, lasting = PartitionSpec(axes), PartitionSpec(None, axes)
        every_frame = PartitionSpec(None, None, axes) if both_ways else None
        fused = jax.shard_map(fused, in_specs=rows, out_specs=(lasting, every_frame), check_vma=False)
    ending, over_time = fused(log_p_BxTxK, labels_BxN, count_B)
    first, last = (jax.tree.map(operator.itemgetter(way), over_time) for way in (0, -1))
    return ending, (first, last)


def _recursion(
    log_p_BxTxK: jax.Array, labels_BxN: jax.Array, count_B: jax.Array, both_ways: bool
) -> tuple[tuple[Wide, Wide], tuple[tuple[Wide, Wide], tuple[Wide, Wide]]]:
    """Forward variables over time; with `both_ways` also over reversed time and labels, as a second direction.

    Returns:
        The (blank [D, B, N + 1], label [D, B, N]) variables after the last frame, with D directions; and over time the
        first direction's after each frame's emission and the last direction's before it, each ([T, B, N + 1],
        [T, B, N]). The products of the two are the states' joint probabilities with the whole labels.
    """
    batch, room = labels_BxN.shape
    log_TxBxN = jnp.moveaxis(jnp.take_along_axis(log_p_BxTxK, labels_BxN[:, None, :], axis=2), 1, 0)
    log_TxBx1 = jnp.moveaxis(log_p_BxTxK[..., -1:], 1, 0)
    # Two equal neighbours need a blank between; a direction's first label has no neighbour before it.
    differ_BxN = jnp.pad(labels_BxN[:, 1:] != labels_BxN[:, :-1], ((0, 0), (1, 0)))[:, :room]
    start_BxM = jnp.zeros((batch, room + 1), bool).at[:, 0].set(True)
    if both_ways:
        differ_after_BxN = jnp.pad(differ_BxN[:, 1:], ((0, 0), (0, 1)))[:, :room]
        ends_BxM = jnp.arange(room + 1)[None, :] == count_B[:, None]
        log_TxDxBxN = jnp.stack([log_TxBxN, log_TxBxN[::-1, :, ::-1]], axis=1)
        log_TxDxBx1 = jnp.stack([log_TxBx1, log_TxBx1[::-1]], axis=1)
        differ_DxBxN = jnp.stack([differ_BxN, differ_after_BxN[:, ::-1]])
        start_DxBxM = jnp.stack([start_BxM, ends_BxM[:, ::-1]])
    else:
        log_TxDxBxN, log_TxDxBx1 = log_TxBxN[:, None], log_TxBx1[:, None]
        differ_DxBxN, start_DxBxM = differ_BxN[None], start_BxM[None]
    skip_DxBxN = differ_DxBxN.astype(jnp.float32)

    def frame(carry: tuple[Wide, Wide], emission: tuple[Wide, Wide]) -> tuple[tuple[Wide, Wide], Any]:
        blank, label = carry
        earlier = _delayed(label)
        to_blank = add(blank, earlier)
        stay, enter = Wide(*(x[..., :room] for x in earlier)), Wide(*(x[..., :room] for x in blank))
        to_label = add(label, enter, Wide(stay.mantissa * skip_DxBxN, stay.exponent))
        blank, label = multiply(to_blank, emission[0]), multiply(to_label, emission[1])
        first = jax.tree.map(lambda x: x[0], (blank, label))
        last = jax.tree.map(lambda x: x[-1], (to_blank, to_label))
        return (blank, label), (first, last) if both_ways else None

    one, none = Wide(jnp.float32(1.0), jnp.int32(0)), zeros(start_DxBxM.shape)
    blank = Wide(*(jnp.where(start_DxBxM, a, b) for a, b in zip(one, none, strict=True)))
    emissions = (from_log(log_TxDxBx1), from_log(log_TxDxBxN))
    return jax.lax.scan(frame, (blank, zeros(skip_DxBxN.shape)), emissions)


def _delayed(label: Wide) -> Wide:
    """Label n - 1 at place n, zero at the first: [..., N] -> [..., N + 1]."""
    empty = zeros((*label.mantissa.shape[:-1], 1))
    return Wide(*(jnp.concatenate(pair, axis=-1) for pair in zip(empty, label, strict=True)))
