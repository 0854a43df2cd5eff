"""Eight short trials of the smallest ladder model, packed and one by one, for `semgjax bench train`."""

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax

from semgjax.data.batching.batches import Batch, train_data
from semgjax.data.corpus import load_corpus
from semgjax.data.simulate import simulate
from semgjax.data.splitting.splits import leave_users_out, read_split, write_split
from semgjax.model.presets import preset
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.sweep.plan import Sweep, plan_sweep
from semgjax.training.metrics import read_metrics
from semgjax.training.packed_states import PackedStates
from semgjax.training.run_config import RunConfig, recipe
from semgjax.training.run_folder import METRICS
from semgjax.training.step import init_state, make_step, state_shardings

NAME, TRIALS, STEPS = "ladder-16", 8, 20


def write_sessions(folder: Path) -> None:
    """Two sessions of half a minute of each of three users, one of them held out."""
    simulate(folder, users=3, sessions=2, minutes=0.5, seed=0, severity="clean")
    names = [(path.stem, path.stem.split("-")[1]) for path in sorted(folder.glob("*.hdf5"))]
    write_split(folder / "splits.json", leave_users_out(names, test_users=1, val_share=0.2, seed=0))


def configs_of(folder: Path, trials: int = TRIALS) -> list[RunConfig]:
    """An even number of trials: half as many seeds, each with the recipe's learning rate and with half of it."""
    base, data = recipe(NAME), load_corpus(folder).hash
    found = []
    for seed in range(trials // 2):
        for share in (1.0, 0.5):
            train = dataclasses.replace(base.train, steps=STEPS, seed=seed, log_every=1)
            optimizer = dataclasses.replace(base.optimizer, learning_rate=share * base.optimizer.learning_rate)
            found.append(RunConfig(NAME, preset(NAME), data, base.window, base.augment, optimizer, train))
    return found


def planned(sessions: Path, out: Path, trials: int = TRIALS) -> Sweep:
    """The trials as a sweep."""
    configs = configs_of(sessions, trials)
    return plan_sweep("packed", configs, sessions, {configs[0].data: read_split(sessions / "splits.json")}, out)


def seconds_of(sweep: Sweep, *options: str) -> float:
    """Wall time of `semgjax sweep run`, start-up, compilation, evaluation and saving included."""
    words = [sys.executable, "-m", "semgjax", "sweep", "run", str(sweep.folder), *options]
    begun = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - begun


def largest_difference(one: Sweep, other: Sweep) -> float:
    """Of the losses of all steps of all trials."""
    pairs = [
        (a["loss"], b["loss"])
        for first, second in zip(one.trials, other.trials, strict=True)
        for a, b in zip(
            read_metrics(one.run_folder(first) / METRICS), read_metrics(other.run_folder(second) / METRICS), strict=True
        )
        if "loss" in a
    ]
    assert len(pairs) == TRIALS * STEPS
    return max(abs(a - b) for a, b in pairs)


def steps_of(sessions: Path, trials: int = TRIALS) -> tuple[Callable[[], None], Callable[[], None]]:
    """A packed step of all trials, and their steps one after the other; compiled."""
    configs, corpus = configs_of(sessions, trials), load_corpus(sessions)
    batches: dict[int, Batch] = {}
    for lane, config in enumerate(configs):
        data = train_data(corpus.train, config.window, config.augment, config.train.batch, config.train.seed)
        batches[lane], room = data.batches[0], data.label_room
    mesh = make_mesh(trials)
    packed = PackedStates(configs, mesh, trials, room)
    packed.begin([None] * trials)
    step = make_step(configs[0], mesh)
    state = jax.jit(lambda: init_state(configs[0]), out_shardings=state_shardings(configs[0], mesh))()

    def together() -> None:
        jax.block_until_ready(packed.advance(batches))

    def apart() -> None:
        nonlocal state
        for batch in batches.values():
            state, sums = step(state, place_batch(mesh, batch), ())
            jax.block_until_ready(sums)

    together()
    apart()
    return together, apart
