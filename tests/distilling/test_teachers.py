"""Distillation from a finished run: who may teach whom, and what the student's folder holds afterwards."""

import dataclasses
import json
import shutil
from pathlib import Path

import jax
import orbax.checkpoint as ocp
import pytest

from semgjax.data.corpus import load_corpus
from semgjax.data.trained_on import Names, learned_from
from semgjax.distilling.teachers import Teacher, lineage_of, load_teacher, student_config
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import read_config
from semgjax.training.step import init_state
from tests.refused import refused
from tests.runs import STEPS, WINDOW, run_config, snapshot

MODEL = preset("ladder-16")
TEACHER = Teacher(RunConfig("ladder-32", preset("ladder-32"), "d", WINDOW), {})


def supervised(data: str = "d", **model) -> RunConfig:
    return RunConfig("ladder-16", dataclasses.replace(MODEL, **model), data, WINDOW)


def test_the_student_is_the_supervised_run_plus_its_teachers_identity():
    shares = DistillConfig(TEACHER.config.hash, temperature=3.0, weight=0.5, key_boost=2.0)
    config = student_config(supervised(), TEACHER, shares)
    assert config.distill == shares
    assert dataclasses.replace(config, distill=None) == supervised()


def test_another_teacher_makes_another_run():
    other = dataclasses.replace(TEACHER.config, train=dataclasses.replace(TEACHER.config.train, seed=1))
    hashes = {student_config(supervised(), t, DistillConfig(t.config.hash)).hash for t in (TEACHER, Teacher(other, {}))}
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("student", "named"),
    [
        (supervised(conv_strides=(5, 5, 2), conv_kernels=(11, 5, 4)), f"stride (50 against {MODEL.stride} "),
        (supervised(data="e"), "sessions"),
    ],
)
def test_decoders_whose_logits_do_not_speak_of_the_same_frames_and_sessions_are_refused(student, named):
    with refused("conflict", named):
        student_config(student, TEACHER, DistillConfig(TEACHER.config.hash))


@pytest.mark.parametrize("shape", [{"conv_strides": (5, 2, 2)}, {"emission_delay": 160}, {"causal": False}])
def test_another_frame_that_fits_another_emission_delay_or_look_ahead_is_adapted(shape):
    student = supervised(**shape)
    assert student_config(student, TEACHER, DistillConfig("t")).model == student.model


MET = Names(frozenset({"s1", "s2"}), frozenset({"ann", "bob"}))
KNOWN = dataclasses.replace(TEACHER, trained_on=MET)


@pytest.mark.parametrize("held", [Names(), Names(frozenset({"s3"}), frozenset({"eve"}))])
def test_a_student_of_other_sessions_learns_from_a_teacher_that_met_none_it_is_scored_on(held):
    share = DistillConfig(TEACHER.config.hash)
    assert student_config(supervised(data="e"), KNOWN, share, held).distill == share


@pytest.mark.parametrize(
    ("held", "named"),
    [
        (Names(frozenset({"s2", "s3"}), frozenset()), "'s2'"),
        (Names(frozenset({"s3"}), frozenset({"bob", "eve"})), "'bob'"),
        (None, "did not record"),
    ],
)
def test_a_teacher_that_met_what_the_student_is_scored_on_is_refused(held, named):
    teacher = TEACHER if held is None else KNOWN
    with refused("conflict", TEACHER.config.hash[:16], named):
        student_config(supervised(data="e"), teacher, DistillConfig(TEACHER.config.hash), held or Names())


def test_a_teacher_is_loaded_with_what_its_run_says_it_was_trained_on(finished, sessions, tmp_path):
    corpus = load_corpus(sessions)
    teacher = load_teacher(finished)
    assert teacher.trained_on == learned_from(corpus)
    assert teacher.about["config"] == teacher.config.hash and teacher.about["scores"]
    old = Path(shutil.copytree(finished, tmp_path / "old"))
    body = json.loads((old / "result.json").read_text())
    del body["trained_on"]
    (old / "result.json").write_text(json.dumps(body | {"version": 3}))
    older = load_teacher(old)
    assert older.trained_on is None
    assert lineage_of([older], corpus) == lineage_of([teacher], corpus)


@pytest.mark.parametrize(("temperature", "weight"), [(0.0, 0.9), (-1.0, 0.9), (1.0, 0.0), (1.0, 1.1)])
def test_a_mix_that_means_nothing_is_refused(temperature, weight):
    with refused("bad-value"):
        student_config(supervised(), TEACHER, DistillConfig(TEACHER.config.hash, temperature, weight))


def test_an_unfinished_teacher_is_refused(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "stopped")
    shutil.rmtree(tmp_path / "stopped" / "checkpoints" / str(STEPS))
    with refused("not-finished", f"step {STEPS - 2} of {STEPS}"):
        load_teacher(tmp_path / "stopped")
    shutil.copytree(finished, tmp_path / "unscored")
    (tmp_path / "unscored" / "result.json").unlink()
    with refused("not-finished"):
        load_teacher(tmp_path / "unscored")
    shutil.rmtree(tmp_path / "unscored" / "checkpoints")
    with refused("not-finished"):
        load_teacher(tmp_path / "unscored")


def test_loading_a_teacher_writes_nothing(finished):
    before = snapshot(finished)
    teacher = load_teacher(finished)
    assert teacher.config == read_config(finished)
    assert snapshot(finished) == before


def test_the_students_checkpoint_holds_no_teacher(sessions, student):
    state = jax.eval_shape(lambda: init_state(run_config(load_corpus(sessions))))
    expected = {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf.shape
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
    }
    handler = ocp.PyTreeCheckpointHandler()
    tree = handler.metadata((student / "checkpoints" / str(STEPS) / "state").absolute()).tree
    handler.close()
    found = {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf.shape
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }
    assert sum(map(len, found.values())) > 0
    assert sorted(found.values()) == sorted(expected.values())
    assert {name.partition(".")[0] for name in found} == {"step", "params", "optimizer"}
