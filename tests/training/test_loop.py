"""Whole runs: the step is compiled once, a finished run is left alone, and hostile settings end with one line."""

import dataclasses
import shutil

import numpy as np
import pytest

import semgjax.training.loop as loop
from semgjax.cli.main import main
from semgjax.data.batching.batches import train_data
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import Split, write_split
from semgjax.distilling.teachers import load_teacher, student_config
from semgjax.training.checkpoint import HASHES, newest_step
from semgjax.training.distill_config import DistillConfig
from semgjax.training.log import SPEED
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import read_result
from tests.data.fixtures import START, typed, write_session
from tests.runs import (
    STEPS,
    assert_same_parameters,
    damage_biggest,
    distill_words,
    fails,
    run_config,
    snapshot,
    train_words,
)


@pytest.fixture
def steps_made(monkeypatch):
    """The jitted steps that the loop makes during a test."""
    made = []

    def make_step(*arguments):
        made.append(original(*arguments))
        return made[-1]

    original = loop.make_step
    monkeypatch.setattr(loop, "make_step", make_step)
    return made


@pytest.mark.slow
def test_a_supervised_run_compiles_its_step_once_and_ends_as_the_command_does(sessions, finished, tmp_path, steps_made):
    corpus = load_corpus(sessions)
    result = loop.train(run_config(corpus), corpus, tmp_path / "run")
    assert [step._cache_size() for step in steps_made] == [1]
    assert read_result(tmp_path / "run") == {"schema": "semgjax/result", "version": 4, **result}
    assert_same_parameters(tmp_path / "run", finished)


@pytest.mark.slow
def test_a_distilled_run_compiles_student_teacher_and_loss_as_one_step(
    sessions, finished, student, tmp_path, steps_made
):
    corpus, teacher = load_corpus(sessions), load_teacher(finished)
    config = student_config(run_config(corpus), teacher, DistillConfig(teacher.config.hash))
    loop.train(config, corpus, tmp_path / "run", teachers=((teacher.config.model, teacher.params),))
    assert [step._cache_size() for step in steps_made] == [1]
    assert_same_parameters(tmp_path / "run", student)


def test_a_finished_run_is_left_as_it_is_and_its_result_comes_back(sessions, finished, steps_made):
    before = snapshot(finished)
    corpus = load_corpus(sessions)
    assert loop.train(run_config(corpus), corpus, finished) == read_result(finished)
    assert snapshot(finished) == before and steps_made == []


def test_a_run_goes_on_from_the_last_whole_checkpoint(sessions, finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "result.json").unlink()
    shutil.rmtree(run / "checkpoints" / str(STEPS))
    (run / "checkpoints" / str(STEPS)).mkdir()
    (run / "checkpoints" / f"{STEPS}.orbax-checkpoint-tmp").mkdir()
    (run / "checkpoints" / f"{STEPS}.orbax-checkpoint-tmp" / "half").write_bytes(b"half")
    assert main(train_words(sessions, run)) == 0
    assert_same_parameters(run, finished)
    assert without(read_metrics(run / "metrics.jsonl")) == without(read_metrics(finished / "metrics.jsonl"))


def without(lines):
    return [{key: value for key, value in line.items() if key not in SPEED} for line in lines]


def test_a_checkpoint_of_another_run_in_the_folder_is_refused_and_nothing_is_changed(
    sessions, finished, student, tmp_path, capsys
):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "result.json").unlink()
    shutil.rmtree(run / "checkpoints")
    shutil.copytree(student / "checkpoints", run / "checkpoints")
    before = snapshot(run)
    assert "belongs to another configuration" in fails(capsys, train_words(sessions, run))
    assert snapshot(run) == before


@pytest.mark.slow
def test_a_rate_that_blows_up_ends_with_70_and_keeps_the_last_checkpoint(sessions, tmp_path, capsys):
    words = train_words(sessions, tmp_path / "run", "--optimizer.learning-rate=1e30", "--train.steps=6")
    line = fails(capsys, words, code=70)
    assert "step 3: loss nan" in line and "1e+30" in line
    assert newest_step(tmp_path / "run" / "checkpoints") == 2
    assert not (tmp_path / "run" / "result.json").exists()
    assert [entry["step"] for entry in read_metrics(tmp_path / "run" / "metrics.jsonl")] == [1, 2]


