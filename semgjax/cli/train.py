"""`semgjax train`: one decoder, from sessions to a run directory; or what its step takes on another machine."""

import dataclasses
import json as jsonlib
from pathlib import Path
from typing import Any, Literal

import tyro

from semgjax.cli.parse import run_commands, spelled_out, word_after
from semgjax.cli.session_band import band_of
from semgjax.data.batching.augment import AugmentConfig, augment_recipe, fit_augment
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.model.config import Network
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset
from semgjax.training.engine import Engine
from semgjax.training.run_config import OptimizerConfig, TrainConfig, recipe


def run(words: list[str]) -> int:
    """The command; the preset's recipe, for the band of --data, gives the defaults that its help shows."""
    name = word_after(words, "--preset", "tiny")
    band = band_of(words)
    base, shape = recipe(name, band), fit_to_band(preset(name), band)
    changes = word_after(words, "--augmentation", "preset")
    wanted = base.augment if changes == "preset" else fit_augment(augment_recipe(changes), band)

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
        init: str | None = None,
        engine: Engine = Engine(),  # noqa: B008
        compile_only: bool = False,
        show_sharding: bool = False,
        topology: str = "cpu",
        json: bool = False,
    ) -> None:
        """Train one decoder; the same command after a stop resumes.

        Args:
            preset: tiny, small, large (the paper's), ladder-WIDTH, keys-WIDTH, gesture-WIDTH or tds (emg2qwerty's)
            data: folder of sessions (needed to train)
            out: run directory or its address (gs://...), new or of this same run (needed to train)
            splits: split file (default: splits.json in the folder of sessions)
            model: the model's shape (--parametrization is short for --model.parametrization)
            window: how sessions are cut, in samples
            augmentation: named changes that the augment options start from (preset: those of the size)
            augment: random changes of training windows
            optimizer: AdamW and its schedule
            train: steps, batch, seed, precision and intervals
            init: a finished run, an export or an import (or its address) whose parameters the run begins with; its
                network must have the same ones
            engine: where and how the run executes; not part of the run's identity
            compile_only: do not train; print what one step takes on --topology, which need not be present
            show_sharding: do not train; print how the state's arrays are split over --topology
            topology: v4-8, v5p-8, v5p-128, v5e-N or v6e-N (4, 8, 16, 256), gpu-N, a100-N, h100-N, h200-N (1 to 8), cpu
            json: with --compile-only, print one JSON object
        """
        changes: dict[str, Any] = {
            "model": model,
            "window": window,
            "augment": augment,
            "optimizer": optimizer,
            "train": train,
            "engine": engine,
        }
        if compile_only or show_sharding:
            _print_step(preset, topology, changes | {"band": band}, show_sharding, json)
            return
        for option, value in (("--data", data), ("--out", out)):
            if value is None:
                raise InputError(f"{option} is missing; name a folder (semgjax train --help)", "bad-option")
        assert data is not None and out is not None
        from semgjax.api import runs
        from semgjax.cli.summary import print_run, shown_warnings

        with shown_warnings():
            result = runs.train(preset, data, out, splits=splits, init=init, **changes)
        print_run(result)

    return run_commands("train", {"": train}, spelled_out(words))


def _print_step(preset: str, machine: str, changes: dict[str, Any], show_sharding: bool, as_json: bool) -> None:
    import jax

    from semgjax.api.planned_step import dry_run, state_layout
    from semgjax.training.dryrun import report

    jax.config.update("jax_platforms", "cpu")  # do not claim this machine's accelerators
    if show_sharding:
        print("\n".join(state_layout(preset, machine, **changes)))
        return
    found = dry_run(preset, machine, **changes)
    print(jsonlib.dumps(dataclasses.asdict(found)) if as_json else "\n".join(report(found)))
