"""The train step: one jitted function from (state, batch) to (state, sums); supervised and distilled runs share it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from semgjax.evaluate.sessions import core_frames, valid_samples
from semgjax.losses.ctc import ctc
from semgjax.losses.distillation import frame_kl, mix
from semgjax.model import encoder
from semgjax.model.config import ModelConfig
from semgjax.parallel.mesh import by_batch, replicated
from semgjax.train.config import RunConfig
from semgjax.train.optimizer import make_optimizer

State = dict[str, Any]
"""step int32 [], params, optimizer: all that a checkpoint holds"""
Sums = dict[str, jax.Array]


def init_state(config: RunConfig) -> State:
    """The state before the first step, from the seed alone."""
    params = encoder.init(config.model, jax.random.key(config.train.seed))
    optimizer = make_optimizer(config.optimizer, config.train.steps)
    return {"step": jnp.zeros((), jnp.int32), "params": params, "optimizer": optimizer.init(params)}


def loss_and_sums(
    config: RunConfig,
    params: encoder.Params,
    batch: dict[str, jax.Array],
    key: jax.Array | None,
    teacher: tuple[ModelConfig, encoder.Params] | None,
) -> tuple[jax.Array, Sums]:
    """The loss of a batch (scalar, float32) and its sums and counts.

    CTC counts per label and KL per frame. The teacher sees the same augmented window as the student, without
    dropout, and gets no gradient.
    """
    emg_BxTxC = batch["emg"].astype(config.train.compute)
    valid_BxT = valid_samples(batch["valid"], emg_BxTxC.shape[1])
    core = core_frames(config.model, config.window)
    logits = encoder.apply(config.model, params, emg_BxTxC, valid_BxT, key)[:, core]
    ctc_B, ok_B = ctc(logits, batch["labels"], batch["label_count"])
    labels = jnp.where(ok_B, batch["label_count"], 0).sum()
    sums = {
        "ctc": ctc_B.sum(),
        "labels": labels,
        "rows": jnp.asarray(ctc_B.size),
        "infeasible": (~ok_B).sum(),
    }
    loss = sums["ctc"] / jnp.maximum(labels, 1)
    if config.distill is not None and teacher is not None:
        target = encoder.apply(teacher[0], jax.lax.stop_gradient(teacher[1]), emg_BxTxC, valid_BxT)[:, core]
        frames_BxT = valid_BxT[:, config.model.stride - 1 :: config.model.stride][:, core]
        sums["kl"] = frame_kl(logits, target, frames_BxT, config.distill.temperature)
        loss = mix(sums["kl"], loss, config.distill.weight)
    return loss, {**sums, "loss": loss}


def make_step(config: RunConfig, mesh: jax.sharding.Mesh, teacher: ModelConfig | None) -> Callable[..., Any]:
    """(state, batch, teacher parameters or None) -> (state, sums), jitted over the mesh; the state is donated."""
    optimizer = make_optimizer(config.optimizer, config.train.steps)
    one, split = replicated(mesh), by_batch(mesh)

    def step(state: State, batch: dict[str, jax.Array], teacher_params: encoder.Params | None) -> tuple[State, Sums]:
        key = jax.random.fold_in(jax.random.key(config.train.seed), state["step"])

        def objective(params: encoder.Params) -> tuple[jax.Array, Sums]:
            known = None if teacher is None or teacher_params is None else (teacher, teacher_params)
            return loss_and_sums(config, params, batch, key, known)

        (_, sums), gradient = jax.value_and_grad(objective, has_aux=True)(state["params"])
        updates, moments = optimizer.update(gradient, state["optimizer"], state["params"])
        params = optax.apply_updates(state["params"], updates)
        sums["gradient_norm"] = optax.tree.norm(gradient)
        return {"step": state["step"] + 1, "params": params, "optimizer": moments}, sums

    return jax.jit(step, in_shardings=(one, split, one), out_shardings=(one, one), donate_argnums=0)
