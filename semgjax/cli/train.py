"""`semgjax train`: one decoder, from sessions to a run directory."""

from pathlib import Path
from typing import Literal

from semgjax.cli.parse import run_commands, word_after
from semgjax.data.augment import AugmentConfig, augment_recipe
from semgjax.data.windows import WindowSpec
from semgjax.model.config import ModelConfig, preset
from semgjax.train.config import OptimizerConfig, RunConfig, TrainConfig, recipe
from semgjax.train.engine import Engine


def run(words: list[str]) -> int:
    """The command; a preset's own recipe gives the defaults that its help shows."""
    name = word_after(words, "--preset") or "tiny"
    base, shape = recipe(name), preset(name)
    changes = word_after(words, "--augmentation") or "preset"
    wanted = base.augment if changes == "preset" else augment_recipe(changes)

    def train(
        *,
        preset: str,
        data: Path,
        out: Path,
        splits: Path | None = None,
        model: ModelConfig = shape,
        window: WindowSpec = base.window,
        augmentation: Literal["preset", "paper", "baseline", "robust"] = "preset",
        augment: AugmentConfig = wanted,
        optimizer: OptimizerConfig = base.optimizer,
        train: TrainConfig = base.train,
        engine: Engine = Engine(),  # noqa: B008
    ) -> None:
        """Train one decoder; the same command after a stop goes on where it was.

        Args:
            preset: size of the model: tiny, small, large (the paper's) or ladder-WIDTH
            data: folder of sessions
            out: run directory, new or of this same run
            splits: split file (default: splits.json in the folder of sessions)
            model: the model's shape
            window: how sessions are cut, in samples
            augmentation: named changes that the augment options start from (preset: those of the size)
            augment: random changes of training windows
            optimizer: AdamW and its schedule
            train: how long and on what
            engine: where and how it is carried out; no part of the run's identity
        """
        from semgjax.cli.summary import print_result
        from semgjax.data.corpus import load_corpus
        from semgjax.parallel.runtime import is_first, start_processes
        from semgjax.train.loop import train as run_training

        start_processes(engine.start, engine.wait)
        corpus = load_corpus(data, splits)
        config = RunConfig(preset, model, corpus.hash, window, augment, optimizer, train)
        result = run_training(config, corpus, out, engine=engine)
        if is_first():
            print_result(result, out)

    return run_commands("train", {"": train}, words)
