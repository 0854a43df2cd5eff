"""Runs, exports and presets as models: the numbers are those of the commands."""

import json

import jax
import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.sessions import read_emg
from semgjax.errors import InputError
from semgjax.training.run_folder import read_config
from semgjax.training.step import init_state
from tests.refused import refused


def test_a_session_shows_its_signal_in_slices_and_its_text(sessions):
    wanted = load_corpus(sessions).test[0]
    session = semgjax.load_session(wanted.path)
    assert session.emg.shape == (wanted.samples, 32)
    assert np.array_equal(session.emg[100:300], read_emg(wanted, 100, 300))
    assert np.array_equal(session.emg[-50:, :16], read_emg(wanted, wanted.samples - 50, wanted.samples)[:, :16])
    assert session.emg[10:5].shape == (0, 32)
    assert len(session.text) == len(session.labels)
    assert "\n" not in repr(session)
    named = semgjax.load_session(sessions, wanted.name)
    assert named.text == session.text
    for index in (0, slice(0, 10, 2)):
        with pytest.raises((TypeError, ValueError)):
            session.emg[index]


def test_a_run_and_its_export_give_the_same_logits_and_the_commands_scores(sessions, finished, exported, capsys):
    run, export = semgjax.load(finished), semgjax.load(exported)
    session = load_corpus(sessions).test[0]
    logits = run.logits(session)
    assert logits.shape == (-(-session.samples // run.config.stride), 99)
    assert np.array_equal(logits, export.logits(session))
    assert np.array_equal(logits, run.logits(session.emg[:]))
    assert isinstance(run.decode(session), str)
    assert main(["evaluate", str(finished), f"--data={sessions}", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    found = run.evaluate(sessions)
    assert (found.scores, found.users_scores) == (shown["scores"], shown["users_scores"])
    assert found.cer == shown["scores"][0]["cer"]
    for thing in (run, found):
        assert "\n" not in repr(thing)
        assert thing._repr_html_().startswith("<table>")
    assert semgjax.load(str(finished)).parameters == run.parameters


def test_a_preset_has_fresh_parameters_by_its_seed():
    first, same, other = (semgjax.init("ladder-16", seed=seed) for seed in (0, 0, 1))
    emg = np.random.default_rng(0).normal(0, 14, (4000, 32))
    assert np.array_equal(first.logits(emg), same.logits(emg))
    assert not np.array_equal(first.logits(emg), other.logits(emg))


@pytest.mark.parametrize(
    ("emg", "code"),
    [
        (np.zeros((100, 31)), "channel-count"),
        (np.zeros((0, 32)), "bad-shape"),
        (np.zeros(3200), "bad-shape"),
        ([["a"] * 32], "bad-shape"),
        (np.full((100, 32), np.nan), "not-finite"),
        (np.full((100, 32), 1e20), "not-finite"),
    ],
)
def test_a_signal_that_cannot_be_read_is_refused(emg, code):
    with pytest.raises(InputError) as caught:
        semgjax.init("ladder-16").logits(emg)
    assert caught.value.code == code


def test_a_preset_is_initialised_as_a_run_of_its_seed(finished):
    config = read_config(finished)
    wanted = init_state(config)["params"]
    model = semgjax.init("ladder-16", config.train.seed)
    assert jax.tree.all(jax.tree.map(np.array_equal, wanted, model.params))


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, True, "0"])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(InputError) as caught:
        semgjax.init("ladder-16", seed=seed)
    assert caught.value.code == "bad-value"


def test_what_cannot_be_evaluated_is_refused(sessions, exported):
    model = semgjax.load(exported)
    for arguments, code in (
        ({"data": sessions, "split": "all"}, "unknown-name"),
        ({"data": sessions, "batch": 0}, "bad-value"),
        ({"data": sessions, "turns": 8}, "bad-value"),
        ({"data": sessions / "none"}, "no-file"),
    ):
        with pytest.raises(InputError) as caught:
            model.evaluate(**arguments)
        assert caught.value.code == code


def test_a_place_without_a_model_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "none", str(tmp_path)):
        with pytest.raises(InputError) as caught:
            semgjax.load(place)
        assert caught.value.code == "no-file"


def test_a_corpus_that_was_read_gives_the_same_numbers_and_takes_no_other_split(sessions, finished):
    model, corpus = semgjax.load(finished), load_corpus(sessions)
    assert model.evaluate(corpus).as_json() == model.evaluate(sessions).as_json()
    with refused("conflict", "splits.json"):
        model.evaluate(corpus, splits=sessions / "splits.json")
