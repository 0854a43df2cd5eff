"""The loss that a short run reaches: of its last fifth, from its metrics."""

from pathlib import Path

import numpy as np

from semgjax.data.corpus import Corpus
from semgjax.errors import Diverged
from semgjax.training.loop import train
from semgjax.training.metrics import read_metrics
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import METRICS

LAST = 0.2


def last_loss(config: RunConfig, corpus: Corpus, run: Path) -> float:
    """Mean training loss over the last fifth of a run's steps, trained where it is not finished; infinite if diverged.

    Training windows differ from step to step, so this is the loss of windows that the network has seen few times.
    """
    try:
        train(config, corpus, run)
    except Diverged:
        return float("inf")
    lines = [line for line in read_metrics(run / METRICS) if "loss" in line]
    kept = [line["loss"] for line in lines if line["step"] > (1 - LAST) * config.train.steps]
    return float(np.mean(kept))
