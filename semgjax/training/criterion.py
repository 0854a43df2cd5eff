"""What a run minimises: its loss, and in a distilled run the KL to the teacher mixed with it."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax.typing import ArrayLike

from semgjax.data.batching.target_views import dequantise
from semgjax.evaluate.stitched import core_frames, valid_samples
from semgjax.losses.align import at_student_frames, valid_at_student_frames
from semgjax.losses.diagnostics import DIAGNOSTICS, diagnostic_metrics, diagnostics
from semgjax.losses.distillation import distill_metrics, mean_teacher, mix
from semgjax.model import network
from semgjax.model.encoder import Params
from semgjax.model.int8_training import apply_rounded
from semgjax.model.kind import Network
from semgjax.model.operations import AUTO, Kernels
from semgjax.training.distill_params import EXTRA, intermediate_logits
from semgjax.training.engine import Remat
from semgjax.training.run_config import RunConfig
from semgjax.training.taught import Frames, features, share_of, taught

Sums = dict[str, jax.Array]
Batch = dict[str, jax.Array]
Teachers = tuple[tuple[Network, Params], ...]
"""network and parameters of each teacher"""


def loss_and_sums(
    config: RunConfig,
    params: Params,
    batch: Batch,
    key: jax.Array | None,
    teachers: Teachers,
    remat: Remat = "cheap",
    whole: Batch | None = None,
    kernels: Kernels = AUTO,
    step: ArrayLike = 0,
) -> tuple[jax.Array, Sums]:
    """The loss of a batch (scalar, float32) and its named sums, among them "loss".

    Teachers see the same augmented window as the student, without dropout, and get no gradient. With distill.cache the
    batch has their outputs.

    Args:
        whole: the batch that `batch` is a part of; the loss is then this part's share, so that those of all parts
            (and their gradients) add up to the batch's.
        step: number of steps before this one.
    """
    whole = batch if whole is None else whole
    emg_BxTxC = batch["emg"].astype(config.train.compute)
    valid_BxT = valid_samples(batch["valid"], emg_BxTxC.shape[1])
    core = core_frames(config.model, config.window)
    inputs = (emg_BxTxC, valid_BxT, key, remat, batch.get("row"), kernels)
    distill = config.distill if teachers or "target" in batch else None
    if distill is None or not distill.needs_hidden:
        logits, hidden = _forward(config, params, *inputs)[:, core], None
    else:
        logits, hidden = _forward(config, params, *inputs, hidden=True)
        logits, hidden = logits[:, core], hidden[:, :, core]
    loss_of = config.loss.in_form(kernels.ctc)
    loss, sums = loss_of(logits, batch, whole)
    networks = tuple(one for one, _ in teachers) if distill is not None else ()
    frames = valid_frames(config, batch, networks)
    if distill is None:
        return loss, {**sums, **diagnostics(logits, None, frames, batch), "loss": loss}
    among = Frames(frames, frames if whole is batch else valid_frames(config, whole, networks))
    if distill.cache:
        target, theirs = dequantise(batch["target"], distill.cache), None
    else:
        target, theirs = _targets(config, teachers, emg_BxTxC, valid_BxT)
    share = share_of(distill, step, config.train.steps)
    loss, extra = taught(distill, share, logits, target, among, loss)
    sums = sums | extra
    if hidden is not None:
        own = params[EXTRA]
        if distill.intermediate:
            heads = [intermediate_logits(own, layer, hidden[layer - 1]) for layer in distill.intermediate]
            losses = [taught(distill, share, x, target, among, loss_of(x, batch, whole)[0])[0] for x in heads]
            sums["intermediate"] = sum(losses[1:], losses[0]) / len(losses)
            loss = mix(sums["intermediate"], loss, distill.intermediate_weight)
        if theirs is not None:
            term, extra = features(distill, own, hidden[-1], theirs, among)
            loss, sums = loss + term, sums | extra
    return loss, {**sums, **diagnostics(logits, target, frames, batch), "loss": loss}


def _forward(
    config: RunConfig,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    key: jax.Array | None,
    remat: Remat,
    rows_B: jax.Array | None,
    kernels: Kernels,
    hidden: bool = False,
) -> Any:
    """The run's network; with train.int8 as its int8 export computes it."""
    if config.train.int8:
        return apply_rounded(config.model, params, emg_BxTxC, valid_BxT, key, rows_B, kernels, hidden)
    forward = network.hidden if hidden else network.apply
    return forward(config.model, params, emg_BxTxC, valid_BxT, key, remat, rows_B, kernels)


def teacher_logits(config: RunConfig, teachers: Teachers, emg_BxTxC: jax.Array, valid_BxT: jax.Array) -> jax.Array:
    """What a run's teachers give for the core, at the student's frames: [B, T_core, K], as in a step."""
    return _targets(config, teachers, emg_BxTxC, valid_BxT)[0]


def _targets(
    config: RunConfig, teachers: Teachers, emg_BxTxC: jax.Array, valid_BxT: jax.Array
) -> tuple[jax.Array, jax.Array | None]:
    """The teachers' mean logits at the core's frames, and with distill.features the first one's hidden frames there.

    The core of each network emits the same samples' keys, whatever its emission delay.
    """
    assert config.distill is not None
    known, theirs = [], None
    for number, (one, params) in enumerate(teachers):
        fixed = jax.lax.stop_gradient(params)
        core = core_frames(one, config.window)
        if number == 0 and config.distill.features:
            logits, hidden = network.hidden(one, fixed, emg_BxTxC, valid_BxT)
            theirs = hidden[-1][:, core]
        else:
            logits = network.apply(one, fixed, emg_BxTxC, valid_BxT)
        known.append(at_student_frames(logits[:, core], config.window.length // config.model.stride))
    return mean_teacher(known), theirs


def line_metrics(config: RunConfig, totals: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Members of a line of metrics.jsonl from the sums of `steps` steps, added up."""
    own = loss_totals(totals)
    return {**config.loss.metrics(own, steps), **distill_metrics(own, steps), **diagnostic_metrics(totals)}


def loss_totals(totals: Mapping[str, Any]) -> dict[str, float]:
    """The sums that the loss named, without those of the step and of the diagnostics."""
    return {k: v for k, v in totals.items() if k not in ("loss", *DIAGNOSTICS) and not k.endswith("_norm")}


def valid_frames(config: RunConfig, batch: Batch, teachers: Sequence[Network]) -> jax.Array:
    """Core frames that lie on signal, bool [B, T_core]: the student's, and the teachers' for the same samples."""
    valid_BxT = valid_samples(batch["valid"], config.window.total)

    def of(network: Network) -> jax.Array:
        return valid_BxT[:, network.stride - 1 :: network.stride][:, core_frames(network, config.window)]

    found = of(config.model)
    for one in teachers:
        if (one.stride, one.emission_delay) != (config.model.stride, config.model.emission_delay):
            found &= valid_at_student_frames(of(one), found.shape[1])
    return found
