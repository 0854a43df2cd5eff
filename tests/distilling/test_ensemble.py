"""Several teachers: their symbols must lie at the same frames; one run of two teachers is that of both."""

import dataclasses
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.distilling.ensemble import Agreement, agreement, check_aligned
from semgjax.distilling.teachers import Teacher, student_config
from semgjax.losses.diagnostics import read
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import read_config
from tests.guides.toy_network import PowerNetwork
from tests.refused import refused
from tests.runs import WINDOW, distill_words, snapshot

BLANK = 4


def spiky(frames: list[int], path: list[int], time: int = 60) -> np.ndarray:
    logits = np.zeros((1, time, BLANK + 1), np.float32)
    logits[..., BLANK] = 5.0
    logits[0, frames, path] = 9.0
    return logits


@pytest.mark.parametrize(("shift", "near"), [(0, 6), (1, 6), (-1, 6), (2, 0), (5, 0)])
def test_symbols_of_two_decoders_are_counted_by_their_distance(shift, near):
    frames, valid = np.array([15, 30, 45]), jnp.ones((1, 60), bool)
    one, other = (read(spiky(list(at), [0, 1, 0]), valid) for at in (frames, frames + shift))
    assert agreement(one, other) == Agreement(6, 6, near)


def test_symbols_that_only_one_decoder_has_are_not_common():
    valid = jnp.ones((1, 60), bool)
    one, other = read(spiky([15, 30], [0, 1]), valid), read(spiky([15, 30], [0, 2]), valid)
    assert agreement(one, other) == Agreement(4, 2, 2)


@pytest.fixture(scope="module")
def corpus(sessions):
    return load_corpus(sessions)


def toy(corpus, delay: int) -> Teacher:
    """A teacher that says keys in many frames, the same ones at each delay, and so earlier ones of its core."""
    model = PowerNetwork(emission_delay=delay)
    params = model.init(jax.random.key(0))
    config = RunConfig("power", model, corpus.hash, WINDOW)
    return Teacher(config, {**params, "kernel": 30 * params["kernel"], "bias": 0 * params["bias"]})


def checked(corpus, *delays: int) -> tuple[str, ...]:
    teachers = [toy(corpus, delay) for delay in delays]
    config = RunConfig("ladder-16", preset("ladder-16"), corpus.hash, WINDOW)
    made = student_config(config, teachers[0], DistillConfig("t"), others=teachers[1:])
    assert made.distill is not None and made.distill.also == tuple(one.config.hash for one in teachers[1:])
    return check_aligned(made, teachers, corpus.train)


def test_teachers_a_frame_apart_pass_and_teachers_far_apart_are_refused(corpus):
    assert checked(corpus, 200, 160) == ()
    with refused("conflict", "%"):
        checked(corpus, 200, 40)


def test_teachers_that_say_nothing_cannot_be_compared_and_cause_a_warning(corpus):
    silent = [dataclasses.replace(one, params={**one.params, "bias": jnp.zeros(99).at[-1].set(1e6)})
              for one in (toy(corpus, 200), toy(corpus, 160))]  # fmt: skip
    config = RunConfig("ladder-16", preset("ladder-16"), corpus.hash, WINDOW)
    (line,) = check_aligned(config, silent, corpus.train)
    assert "\n" not in line


def test_a_teacher_named_twice_or_of_other_windows_is_refused(corpus):
    config = RunConfig("ladder-16", preset("ladder-16"), corpus.hash, WINDOW)
    teacher = toy(corpus, 200)
    with refused("bad-value", "also"):
        student_config(config, teacher, DistillConfig(teacher.config.hash), others=[teacher])
    wide = dataclasses.replace(WINDOW, left=800)
    other = dataclasses.replace(toy(corpus, 160), config=dataclasses.replace(toy(corpus, 160).config, window=wide))
    with refused("conflict", other.config.hash[:16]):
        student_config(config, teacher, DistillConfig(teacher.config.hash), others=[other])


@pytest.mark.slow
def test_a_student_of_two_runs_names_both_and_is_the_same_by_function_and_command(
    sessions, finished, student, tmp_path, capsys
):
    both = [finished, student]
    assert main(distill_words(finished, sessions, tmp_path / "run", "--teacher", *map(str, both))) == 0
    assert "warning: " in capsys.readouterr().err  # runs of a few steps say nothing
    config = read_config(tmp_path / "run")
    assert config.distill is not None
    assert (config.distill.teacher, *config.distill.also) == tuple(read_config(run).hash for run in both)
    before = snapshot(tmp_path / "run")
    own = {"model": config.model, "augment": config.augment, "train": config.train}
    run = semgjax.distill(both, "ladder-16", sessions, tmp_path / "run", **own)
    assert [one["config"] for one in run.result["teachers"]] == [read_config(run).hash for run in both]
    assert snapshot(tmp_path / "run") == before


@pytest.mark.parametrize("many", [[], ["self", "run"]])
def test_no_teacher_or_itself_among_others_is_refused(sessions, tmp_path, many):
    with refused("conflict" if many else "bad-value", "teacher"):
        semgjax.distill(many, "ladder-16", sessions, tmp_path / "run")


def test_a_run_named_twice_or_its_copy_is_refused_by_its_folder(sessions, finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "copy")
    for again in (finished, copy):
        with refused("bad-value", again):
            semgjax.distill([finished, again], "ladder-16", data=sessions, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
