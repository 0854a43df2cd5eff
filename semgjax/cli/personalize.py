"""`semgjax personalize`: a decoder of one person from a finished run or export; the loop of `semgjax train`."""

from pathlib import Path

import tyro

from semgjax.cli.parse import run_commands
from semgjax.personalising.defaults import BATCH, STEPS
from semgjax.training.engine import Engine
from semgjax.training.personal_config import RANK, Method


def personalize(
    base: tyro.conf.Positional[str],
    /,
    *,
    data: Path,
    user: str,
    minutes: float,
    out: str,
    splits: Path | None = None,
    method: Method = "full",
    rank: int = RANK,
    learning_rate: float | None = None,
    steps: int = STEPS,
    batch: int = BATCH,
    seed: int = 0,
    engine: Engine = Engine(),  # noqa: B008
) -> None:
    """Train a decoder further on one person's first minutes; the same command after a stop resumes.

    Args:
        base: finished run directory of any kind, export, or the address of one (gs://...)
        data: folder of sessions with the person's
        user: the person
        minutes: minutes of the person's training sessions that are used, from the first one on
        out: run directory or its address, new or of this same run
        splits: split file (default: splits.json in the folder of sessions)
        method: full: all parameters; head: the last layer; norms: norms and biases; lora: additions of low rank to the
            matrices of the transformer layers; front: the front end and its projection
        rank: rank of the additions (method lora)
        learning_rate: peak learning rate (default: a share of the base's that depends on the method)
        steps: optimiser steps
        batch: windows per step
        seed: seed of the order of windows, of their augmentation and of the additions
        engine: where and how the run executes; not part of the run's identity
    """
    from semgjax.api import personalisation
    from semgjax.cli.summary import print_run, shown_warnings

    with shown_warnings():
        result = personalisation.personalize(
            base, data, user, minutes, out, splits=splits, method=method, rank=rank, learning_rate=learning_rate,
            steps=steps, batch=batch, seed=seed, engine=engine,
        )  # fmt: skip
    print_run(result)


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("personalize", {"": personalize}, words)
