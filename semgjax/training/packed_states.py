"""The states of packed runs and the one jitted step that all of them take."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh
from jax.typing import ArrayLike

from semgjax.data.batching.batches import Batch
from semgjax.parallel.mesh import AXES, AnyMesh, by_batch, replicated
from semgjax.training.accumulation import parts_of
from semgjax.training.optimizer import make_optimizer
from semgjax.training.run_config import RunConfig
from semgjax.training.step import State, Sums, init_state, make_update, placed_shapes, state_shapes

Inputs = dict[str, Any]
"""seed, learning_rate and decay, an entry per run: what packed runs differ in besides their data"""


def make_packed_step(config: RunConfig, mesh: AnyMesh, lanes: int) -> Any:
    """(states, batches, inputs) -> (states, sums) of packed runs, jitted; the states are donated.

    Every array has the runs on its first axis, `lanes` of them, a multiple of the mesh's devices, over which they are
    split: no device needs anything of another.
    """
    split = by_batch(mesh)
    update = make_update(config, mesh, parts=parts_of(config, mesh, lanes // mesh.size))

    def one(state: State, batch: Batch, seed: ArrayLike, learning_rate: Any, decay: Any) -> tuple[State, Sums]:
        own = dataclasses.replace(config.optimizer, learning_rate=learning_rate, decay=decay)
        return update(state, batch, (), make_optimizer(own, config.train.steps, config.train.batch, config.model), seed)

    def step(states: State, batches: Any, inputs: Inputs) -> tuple[State, Sums]:
        together = jax.vmap(lambda state, batch, own: one(state, batch, **own), spmd_axis_name=AXES)
        return together(states, batches, inputs)

    return jax.jit(step, in_shardings=(split, split, split), out_shardings=(split, split), donate_argnums=0)


class PackedStates:
    """Runs of one compiled step, split over the devices of one process, each whole on one of them.

    The number of lanes never changes, whoever has ended: one executable, so that a run's bits do not depend on when
    the others ended. A lane without a batch gets another's.

    Args:
        configs: equal in `program_of`, without a teacher.
        mesh: as many devices as divide the lanes.
        lanes: at least as many as configurations.
        label_room: width of the labels, of the run that needs most.
    """

    def __init__(self, configs: Sequence[RunConfig], mesh: Mesh, lanes: int, label_room: int) -> None:
        self.mesh, self._lanes, self._room = mesh, lanes, label_room
        self._config, self._split = configs[0], by_batch(mesh)
        filled = [*configs, *[configs[-1]] * (lanes - len(configs))]
        inputs = {
            "seed": np.array([config.train.seed for config in filled], np.uint32),
            "learning_rate": np.array([config.optimizer.learning_rate for config in filled], np.float32),
            "decay": np.array([config.optimizer.decay for config in filled], np.float32),
        }
        self._inputs = jax.device_put(inputs, self._split)
        self._step = make_packed_step(self._config, mesh, lanes)
        self._take = jax.jit(_take, out_shardings=replicated(mesh))

    def like(self) -> State:
        """Shapes of one run's state, placed as it is to be restored."""
        whole = replicated(self.mesh)
        return placed_shapes(self._config, jax.tree.map(lambda _: whole, state_shapes(self._config)))

    def begin(self, found: Sequence[State | None]) -> None:
        """Put in the states of all lanes: a restored one, or for None a fresh one."""
        fresh = jax.jit(jax.vmap(partial(init_state, self._config)), out_shardings=self._split)
        self._states = fresh(self._inputs["seed"])
        put = jax.jit(_put, out_shardings=self._split, donate_argnums=0)
        for lane, state in enumerate(found):
            if state is not None:
                self._states = put(self._states, state, lane)

    def advance(self, batches: Mapping[int, Batch]) -> Sums:
        """One step of every lane; the result counts for those that have a batch."""
        spare = next(iter(batches.values()))
        rows = [batches.get(lane, spare) for lane in range(self._lanes)]
        stacked = {name: np.stack([self._wide(name, batch[name]) for batch in rows]) for name in spare}
        self._states, sums = self._step(self._states, jax.device_put(stacked, self._split), self._inputs)
        return sums

    def state(self, lane: int) -> State:
        """The state of a lane as it is now."""
        return self._take(self._states, lane)

    def _wide(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Labels padded to the pack's width; zeros behind a row's labels count for nothing."""
        return np.pad(rows, ((0, 0), (0, self._room - rows.shape[1]))) if name == "labels" else rows


def _put(states: State, state: State, lane: jax.Array) -> Any:
    return jax.tree.map(lambda lanes, one: lanes.at[lane].set(one), states, state)


def _take(states: State, lane: jax.Array) -> Any:
    return jax.tree.map(lambda lanes: lanes[lane], states)
