"""`semgjax distill`: a small decoder from a teacher run; the same loop as `semgjax train`, another loss."""

from pathlib import Path
from typing import Literal

import tyro

from semgjax.cli.parse import run_commands, spelled_out, word_after
from semgjax.cli.session_band import band_of
from semgjax.data.batching.augment import AugmentConfig, augment_recipe, fit_augment, on_grid
from semgjax.model.config import Network
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillOptions
from semgjax.training.engine import Engine
from semgjax.training.run_config import OptimizerConfig, TrainConfig, recipe


def run(words: list[str]) -> int:
    """The command; the preset's recipe, for the band of --data, gives the defaults that its help shows."""
    name = word_after(words, "--preset", "tiny")
    band = band_of(words)
    base, shape = recipe(name, band), fit_to_band(preset(name), band)
    changes = word_after(words, "--augmentation", "preset")
    wanted = base.augment if changes == "preset" else fit_augment(augment_recipe(changes), band)
    if word_after(words, "--cache", ""):
        wanted = on_grid(wanted)

    def distill(
        *,
        teacher: tuple[str, ...],
        preset: str,
        data: Path,
        out: str,
        splits: Path | None = None,
        distillation: tyro.conf.OmitArgPrefixes[DistillOptions] = DistillOptions(),  # noqa: B008
        model: tyro.conf.AvoidSubcommands[Network] = shape,
        augmentation: Literal["preset", "paper", "baseline", "robust"] = "preset",
        augment: AugmentConfig = wanted,
        optimizer: OptimizerConfig = base.optimizer,
        train: TrainConfig = base.train,
        init: str | None = None,
        engine: Engine = Engine(),  # noqa: B008
    ) -> None:
        """Train a student on a teacher's frame logits and the CTC loss; the same command after a stop resumes.

        Args:
            teacher: run directory of the finished teacher, or its address (gs://...); it also sets the windows.
                Several: their probabilities are averaged. self: the running average of the student's own parameters
                (--optimizer.average)
            preset: size of the student: tiny, small, large, ladder-WIDTH, keys-WIDTH, gesture-WIDTH or tds
            data: folder of sessions
            out: run directory or its address, new or of this same run
            splits: split file (default: splits.json in the folder of sessions)
            distillation: how the student learns from the teacher
            model: the student's shape
            augmentation: named changes that the augment options start from (preset: those of the size)
            augment: random changes of training windows
            optimizer: AdamW and its schedule
            train: steps, batch, seed, precision and intervals
            init: a finished run, an export or an import (or its address) whose parameters the run begins with; its
                network must have the same ones
            engine: where and how the run executes; not part of the run's identity
        """
        from semgjax.api import runs
        from semgjax.cli.summary import print_run, shown_warnings

        with shown_warnings():
            result = runs.distill(
                teacher, preset, data, out, splits=splits, options=distillation, model=model, augment=augment,
                optimizer=optimizer, train=train, init=init, engine=engine,
            )  # fmt: skip
        print_run(result)

    return run_commands("distill", {"": distill}, spelled_out(words))
