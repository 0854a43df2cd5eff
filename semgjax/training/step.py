"""The train step: one jitted function from (state, batch) to (state, sums); supervised and distilled runs share it."""

import contextlib
import typing
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from semgjax.model import network
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.model.operations import AUTO, Kernels
from semgjax.parallel.mesh import AnyMesh, by_batch, replicated
from semgjax.parallel.rules import rules_for, shardings
from semgjax.training.accumulation import parts_of
from semgjax.training.criterion import Batch, Sums, Teachers, loss_and_sums
from semgjax.training.distill_params import with_extra, without_extra
from semgjax.training.engine import Remat
from semgjax.training.optimizer import run_optimizer
from semgjax.training.personal_params import begun, in_training, merged, with_additions
from semgjax.training.run_config import RunConfig

State = dict[str, Any]
"""step int32 [], params, optimizer, and with optimizer.average also average: all that a checkpoint holds; of a
personalised run also best, the parameters of the lowest validation error rate so far, and best_at, its step and rate"""


def init_state(config: RunConfig, seed: ArrayLike | None = None, base: Params | None = None) -> State:
    """The state before the first step, from the seed alone (default: the configuration's).

    Args:
        base: parameters that the run begins with, in place of random ones.

    Raises:
        InputError: the network has not the hidden frames that the run distils from (`with_extra`), or not what its
            method trains (`with_additions`).
    """
    key = jax.random.key(config.train.seed if seed is None else seed)
    params = with_extra(config, network.init(config.model, key) if base is None else base, key)
    if config.personal is not None:
        params = with_additions(config.personal, params, key)
    optimizer = run_optimizer(config)
    state = {"step": jnp.zeros((), jnp.int32), "params": params, "optimizer": optimizer.init(params)}
    if config.personal is not None:
        return {**state, **begun(params)}
    return {**state, "average": jax.tree.map(jnp.copy, params)} if config.optimizer.average else state


def state_shapes(config: RunConfig) -> State:
    """Shapes and types of the state, without computing it."""
    return typing.cast(State, jax.eval_shape(lambda: init_state(config)))


def state_shardings(config: RunConfig, mesh: AnyMesh) -> Any:
    """How the state is split over a mesh: a NamedSharding per leaf."""
    return shardings(state_shapes(config), mesh, rules_for(config.model.SHARDING))


def placed_shapes(config: RunConfig, placed: Any) -> State:
    """Shapes and types of the state with their shardings, as a checkpoint is restored to."""
    return typing.cast(
        State,
        jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), state_shapes(config), placed),
    )


def read_params(state: State) -> Params:
    """The network's parameters that are evaluated: the running average where there is one."""
    return merged(without_extra(state["average"] if "average" in state else state["params"]))


def final_params(state: State) -> Params:
    """The network's parameters that a run ends with: the best ones of a personalised run, else `read_params`."""
    return typing.cast(Params, state["best"]) if "best" in state else read_params(state)


def gradient_and_sums(
    config: RunConfig,
    params: Params,
    batch: Batch,
    key: jax.Array,
    teachers: Teachers,
    remat: Remat = "cheap",
    count: int = 1,
    kernels: Kernels = AUTO,
    step: ArrayLike = 0,
) -> tuple[Params, Sums]:
    """Gradient of the batch's loss and the batch's sums, accumulated over `count` parts.

    Part a takes rows a, a + A, ...: every device then has rows of every part.
    """

    def objective(params: Params, part: Batch, key: jax.Array, whole: Batch | None) -> tuple[jax.Array, Sums]:
        params = in_training(config.personal, params)
        return loss_and_sums(config, params, part, key, teachers, remat, whole, kernels, step)

    differentiate = jax.grad(objective, has_aux=True)
    batch = {**batch, "row": jnp.arange(len(batch["emg"]))}
    if count == 1:
        return differentiate(params, batch, key, None)
    parts = {name: rows.reshape(-1, count, *rows.shape[1:]).swapaxes(0, 1) for name, rows in batch.items()}

    def add(total: tuple[Params, Sums], part: Batch) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, differentiate(params, part, key, batch)), None

    first = jax.eval_shape(differentiate, params, jax.tree.map(lambda x: x[0], parts), key, batch)
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), first)
    return jax.lax.scan(add, zeros, parts)[0]


