"""The two sides of `semgjax bench train`: a training step on one batch in semgjax and in PyTorch."""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import torch

from benchmarks import _torch_model
from benchmarks._random_batch import SPEC, Batch
from semgjax.data.batching.windows import WindowSpec
from semgjax.model.config import ModelConfig
from semgjax.model.presets import preset
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.training.engine import Engine
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig
from semgjax.training.step import init_state, make_step, state_shardings

OPTIMIZER = OptimizerConfig()


def full(name: str) -> ModelConfig:
    """A preset with attention over the whole window."""
    return dataclasses.replace(preset(name), attention_window=None)


def our_step(model: ModelConfig, batch: Batch, spec: WindowSpec = SPEC) -> Callable[[], None]:
    """Compile our train step; each call is one whole step."""
    train = TrainConfig(batch=len(batch["emg"]))
    config = RunConfig("benchmark", model, "", window=spec, optimizer=OPTIMIZER, train=train)
    mesh = make_mesh(train.batch)
    step = make_step(config, mesh, (), Engine().remat)
    state = jax.jit(lambda: init_state(config), out_shardings=state_shardings(config, mesh))()

    def call() -> None:
        nonlocal state
        state, sums = step(state, place_batch(mesh, batch), ())
        jax.block_until_ready((sums, state))

    call()
    return call


def torch_step(model: ModelConfig, batch: Batch, compiled: bool = False) -> Callable[[], None]:
    """PyTorch's step on all cores; each call is one whole step: forward, backward, clipping, AdamW."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    decoder: Any = _torch_model.Decoder(model)
    optimizer = torch.optim.AdamW(
        decoder.parameters(), OPTIMIZER.learning_rate, (OPTIMIZER.beta1, OPTIMIZER.beta2), weight_decay=OPTIMIZER.decay
    )
    network = torch.compile(decoder) if compiled else decoder
    emg, counts = torch.from_numpy(batch["emg"]), torch.from_numpy(batch["label_count"].astype(np.int64))
    labels = torch.from_numpy(batch["labels"].astype(np.int64))
    first = (SPEC.left + model.emission_delay) // model.stride
    core = slice(first, first + SPEC.length // model.stride)

    def call() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss = _torch_model.ctc(network(emg)[:, core], labels, counts) / counts.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), OPTIMIZER.clip)
        optimizer.step()

    call()
    return call
