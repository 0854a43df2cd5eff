"""What a run minimises: its loss, and in a distilled run the KL to the teacher mixed with it."""

from collections.abc import Mapping

import jax
from jax.typing import ArrayLike

from semgjax.evaluate.stitched import core_frames, valid_samples
from semgjax.losses.distillation import distill_metrics, distilled, mean_teacher
from semgjax.model import network
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.model.operations import AUTO, Kernels
from semgjax.training.engine import Remat
from semgjax.training.run_config import RunConfig

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

    Teachers see the same augmented window as the student, without dropout, and get no gradient.

    Args:
        whole: the batch that `batch` is a part of; the loss is then this part's share, so that those of all parts
            (and their gradients) add up to the batch's.
        step: number of steps before this one.
    """
    whole = batch if whole is None else whole
    emg_BxTxC = batch["emg"].astype(config.train.compute)
    valid_BxT = valid_samples(batch["valid"], emg_BxTxC.shape[1])
    core = core_frames(config.model, config.window)
    logits = network.apply(config.model, params, emg_BxTxC, valid_BxT, key, remat, batch.get("row"), kernels)[:, core]
    loss, sums = config.loss(logits, batch, whole)
    if config.distill is not None and teachers:
        known = [network.apply(one, jax.lax.stop_gradient(p), emg_BxTxC, valid_BxT)[:, core] for one, p in teachers]
        target = mean_teacher(known)
        frames = _valid_frames(config, batch)
        all_frames = frames if whole is batch else _valid_frames(config, whole)
        shares = (config.distill.temperature, config.distill.weight, config.distill.key_boost)
        loss, extra = distilled(logits, target, frames, all_frames, loss, *shares)
        sums = sums | extra
    return loss, {**sums, "loss": loss}


def line_metrics(config: RunConfig, totals: Mapping[str, float], steps: int) -> dict[str, float]:
    """Members of a line of metrics.jsonl from the sums of `steps` steps, added up."""
    return {**config.loss.metrics(totals, steps), **distill_metrics(totals, steps)}


def _valid_frames(config: RunConfig, batch: Batch) -> jax.Array:
    """Core frames that lie on signal, bool [B, T_core]."""
    stride = config.model.stride
    valid_BxT = valid_samples(batch["valid"], config.window.total)
    return valid_BxT[:, stride - 1 :: stride][:, core_frames(config.model, config.window)]
