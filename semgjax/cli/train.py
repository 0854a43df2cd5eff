"""`semgjax train`: one decoder, from sessions to a run directory; or what its step would cost on another machine."""

import dataclasses
import json as jsonlib
from pathlib import Path
from typing import Literal

import tyro

from semgjax.cli.parse import run_commands, word_after
from semgjax.data.batching.augment import AugmentConfig, augment_recipe
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.model.config import Network, preset
from semgjax.training.engine import Engine
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig, recipe


def run(words: list[str]) -> int:
    """The command; a preset's own recipe gives the defaults that its help shows."""
    name = word_after(words, "--preset", "tiny")
    base, shape = recipe(name), preset(name)
    changes = word_after(words, "--augmentation", "preset")
    wanted = base.augment if changes == "preset" else augment_recipe(changes)

    def train(
        *,
        preset: str,
        data: Path | None = None,
        out: str | None = None,
        splits: Path | None = None,
        model: tyro.conf.AvoidSubcommands[Network] = shape,
        window: WindowSpec = base.window,
        augmentation: Literal["preset", "paper", "baseline", "robust"] = "preset",
        augment: AugmentConfig = wanted,
        optimizer: OptimizerConfig = base.optimizer,
        train: TrainConfig = base.train,
        engine: Engine = Engine(),  # noqa: B008
        compile_only: bool = False,
        show_sharding: bool = False,
        topology: str = "cpu",
        json: bool = False,
    ) -> None:
        """Train one decoder; the same command after a stop goes on where it was.

        Args:
            preset: size of the model: tiny, small, large (the paper's), ladder-WIDTH or tds (emg2qwerty's)
            data: folder of sessions (needed to train)
            out: run directory or its address (gs://...), new or of this same run (needed to train)
            splits: split file (default: splits.json in the folder of sessions)
            model: the model's shape
            window: how sessions are cut, in samples
            augmentation: named changes that the augment options start from (preset: those of the size)
            augment: random changes of training windows
            optimizer: AdamW and its schedule
            train: how long and on what
            engine: where and how it is carried out; no part of the run's identity
            compile_only: train nothing; tell what the step costs on --topology, which need not be at hand
            show_sharding: train nothing; print how --topology holds every array of the state
            topology: v4-8, v5p-8, v5p-128, v5e-N or v6e-N (4, 8, 16, 256), gpu-N, a100-N, h100-N, h200-N (1 to 8), cpu
            json: with --compile-only, print one JSON object
        """
        if compile_only or show_sharding:
            config = RunConfig(preset, model, "", window, augment, optimizer, train)
            _look(config, engine, topology, show_sharding, json)
            return
        for option, value in (("--data", data), ("--out", out)):
            if value is None:
                raise InputError(f"{option} is missing; name a folder (semgjax train --help)", "bad-option")
        assert data is not None and out is not None
        from semgjax.api import runs
        from semgjax.cli.summary import print_run, shown_warnings

        with shown_warnings():
            result = runs.train(
                preset, data, out, splits=splits, model=model, window=window, augment=augment, optimizer=optimizer,
                train=train, engine=engine,
            )  # fmt: skip
        print_run(result)

    return run_commands("train", {"": train}, words)


def _look(config: RunConfig, engine: Engine, name: str, show_sharding: bool, as_json: bool) -> None:
    """The step of a run on a machine that need not be at hand."""
    import jax

    from semgjax.parallel.hardware import topology
    from semgjax.parallel.mesh import abstract_mesh
    from semgjax.parallel.rules import rules_for, table
    from semgjax.training.dryrun import dry_run, report
    from semgjax.training.step import state_shapes

    jax.config.update("jax_platforms", "cpu")  # the accelerators of this machine are not needed
    machine = topology(name)
    if show_sharding:
        mesh = abstract_mesh(machine.devices, config.train.batch, engine.fsdp, config.train.accumulate)
        print("\n".join(table(state_shapes(config), mesh, rules_for(config.model.SHARDING))))
        return
    found = dry_run(config, machine, engine)
    print(jsonlib.dumps(dataclasses.asdict(found)) if as_json else "\n".join(report(found)))
