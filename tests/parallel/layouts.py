"""Trains a few steps on 8 fake devices in several layouts and prints losses and update norms of each as JSON.

Run by test_layouts.py as a process of its own, with JAX_NUM_CPU_DEVICES=8.
"""

import dataclasses
import json
import sys

import jax
import numpy as np

from semgjax.data.keys import NUM_CLASSES
from semgjax.losses.diagnostics import DIAGNOSTICS
from semgjax.model.presets import preset
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig
from semgjax.training.step import init_state, make_step, state_shardings
from tests.runs import WINDOW

MODEL = dataclasses.replace(preset("ladder-16"), dropout=0.2, mask_share=0.3, mask_length=4)
STEPS, BATCH = 3, 32


def config(accumulate: int) -> RunConfig:
    """The same run, its batch in so many parts; with a running average of the parameters."""
    train = TrainConfig(steps=STEPS, batch=BATCH, accumulate=accumulate)
    optimizer = OptimizerConfig(learning_rate=1e-3, warmup=0.1, average=0.5)
    return RunConfig("ladder-16", MODEL, "d", WINDOW, optimizer=optimizer, train=train)


def noise(rows: int = BATCH, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch of noise with ragged labels and padding."""
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 7, rows).astype(np.int32)
    labels = rng.integers(0, NUM_CLASSES - 1, (rows, 8)).astype(np.int32)
    labels[np.arange(8)[None, :] >= count[:, None]] = 0
    last = rng.integers(WINDOW.total // 2, WINDOW.total, rows)
    return {
        "emg": rng.normal(size=(rows, WINDOW.total, 32)).astype(np.float32),
        "valid": np.stack([np.zeros(rows, int), last], axis=1).astype(np.int32),
        "labels": labels,
        "label_count": count,
    }


def train(devices: int, fsdp: int, accumulate: int, remat: str = "cheap") -> dict:
    """Sums of every step, and what the optimiser remembers of the gradients (Adam's first moments), end to end.

    Parameters themselves are not compared: a key's bias has no gradient but rounding, which Adam blows up.
    """
    run = config(accumulate)
    mesh = make_mesh(BATCH, fsdp, accumulate, jax.devices()[:devices])
    state = jax.jit(lambda: init_state(run), out_shardings=state_shardings(run, mesh))()
    step_fn = make_step(run, mesh, (), remat)
    found = []
    for step in range(STEPS):
        state, sums = step_fn(state, place_batch(mesh, noise(seed=step)), ())
        found.append({name: float(value) for name, value in sums.items() if name not in DIAGNOSTICS})
    moments = jax.tree_util.tree_leaves_with_path(state["optimizer"])
    flat = np.concatenate([np.ravel(np.asarray(x)) for path, x in moments if ".mu" in jax.tree_util.keystr(path)])
    return {"steps": found, "moments": flat, "executables": step_fn._cache_size()}


def main(layouts: list[str]) -> None:
    """Every layout, DEVICES,FSDP,ACCUMULATE[,REMAT], its moments as their distance to the first's, relative."""
    results = {}
    for layout in layouts:
        devices, fsdp, accumulate, *remat = layout.split(",")
        results[layout] = train(int(devices), int(fsdp), int(accumulate), *remat)
    first = results[layouts[0]]["moments"]
    for result in results.values():
        result["moments"] = float(np.linalg.norm(result["moments"] - first) / np.linalg.norm(first))
    print(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1:])
