"""One trial: done once, kept when it diverged, and its state read from its folder. Training itself is faked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import semgjax.distilling.teachers
import semgjax.training.loop
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import Split, read_split, write_split
from semgjax.distilling.teachers import Teacher
from semgjax.errors import Diverged, InputError, Preempted
from semgjax.files import folder_lock, write_json
from semgjax.sweep.plan import plan_sweep
from semgjax.sweep.trial import look, read_fault, result_of, run_trial, write_fault
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_folder import read_config
from tests.data.fixtures import typed, write_session
from tests.refused import refused
from tests.sweep.plans import config_of, files_in, finish, planned, result_body


@pytest.fixture
def sweep(tmp_path):
    """Two trials on a corpus of one session each for training and test."""
    for user in ("a", "b"):
        write_session(tmp_path / "sessions" / f"{user}.hdf5", user=user, keystrokes=typed("hello"))
    write_split(tmp_path / "sessions" / "splits.json", Split(("a",), (), ("b",), {}))
    data = load_corpus(tmp_path / "sessions").hash
    return planned(tmp_path, config_of("ladder-16", data=data), config_of("ladder-32", data=data))


@pytest.fixture
def trained(sweep, monkeypatch):
    """The run directories that training was called for; it makes up a result."""
    calls: list[Path] = []

    def train(config, corpus, out, teachers=()):
        assert corpus.hash == config.data
        calls.append(out)
        trial = next(trial for trial in sweep.trials if trial.config == config)
        finish(sweep, trial)
        return result_body(trial)

    monkeypatch.setattr(semgjax.training.loop, "train", train)
    return calls


def test_a_finished_trial_is_not_trained_again_and_needs_no_sessions(sweep, trained):
    first = run_trial(sweep, sweep.trials[1])
    (sweep.data / "a.hdf5").unlink()
    before = files_in(sweep.folder)
    again = run_trial(sweep, sweep.trials[1])
    assert again["scores"] == first["scores"]
    assert trained == [sweep.folder / "trials" / "001-ladder-32-s0"]
    assert files_in(sweep.folder) == before


def test_sessions_that_are_not_those_of_the_plan_are_refused_before_training(sweep, trained):
    write_session(sweep.data / "a.hdf5", user="a", keystrokes=typed("other"))
    with refused("changed", sweep.data):
        run_trial(sweep, sweep.trials[0])
    assert trained == []
    assert {path.name for path in sweep.run_folder(sweep.trials[0]).iterdir()} == {"config.json"}


def test_a_diverged_trial_is_kept_with_its_reason_and_not_trained_again(sweep, monkeypatch):
    calls = []

    def diverge(config, corpus, out, teachers=()):
        calls.append(out)
        raise Diverged("step 3: loss nan")

    monkeypatch.setattr(semgjax.training.loop, "train", diverge)
    with refused("diverged", "step 3: loss nan", kind=Diverged):
        run_trial(sweep, sweep.trials[0])
    assert look(sweep, sweep.trials[0]).state == "diverged"
    assert look(sweep, sweep.trials[0]).reason == "step 3: loss nan"
    path = sweep.fault(sweep.trials[0])
    with refused("diverged", "step 3: loss nan ", path, kind=Diverged):
        run_trial(sweep, sweep.trials[0])
    assert len(calls) == 1
    path.unlink()
    with pytest.raises(Diverged):
        run_trial(sweep, sweep.trials[0])
    assert len(calls) == 2


def test_a_failed_trial_is_tried_again_and_its_failure_forgotten(sweep, trained):
    write_fault(sweep, sweep.trials[0], "failed", "no memory")
    assert look(sweep, sweep.trials[0]).state == "failed"
    run_trial(sweep, sweep.trials[0])
    assert read_fault(sweep, sweep.trials[0]) is None
    assert look(sweep, sweep.trials[0]).state == "done"


@pytest.mark.parametrize("cut", [0, 1, 150])
def test_a_result_cut_short_is_one_clear_line_and_stays_as_it_is(sweep, trained, cut):
    path = finish(sweep, sweep.trials[0])
    path.write_bytes(path.read_bytes()[:cut])
    before = files_in(sweep.folder)
    with pytest.raises(InputError) as caught:
        run_trial(sweep, sweep.trials[0])
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert look(sweep, sweep.trials[0]).state == "damaged"
    assert (files_in(sweep.folder), trained) == (before, [])


def test_the_result_of_another_run_is_refused(sweep):
    path = finish(sweep, sweep.trials[0], config=sweep.trials[1].config.hash)
    with refused("conflict", path):
        result_of(sweep, sweep.trials[0])
    assert path.exists()


def test_a_state_is_read_from_the_folder_alone(sweep):
    trial = sweep.trials[0]
    folder = sweep.run_folder(trial)
    assert (look(sweep, trial).state, look(sweep, trial).progress) == ("waiting", "0/10")
    with folder_lock(folder):
        assert look(sweep, trial).state == "running"
        lines = [{"step": 2, "loss": 1.0}, {"step": 4, "loss": 1.0}]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 6')
        assert look(sweep, trial).progress == "4/10"
    assert (look(sweep, trial).state, look(sweep, trial).step) == ("waiting", 4)
    (folder / "metrics.jsonl").write_text("no JSON\n")
    assert look(sweep, trial).progress == "?/10"
    finish(sweep, trial)
    assert (look(sweep, trial).state, look(sweep, trial).progress) == ("done", "10/10")


def test_a_fault_file_that_makes_no_sense_is_told(sweep):
    write_json(sweep.fault(sweep.trials[0]), "semgjax/fault", 1, {"kind": "bored", "reason": "x"})
    with refused("bad-field", "'bored'"):
        read_fault(sweep, sweep.trials[0])


@pytest.fixture
def taught(sweep, trained):
    """A teacher and its student on the same sessions; a finished run's parameters are made up."""
    data = sweep.trials[0].config.data
    teacher = config_of("ladder-32", data=data)
    student = replace(config_of("ladder-16", data=data), distill=DistillConfig(teacher.hash))
    splits = {data: read_split(sweep.split_file(sweep.trials[0]))}
    return plan_sweep("taught", (teacher, student), sweep.data, splits, sweep.folder.parent / "taught")


