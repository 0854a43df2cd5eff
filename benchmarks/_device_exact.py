"""What must not change a run on a device: a resume, the choice of rematerialisation, the number of devices."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks._device_figures import Absent, Figure
from benchmarks._device_parity import SMALL_SPEC, case, differences, outputs
from benchmarks._random_batch import make_batch
from semgjax.data.batching.windows import WindowSpec
from semgjax.model.operations import AUTO
from semgjax.model.presets import preset
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.training.checkpoint import Checkpoints
from semgjax.training.run_config import RunConfig, TrainConfig
from semgjax.training.step import init_state, make_step, placed_shapes, state_shardings

STEPS = 6


class _Run:
    """Steps of one configuration with dropout, whose masks follow the step."""

    def __init__(self, small: bool, devices: list[Any]) -> None:
        name, spec = ("ladder-16", SMALL_SPEC) if small else ("tiny", WindowSpec())
        rows = 2 * len(jax.devices())
        model = dataclasses.replace(preset(name), dropout=0.1)  # type: ignore[call-arg]
        self.config = RunConfig(name, model, "", window=spec, train=TrainConfig(batch=rows))
        self.mesh = make_mesh(rows, devices=devices)
        self.placed = state_shardings(self.config, self.mesh)
        self._step = make_step(self.config, self.mesh)
        self._batch = make_batch(model, rows, spec)  # type: ignore[arg-type]
        self.fresh = jax.jit(lambda: init_state(self.config), out_shardings=self.placed)

    def advance(self, state: Any, steps: int) -> tuple[Any, list[float]]:
        """The state after `steps` more steps, and their losses."""
        losses = []
        for _ in range(steps):
            state, sums = self._step(state, place_batch(self.mesh, self._batch), ())
            losses.append(float(sums["loss"]))
        return state, losses


def resume(small: bool) -> list[Figure]:
    """A run that was saved and restored half way ends with the same bits as one that was not, and as itself again."""
    run = _Run(small, jax.devices())
    straight, again = (jax.device_get(run.advance(run.fresh(), STEPS)[0]) for _ in range(2))
    with tempfile.TemporaryDirectory() as place:
        checkpoints = Checkpoints(Path(place) / "checkpoints")
        checkpoints.save(run.advance(run.fresh(), STEPS // 2)[0], "kit")
        checkpoints.close()
        checkpoints = Checkpoints(Path(place) / "checkpoints")
        found = checkpoints.restore(placed_shapes(run.config, run.placed), "kit")
        checkpoints.close()
    assert found is not None and int(found[0]["step"]) == STEPS // 2
    resumed = jax.device_get(run.advance(found[0], STEPS - STEPS // 2)[0])
    note = f"{STEPS} steps; largest difference of any number of the state"
    return [
        Figure("repeated", _largest(straight, again), bound=0.0, note=note),
        Figure("resumed", _largest(straight, resumed), bound=0.0, note=note),
    ]


def devices(small: bool) -> list[Figure]:
    """The losses of one device and of all, step by step.

    Raises:
        Absent: there is one device.
    """
    every = jax.devices()
    if len(every) < 2:
        raise Absent("there is only one device")
    losses = []
    for chosen in (every[:1], every):
        run = _Run(small, chosen)
        losses.append(run.advance(run.fresh(), STEPS)[1])
    worst = max(abs(a - b) / abs(a) for a, b in zip(*losses, strict=True))
    return [Figure(f"one.{len(every)}.loss", worst, bound=1e-3, note=f"{STEPS} steps, relative")]


def remat(small: bool) -> list[Figure]:
    """Logits, loss and gradient with every choice of rematerialisation against none."""
    config, batch = case("ladder-16" if small else "small", 2, small)
    with jax.default_matmul_precision("highest"):
        params = jax.jit(lambda: init_state(config)["params"])()
        results = {
            choice: jax.device_get(jax.jit(outputs(config, AUTO, choice))(params, batch))
            for choice in ("none", "cheap", "layers")
        }
    found = []
    for choice in ("cheap", "layers"):
        parts = differences(results[choice], results["none"])
        found += [
            Figure(f"{choice}.{part}", value, bound=1e-5)
            for part, value in zip(("logits", "loss", "gradient"), parts, strict=True)
        ]
    return found


def _largest(one: Any, other: Any) -> float:
    """Largest difference of two states; infinite where one has NaN and the other has not the same."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return max(0.0 if np.array_equal(a, b) else float(np.abs(np.subtract(a, b, dtype=float)).max()) for a, b in pairs)
