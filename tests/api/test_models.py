"""Runs, exports and presets as models: the numbers are those of the commands."""

import json

import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.sessions import read_emg
from semgjax.errors import InputError
from tests.runs import AUGMENT, MODEL, TRAIN, WINDOW


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
    assert run.evaluate(sessions) == {name: shown[name] for name in ("scores", "users_scores")}
    assert "\n" not in repr(run)


def test_a_preset_has_fresh_parameters_by_its_seed():
    first, same, other = (semgjax.init("ladder-16", seed=seed) for seed in (0, 0, 1))
    emg = np.random.default_rng(0).normal(0, 14, (4000, 32))
    assert np.array_equal(first.logits(emg), same.logits(emg))
    assert not np.array_equal(first.logits(emg), other.logits(emg))


@pytest.mark.parametrize(
    ("emg", "code"),
    [(np.zeros((100, 31)), "bad-value"), (np.zeros((0, 32)), "bad-value"), (np.full((100, 32), np.nan), "not-finite")],
)
def test_a_signal_that_cannot_be_read_is_refused(emg, code):
    with pytest.raises(InputError) as caught:
        semgjax.init("ladder-16").logits(emg)
    assert caught.value.code == code


def test_training_by_the_function_is_training_by_the_command(sessions, finished, tmp_path):
    run = semgjax.train(
        "ladder-16",
        data=sessions,
        out=tmp_path / "run",
        model={"dropout": MODEL.dropout, "mask_share": MODEL.mask_share},
        window={name: getattr(WINDOW, name) for name in ("length", "stride", "left", "right")},
        augment={"roll": AUGMENT.roll, "lag": AUGMENT.lag},
        train={name: getattr(TRAIN, name) for name in TRAIN.__dataclass_fields__},
    )
    wanted = json.loads((finished / "result.json").read_text())
    assert run.result["config"] == wanted["config"]
    assert run.scores == wanted["scores"]
    assert "\n" not in repr(run)
    exported = semgjax.export(run, tmp_path / "export")
    assert exported.parameters == run.model().parameters


def test_an_option_that_is_not_there_is_refused_before_anything_is_written(sessions, tmp_path):
    with pytest.raises(InputError) as caught:
        semgjax.train("ladder-16", data=sessions, out=tmp_path / "run", train={"stepz": 3})
    assert caught.value.code == "unknown-name"
    assert not (tmp_path / "run").exists()
