"""The coordinate check: do activations keep their size over widths and depths while a network trains?

Yang et al., "Tensor Programs V" (2022), appendix D.1: each member of a family takes the same few steps, at one learning
rate, from the same batches; where root mean squares of hidden rows rise or fall with width or depth, the best
learning rate will too.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.data.batching.batches import Batch
from semgjax.evaluate.stitched import valid_samples
from semgjax.model.config import ModelConfig
from semgjax.model.encoder import PLAIN, Params, frames, read_out
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.training.run_config import RunConfig
from semgjax.training.step import init_state, make_step, state_shardings
from semgjax.transfer.sizes import Sizes


def coordinate_sizes(config: RunConfig, batches: Sequence[Batch], seeds: Sequence[int]) -> Sizes:
    """Train a network for one step on each batch but the first and the last, and measure it on the last one.

    Args:
        config: of a transformer; its learning rate's warm-up and decay count `config.train.steps`.
        batches: as `semgjax.data.batching.batches.stream` gives them, two more than steps.
        seeds: of the parameters; sizes are geometric means over them, moves arithmetic ones.
    """
    model = config.model
    assert isinstance(model, ModelConfig)
    mesh = make_mesh(config.train.batch)
    step, probe = make_step(config, mesh), batches[-1]
    start = jax.jit(lambda seed: init_state(config, seed), out_shardings=state_shardings(config, mesh))
    sizes, moves = [], []
    for seed in seeds:
        state = start(seed)
        measured = []
        for batch in batches[:-1]:  # the first step has rate 0
            state, _ = step(state, place_batch(mesh, batch), ())
            measured.append(_rows(model, state["params"], probe))
        sizes.append([[_size(x) for x in rows] for rows in zip(*measured, strict=True)])
        moves.append([[_size(x - rows[0]) for x in rows] for rows in zip(*measured, strict=True)])
    return Sizes(model.dim, model.layers, np.exp(np.log(sizes).mean(axis=0)), np.mean(moves, axis=0))


def _size(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def _rows(model: ModelConfig, params: Params, batch: Batch) -> list[np.ndarray]:
    """The rows of `Sizes` of the batch's valid frames: [frames, coordinates] each."""
    layers, logits, valid = (np.asarray(x) for x in _forward(model, params, dict(batch)))
    # Equal shares of the depth: the first layer alone is a third of three layers, and little of many.
    places = [max(1, round(len(layers) * share / 3)) - 1 for share in (1, 2, 3)]
    return [layers[place][valid] for place in places] + [logits[valid]]


@partial(jax.jit, static_argnums=0)
def _forward(model: ModelConfig, params: Params, batch: Batch) -> tuple[jax.Array, jax.Array, jax.Array]:
    emg = jnp.asarray(batch["emg"], jnp.float32)
    valid = valid_samples(jnp.asarray(batch["valid"]), emg.shape[1])
    x, layers = frames(model, params, emg, valid, None, "none", None, PLAIN, keep_layers=True)
    return layers, read_out(model, params["head"], x), valid[:, model.stride - 1 :: model.stride]
