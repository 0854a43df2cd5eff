"""The loss that a short run reaches is the mean of its last lines."""

import shutil

import numpy as np

from semgjax.data.corpus import load_corpus
from semgjax.errors import Diverged
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import read_config
from semgjax.transfer import last_loss


def test_a_finished_runs_loss_is_that_of_its_last_fifth(sessions, finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    config = read_config(run)
    lines = [line for line in read_metrics(run / "metrics.jsonl") if "loss" in line]
    wanted = np.mean([line["loss"] for line in lines if line["step"] > 0.8 * config.train.steps])
    assert last_loss.last_loss(config, load_corpus(sessions), run) == wanted


def test_a_run_that_diverged_has_an_infinite_loss(sessions, finished, tmp_path, monkeypatch):
    def diverges(*_):
        raise Diverged("step 3: the loss is not finite")

    monkeypatch.setattr(last_loss, "train", diverges)
    assert last_loss.last_loss(read_config(finished), load_corpus(sessions), tmp_path) == np.inf
