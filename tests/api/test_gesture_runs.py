"""A gesture preset from training to an evaluation that finds how a band was turned, on toy gestures of one ring."""

import json

import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.data.sessions import load_sessions
from tests.bands import MYO, write_band


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return write_band(tmp_path_factory.mktemp("turned"), MYO)


@pytest.fixture(scope="module")
def run(shards, tmp_path_factory):
    short = {"steps": 4, "batch": 4, "evaluate_every": 4, "checkpoint_every": 4}
    still = {"roll": 0, "dropout": 0.0}
    out = tmp_path_factory.mktemp("runs") / "gesture"
    return semgjax.train("gesture-16", shards, out, train=short, augment=still, optimizer={"learning_rate": 0.01})


@pytest.mark.slow
def test_a_gesture_preset_trains_on_an_armband_and_its_evaluation_can_turn_it(run, shards, capsys):
    model = run.model()
    assert (model.config.rings, model.config.stride, model.config.emission_delay) == ((8,), 20, 160)
    plain, turned = (model.evaluate(shards, turns=turns) for turns in (0, 2))
    assert plain.turns is None and plain.metric == turned.metric == "event_error_rate"
    assert set(turned.turns) == {row.name for row in load_sessions(shards) if row.user == "u2"}
    assert main(["evaluate", run.place, f"--data={shards}", "--turns=2", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["turns"]["sessions"] == {name: list(turn) for name, turn in turned.turns.items()}
    assert about["scores"] == turned.scores


@pytest.mark.slow
def test_logits_of_a_gesture_decoder_are_frames_of_a_tenth_of_a_second(run):
    logits = run.model().logits(np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float32))
    assert logits.shape == (50, 4) and np.isfinite(logits).all()
