"""Runs that begin with another decoder's parameters."""

import dataclasses

import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.exporting.export_folder import load_export, params_hash
from semgjax.exporting.export_run import export_run
from semgjax.model.named import by_name
from semgjax.training.loop import train
from semgjax.training.run_folder import load_finished, read_config, read_result
from tests.refused import refused
from tests.runs import fails, run_config, train_words


@pytest.fixture(scope="module")
def imported(finished, tmp_path_factory):
    """The finished run, exported as tensors and imported again; read only."""
    folder = tmp_path_factory.mktemp("imported")
    export_run(finished, folder / "tensors", kind="safetensors")
    semgjax.import_parameters(folder / "tensors", folder / "back")
    return folder / "back"


def test_a_run_begins_with_the_parameters_and_moves_on_from_them(sessions, finished, imported, tmp_path):
    start = load_export(imported).params
    words = train_words(sessions, tmp_path / "on", "--train.steps=2", "--optimizer.learning-rate=1e-5")
    assert main([*words, f"--init={imported}"]) == 0
    config, params = load_finished(tmp_path / "on")
    assert config.init == params_hash(start) == params_hash(load_finished(finished)[1])
    before = by_name(start)
    moved = [float(np.abs(leaf - before[name]).max()) for name, leaf in by_name(params).items()]
    assert 1e-7 < max(moved) < 1e-4
    result = read_result(tmp_path / "on")
    assert result is not None and result["kind"] == "supervised"
    assert result["init"]["config"] == read_config(finished).hash and result["init"]["preset"] == "ladder-16"
    card = export_run(tmp_path / "on", tmp_path / "export")["source"]["init"]
    assert card == result["init"] and "trained further" in (tmp_path / "export" / "README.md").read_text()


def test_it_resumes_only_from_the_same_start(sessions, finished, imported, tmp_path, capsys):
    words = train_words(sessions, tmp_path / "run", "--train.steps=2")
    assert main([*words, f"--init={finished}"]) == 0
    before = read_result(tmp_path / "run")
    assert main([*words, f"--init={imported}"]) == 0  # the same parameters in another folder
    assert read_result(tmp_path / "run") == before
    fails(capsys, words)


@pytest.mark.slow
def test_a_student_begins_with_parameters_too(sessions, finished, imported, tmp_path):
    short = {"steps": 1, "batch": 2}
    run = semgjax.distill(finished, "ladder-16", sessions, tmp_path / "run", train=short, init=imported)
    assert (run.result["kind"], run.result["init"]["config"]) == ("distilled", read_config(finished).hash)


def test_a_start_that_does_not_fit_is_refused_by_the_tensor(sessions, imported, tmp_path, capsys):
    words = ["train", "--preset", "ladder-24", "--data", sessions, "--out", tmp_path / "run", "--init", imported]
    assert str(imported) in fails(capsys, words)
    with refused("tensor-misfit", imported):
        semgjax.train("ladder-24", sessions, tmp_path / "run", init=imported)
    with refused("no-file"):
        semgjax.train("ladder-16", sessions, tmp_path / "run", init=tmp_path / "none")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_network_that_differs_beyond_its_tensors_is_named_by_a_warning(sessions, imported, tmp_path, capsys):
    words = train_words(sessions, tmp_path / "run", "--train.steps=1", "--model.attention-window=9")
    assert main([*words, f"--init={imported}"]) == 0
    printed = capsys.readouterr()
    assert "attention_window is 9, of init 50" in printed.out + printed.err


def test_the_loop_refuses_a_start_that_the_configuration_does_not_name(sessions, finished, tmp_path):
    corpus = load_corpus(sessions)
    config, params = load_finished(finished)
    for wrong, base in ((run_config(corpus), params), (dataclasses.replace(config, init="0" * 64), None)):
        with refused("conflict"):
            train(wrong, corpus, tmp_path / "run", base=base)