@pytest.fixture
def odd(tmp_path):
    """Two training sessions, one shorter than a window, and a validation session without a key; no test part."""
    folder = tmp_path / "odd"
    write_session(folder / "long.hdf5", 8000, user="a", keystrokes=typed("hello world ab", interval=0.2))
    write_session(folder / "short.hdf5", 900, user="a", keystrokes=typed("h"))
    write_session(folder / "silent.hdf5", 3000, user="b")
    write_split(folder / "splits.json", Split(("long", "short"), ("silent",), (), {}))
    return folder


def test_short_and_silent_sessions_and_a_missing_part_do_not_stop_a_run(odd, tmp_path, capsys):
    assert main(train_words(odd, tmp_path / "run")) == 0
    assert "validation CER (no keys)" in capsys.readouterr().err
    result = read_result(tmp_path / "run")
    assert result is not None
    assert result["sessions_too_short"] == ["short"]
    assert {row["split"] for row in result["scores"]} == {"val"}
    assert [row["cer"] for row in result["scores"]] == [None, None]
    validations = [line for line in read_metrics(tmp_path / "run" / "metrics.jsonl") if "split" in line]
    assert [line["cer"] for line in validations] == [None, None]


@pytest.mark.slow
def test_too_many_keys_for_the_frames_end_with_70_and_the_share(tmp_path, capsys):
    folder = tmp_path / "dense"
    times = START + 0.1 + np.arange(300) * 0.01  # 100 keys/s: 50 in a window of 25 frames
    strokes = [{"key": "e", "start": float(t), "end": float(t) + 0.005} for t in times]
    write_session(folder / "a.hdf5", 6400, user="a", keystrokes=strokes)
    write_split(folder / "splits.json", Split(("a",), (), (), {}))
    line = fails(capsys, train_words(folder, tmp_path / "run", "--augment.no-jitter"), code=70)
    assert "100.0% of the windows have more labels than frames (limit 5.0%)" in line
    assert not (tmp_path / "run" / "result.json").exists()


def test_a_broken_recording_ends_with_70_names_its_rows_and_keeps_the_checkpoint_before(
    sessions, tmp_path, capsys, monkeypatch
):
    class Broken:
        """Batches of which the third has a hole in two rows."""

        def __init__(self, batches):
            self._batches = batches

        def __getitem__(self, step):
            batch = dict(self._batches[step])
            if step == 2:
                batch["emg"] = batch["emg"].copy()
                batch["emg"][[1, 3], 700] = np.nan
            return batch

    def broken(*arguments):
        data = train_data(*arguments)
        return dataclasses.replace(data, batches=Broken(data.batches))

    def stream(data, start):
        yield from (data.batches[step] for step in range(start, STEPS))

    monkeypatch.setattr(loop, "train_data", broken)
    monkeypatch.setattr(loop, "stream", stream)
    line = fails(capsys, train_words(sessions, tmp_path / "run"), code=70)
    assert "step 3: loss nan" in line and "rows 1, 3 of its batch hold values that are not finite" in line
    assert newest_step(tmp_path / "run" / "checkpoints") == 2


def test_resume_must_and_never_are_kept(sessions, finished, tmp_path, capsys):
    assert "engine.resume is must" in fails(capsys, train_words(sessions, tmp_path / "run", "--engine.resume=must"))
    assert not (tmp_path / "run").exists()
    before = snapshot(finished)
    line = fails(capsys, train_words(sessions, finished, "--engine.resume=never"))
    assert f"there is a checkpoint of step {STEPS}" in line and snapshot(finished) == before


def test_a_finished_run_without_hashes_gets_them_and_a_damaged_one_is_refused(sessions, finished, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for path in run.glob(f"checkpoints/*/{HASHES}"):
        path.unlink()
    assert main(["evaluate", str(run), f"--data={sessions}"]) == 2
    assert main(train_words(sessions, run)) == 0
    capsys.readouterr()
    assert main(["evaluate", str(run), f"--data={sessions}", "--json"]) == 0
    damage_biggest(run / "checkpoints" / str(STEPS) / "state")
    for words in (
        ["evaluate", str(run), f"--data={sessions}"],
        ["export", str(run), "--out", str(tmp_path / "export")],
        distill_words(run, sessions, tmp_path / "student"),
        train_words(sessions, run),
    ):
        assert main(words) == 2
    assert not (tmp_path / "export").exists() and not (tmp_path / "student").exists()
