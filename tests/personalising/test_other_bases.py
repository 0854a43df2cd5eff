"""Personalised runs of other bases, bands and machines: the baseline, gestures, several devices, too short a signal."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

import semgjax
from semgjax.api.models import SessionsWarning
from semgjax.cli.main import main
from semgjax.data.simulate import simulate
from semgjax.data.splitting.inventory import list_folder
from semgjax.parallel.rules import path_name
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import load_finished, read_config
from tests.data.fixtures import START, typed, write_session
from tests.data.shards.gestures import gestures, write_shards
from tests.refused import refused
from tests.runs import start_python
from tests.training.test_baseline import words as baseline_words

DEVICES = """
import json, sys
import semgjax
from semgjax.parallel.mesh import make_mesh
base, people, user, out = sys.argv[1:]
run = semgjax.personalize(base, people, user, 0.15, out, method="head", learning_rate=0.01, steps=4, batch=4)
print(json.dumps({"devices": make_mesh(4).size, "scores": run.scores}))
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    """Three people with three sessions each, without a split."""
    folder = tmp_path_factory.mktemp("people") / "sessions"
    simulate(folder, users=3, sessions=4, minutes=0.2, seed=0, severity="clean")
    return folder


@pytest.fixture(scope="module")
def user(people, sessions) -> str:
    """The person whom the runs that tests share have not met."""
    test = json.loads((sessions / "splits.json").read_text())["test"][0]
    return next(row.user for row in list_folder(people) if row.session == test)


def test_a_person_of_another_band_or_other_classes_is_refused(finished, tmp_path):
    shards = write_shards(tmp_path / "shards", [gestures(f"a{number}", "anna") for number in range(3)])
    with refused("band-misfit", "8 electrodes"), pytest.warns(SessionsWarning):  # of classes without training
        semgjax.personalize(finished, shards, "anna", 0.2, tmp_path / "x", steps=2, batch=2)
    assert not (tmp_path / "x").exists()


def test_minutes_without_a_whole_window_are_refused(finished, tmp_path):
    for number in range(3):
        keys = typed("abcdefgh", first=START + 0.05, interval=0.05)
        write_session(tmp_path / "people" / f"s{number}.hdf5", 4000, user="anna", keystrokes=keys)
    length = read_config(finished).window.length
    with refused("bad-value", f"{length} samples"):
        semgjax.personalize(finished, tmp_path / "people", "anna", 0.4 / 60, tmp_path / "x", steps=2, batch=2)
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_the_baseline_is_made_a_persons_by_every_method_that_it_has(sessions, people, user, tmp_path):
    assert main(baseline_words(sessions, tmp_path / "base")) == 0
    base = flat(load_finished(tmp_path / "base")[1])
    trained = {
        "head": lambda name: name.startswith("head/"),
        "norms": lambda name: name.split("/")[-1] in ("scale", "bias", "norm_scale", "norm_bias"),
        "front": lambda name: name.startswith(("band", "norm_")),
    }
    for method, own in trained.items():
        out = tmp_path / method
        run = semgjax.personalize(
            tmp_path / "base", people, user, 0.15, out, method=method, learning_rate=0.01, steps=2, batch=2
        )
        config, params = load_finished(out)
        assert config.model == read_config(tmp_path / "base").model and run.result["personal"]["method"] == method
        assert run.result["personal"]["trained"] == sum(leaf.size for name, leaf in base.items() if own(name))
        moved = {name for name, leaf in flat(params).items() if (leaf != base[name]).any()}
        assert all(map(own, moved)) and bool(moved) == (run.result["personal"]["best_step"] > 0)
    with refused("conflict", "lora"):
        semgjax.personalize(tmp_path / "base", people, user, 0.15, tmp_path / "lora", method="lora", steps=2, batch=2)


@pytest.mark.slow
def test_several_devices_train_the_same_decoder_but_for_rounding(finished, people, user, tmp_path):
    found = []
    for devices in ("1", "2"):
        arguments = (finished, people, user, tmp_path / devices)
        process = start_python(["-c", DEVICES, *map(str, arguments)], JAX_NUM_CPU_DEVICES=devices, NPROC="1")
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        found.append(json.loads(out))
        assert found[-1]["devices"] == int(devices)
    lines = [
        [line["loss"] for line in read_metrics(tmp_path / devices / "metrics.jsonl") if "loss" in line]
        for devices in ("1", "2")
    ]
    np.testing.assert_allclose(lines[0], lines[1], rtol=1e-4)
    one, two = (flat(load_finished(tmp_path / devices)[1]) for devices in ("1", "2"))
    for name, leaf in one.items():
        np.testing.assert_allclose(leaf, two[name], atol=1e-3)
        assert name.startswith("head/") or (leaf == two[name]).all()


def flat(params) -> dict[str, np.ndarray]:
    return {path_name(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(params)}