def test_a_student_whose_teacher_is_not_finished_says_so_and_may_be_run_again(taught, trained):
    teacher, student = taught.trials
    with refused("preempted", student.id, "0/10", f"--trial {teacher.id}", kind=Preempted):
        run_trial(taught, student)
    assert trained == []


@pytest.mark.parametrize("end", ["diverged", "damaged"])
def test_a_student_whose_teacher_ended_badly_is_refused(taught, trained, end):
    teacher, student = taught.trials
    if end == "diverged":
        write_fault(taught, teacher, "diverged", "step 3: loss nan")
    else:
        path = finish(taught, teacher)
        path.write_bytes(path.read_bytes()[:100])
    with refused("conflict", teacher.id, end):
        run_trial(taught, student)
    assert trained == []


def test_a_teacher_whose_parameters_are_gone_is_named(taught, trained):
    teacher, student = taught.trials
    finish(taught, teacher)
    with refused("not-finished", taught.run_folder(teacher)):
        run_trial(taught, student)
    assert trained == []


def test_a_student_is_given_its_teachers_shape_and_parameters(taught, monkeypatch):
    teacher, student = taught.trials
    finish(taught, teacher)
    monkeypatch.setattr(
        semgjax.distilling.teachers, "load_teacher", lambda folder: Teacher(read_config(folder), {"w": 1})
    )
    given = []
    monkeypatch.setattr(
        semgjax.training.loop, "train", lambda config, corpus, out, teachers, **_: given.extend(teachers)
    )
    run_trial(taught, student)
    assert given == [(teacher.config.model, {"w": 1})]


def test_an_unexpected_failure_leaves_its_reason_and_the_end_of_its_traceback(sweep, monkeypatch):
    def broken(config, corpus, out, teachers=()):
        raise ValueError("something broke\nand more")

    monkeypatch.setattr(semgjax.training.loop, "train", broken)
    with pytest.raises(ValueError):
        run_trial(sweep, sweep.trials[0])
    assert read_fault(sweep, sweep.trials[0]) == ("failed", "ValueError: something broke")
    assert any("raise ValueError" in line for line in json.loads(sweep.fault(sweep.trials[0]).read_text())["tail"])


def test_every_start_is_noted_with_its_place(sweep, trained, monkeypatch):
    monkeypatch.setenv("SEMGJAX_PLACE", "slot 3")
    run_trial(sweep, sweep.trials[0])
    run_trial(sweep, sweep.trials[0])
    (line,) = sweep.starts(sweep.trials[0]).read_text().splitlines()
    assert json.loads(line)["place"] == "slot 3"
