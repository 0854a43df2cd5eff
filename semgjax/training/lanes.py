"""How the states of runs advance: of one run over all devices, or of a pack in one step. Writes nothing."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import jax
import numpy as np
from jax.sharding import Mesh

from semgjax.data.batching.batches import Batch
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.model.operations import AUTO, Kernels
from semgjax.parallel.mesh import by_batch, place_batch, replicated
from semgjax.training.engine import Remat
from semgjax.training.knobs import Knobs, knobs_of
from semgjax.training.run_config import RunConfig
from semgjax.training.step import State, Sums, init_state, make_packed_step, make_step, state_shapes


class Lanes(Protocol):
    """The states of runs, one in each lane."""

    mesh: Mesh

    def like(self) -> State:
        """Shapes of one run's state, placed as it is to be restored."""

    def begin(self, found: Sequence[State | None]) -> None:
        """Put in the states of all lanes: a restored one, or for None a fresh one."""

    def advance(self, batches: Mapping[int, Batch]) -> Sums:
        """A step of every lane, those that have a batch."""

    def state(self, lane: int) -> State:
        """The state of a lane as it is now."""


class Alone:
    """One run, its batch split over all devices.

    Args:
        placed: how its state is split.
        teacher: shape and parameters of the teacher of a distilled run.
        remat, kernels: see semgjax.training.engine.
    """

    def __init__(
        self,
        config: RunConfig,
        mesh: Mesh,
        placed: Any,
        teacher: tuple[Network, Params] | None,
        remat: Remat,
        kernels: Kernels = AUTO,
    ) -> None:
        self.mesh, self._placed = mesh, placed
        self._config, self._step = config, make_step(config, mesh, teacher and teacher[0], remat, kernels)
        self._teacher = jax.device_put(teacher[1], replicated(mesh)) if teacher else None

    def like(self) -> State:
        return _with(state_shapes(self._config), self._placed)

    def begin(self, found: Sequence[State | None]) -> None:
        (state,) = found
        self._state = state or jax.jit(lambda: init_state(self._config), out_shardings=self._placed)()

    def advance(self, batches: Mapping[int, Batch]) -> Sums:
        self._state, sums = self._step(self._state, place_batch(self.mesh, batches[0]), self._teacher)
        return sums

    def state(self, lane: int) -> State:
        return self._state


class Packed:
    """Runs of one compiled step, split over the devices of one process, each whole on one of them.

    There are always as many lanes as configurations (rounded up to the devices): one executable whoever has ended,
    so that a run's bits do not depend on when the others did. A lane without a batch gets another's.

    Args:
        configs: equal in `program_of`, without a teacher.
        mesh: as many devices as divide the lanes.
        lanes: how many.
        label_room: width of the labels, those of the run that needs most.
    """

    def __init__(self, configs: Sequence[RunConfig], mesh: Mesh, lanes: int, label_room: int) -> None:
        self.mesh, self._lanes, self._room = mesh, lanes, label_room
        self._config, self._split = configs[0], by_batch(mesh)
        filled = [knobs_of(config) for config in [*configs, *[configs[-1]] * (lanes - len(configs))]]
        seeds, rates, decays = zip(*filled, strict=True)
        columns = Knobs(np.array(seeds, np.uint32), np.array(rates, np.float32), np.array(decays, np.float32))
        self._knobs = jax.device_put(columns, self._split)
        self._step = make_packed_step(self._config, mesh, lanes)
        self._take = jax.jit(_take, out_shardings=replicated(mesh))

    def like(self) -> State:
        shapes, whole = state_shapes(self._config), replicated(self.mesh)
        return _with(shapes, jax.tree.map(lambda _: whole, shapes))

    def begin(self, found: Sequence[State | None]) -> None:
        fresh = jax.jit(jax.vmap(partial(init_state, self._config)), out_shardings=self._split)
        self._states = fresh(self._knobs.seed)
        put = jax.jit(_put, out_shardings=self._split, donate_argnums=0)
        for lane, state in enumerate(found):
            if state is not None:
                self._states = put(self._states, state, lane)

    def advance(self, batches: Mapping[int, Batch]) -> Sums:
        spare = next(iter(batches.values()))
        rows = [batches.get(lane, spare) for lane in range(self._lanes)]
        stacked = {name: np.stack([self._wide(name, batch[name]) for batch in rows]) for name in spare}
        self._states, sums = self._step(self._states, jax.device_put(stacked, self._split), self._knobs)
        return sums

    def state(self, lane: int) -> State:
        return self._take(self._states, lane)

    def _wide(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Labels in the pack's room; zeros behind a row's labels count for nothing."""
        return np.pad(rows, ((0, 0), (0, self._room - rows.shape[1]))) if name == "labels" else rows


def _put(states: State, state: State, lane: jax.Array) -> Any:
    return jax.tree.map(lambda lanes, one: lanes.at[lane].set(one), states, state)


def _take(states: State, lane: jax.Array) -> Any:
    return jax.tree.map(lambda lanes: lanes[lane], states)


def _with(shapes: Any, placed: Any) -> Any:
    return jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), shapes, placed)