def safe_norm(tree: Any) -> jax.Array:
    """Euclidean norm of all leaves, finite whenever they are: the squares of a run that blows up pass float32."""
    most = jnp.maximum(jnp.stack([jnp.abs(leaf).max() for leaf in jax.tree.leaves(tree)]).max(), 1e-30)
    return most * optax.tree.norm(jax.tree.map(lambda leaf: leaf / most, tree))


def make_step(
    config: RunConfig,
    mesh: AnyMesh,
    teachers: Sequence[Network] = (),
    remat: Remat = "cheap",
    kernels: Kernels = AUTO,
) -> Any:
    """(state, batch, parameters of each teacher) -> (state, sums), jitted over the mesh; the state is donated.

    Raises:
        InputError: a sharding rule does not fit (see semgjax.parallel.rules).
    """
    one, split, placed = replicated(mesh), by_batch(mesh), state_shardings(config, mesh)
    optimizer = run_optimizer(config)
    update = make_update(config, mesh, teachers, remat, parts_of(config, mesh), kernels)

    def step(state: State, batch: Batch, teacher_params: tuple[Params, ...]) -> tuple[State, Sums]:
        return update(state, batch, teacher_params, optimizer, config.train.seed)

    return jax.jit(step, in_shardings=(placed, split, one), out_shardings=(placed, one), donate_argnums=0)


def make_update(
    config: RunConfig,
    mesh: AnyMesh,
    teachers: Sequence[Network] = (),
    remat: Remat = "cheap",
    parts: int = 1,
    kernels: Kernels = AUTO,
) -> Callable[..., tuple[State, Sums]]:
    """(state, batch, parameters of each teacher, optimizer, seed) -> (state, sums) of one run, to be jitted.

    Args:
        parts: the batch is computed in this many parts (gradient accumulation).
    """
    one = replicated(mesh)
    placed = state_shardings(config, mesh)

    def update(
        state: State,
        batch: Batch,
        teacher_params: tuple[Params, ...],
        optimizer: optax.GradientTransformation,
        seed: ArrayLike,
    ) -> tuple[State, Sums]:
        key = jax.random.fold_in(jax.random.key(seed), state["step"])
        known = tuple(zip(teachers, teacher_params, strict=True))
        if config.distill is not None and config.distill.by_itself:
            average = jax.lax.with_sharding_constraint(state["average"], one)
            known = ((config.model, without_extra(average)),)
        # A split state is gathered once per step, and its gradient split again: left to itself the compiler would
        # split activations along features where layers meet, which costs more than the parameters do.
        params = jax.lax.with_sharding_constraint(state["params"], one)
        with _rows_known(mesh, kernels):
            gradient, sums = gradient_and_sums(config, params, batch, key, known, remat, parts, kernels, state["step"])
        gradient = jax.lax.with_sharding_constraint(gradient, placed["params"])
        updates, moments = optimizer.update(gradient, state["optimizer"], state["params"])
        params = optax.apply_updates(state["params"], updates)
        sums["gradient_norm"] = optax.tree.norm(gradient)
        sums["update_norm"] = safe_norm(updates)
        sums["parameter_norm"] = safe_norm(params)
        new = {"step": state["step"] + 1, "params": params, "optimizer": moments}
        new |= {name: state[name] for name in ("best", "best_at") if name in state}
        if "average" in state:
            rate = average_rate(config.optimizer.average, state["step"])
            new["average"] = jax.tree.map(lambda old, p: rate * old + (1 - rate) * p, state["average"], params)
        return new, sums

    return update


def _rows_known(mesh: AnyMesh, kernels: Kernels) -> contextlib.AbstractContextManager[Any]:
    """The mesh for what the compiler cannot split over devices by itself."""
    return jax.sharding.use_abstract_mesh(mesh.abstract_mesh) if kernels.ctc == "fused" else contextlib.nullcontext()


def average_rate(decay: float, step: jax.Array) -> jax.Array:
    """Decay of the running average at a step: smaller at first, so that the random start is soon forgotten.

    min(decay, (1 + t) / (10 + t)), as TensorFlow's ExponentialMovingAverage does with num_updates.
    """
    t = step.astype(jnp.float32)
    return jnp.minimum(decay, (1 + t) / (10 + t))
