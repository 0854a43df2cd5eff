"""`semgjax distill`: the student's folder, the untouched teacher, and every refusal before anything is written."""

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from semgjax.cli.main import main
from semgjax.config_json import to_json
from semgjax.data.splitting.inventory import list_folder
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.data.splitting.unlabelled import keep_labels
from semgjax.training.distill_config import DistillConfig
from tests.runs import STEPS, assert_same_parameters, distill_words, fails, snapshot, train_words

pytestmark = pytest.mark.slow


def test_a_student_carries_its_teachers_hash_and_leaves_the_teacher_as_it_was(
    sessions, finished, student, tmp_path, capsys
):
    before = snapshot(finished)
    assert main(distill_words(finished, sessions, tmp_path / "run")) == 0
    assert "distilled ladder-16: " in capsys.readouterr().out
    assert snapshot(finished) == before
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    teacher = json.loads((finished / "config.json").read_text())
    assert config["distill"] == to_json(DistillConfig(teacher["hash"]))
    assert config["window"] == teacher["window"]
    assert_same_parameters(tmp_path / "run", student)


def test_a_finished_student_prints_its_result_again_and_changes_nothing(sessions, finished, student, capsys):
    before = snapshot(student)
    capsys.readouterr()
    assert main(distill_words(finished, sessions, student)) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("distilled ladder-16: ") and printed.err == ""
    assert snapshot(student) == before


def test_a_student_does_not_take_the_place_of_a_supervised_run_nor_the_other_way_round(
    sessions, finished, student, capsys
):
    before = snapshot(finished), snapshot(student)
    assert "distill None, now {" in fails(capsys, distill_words(finished, sessions, finished))
    assert ", now None" in fails(capsys, train_words(sessions, student))
    assert (snapshot(finished), snapshot(student)) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--temperature", "0"], "temperature 0"),
        (["--temperature", "nan"], "temperature nan"),
        (["--key-boost", "-1"], "key_boost -1"),
        (["--weight", "1.5"], "weight 1.5"),
        (["--unlabelled", "1.0"], "unlabelled 1.0"),
        (["--unlabelled", "0.5"], "share 0.5"),
        (["--wieght", "0.5"], "--weight"),
        (["--window.length", "2000"], "--window.length"),
        (["--model.conv-strides", "5", "5", "1", "--model.conv-kernels", "11", "5", "3"], "stride (25 "),
        (["--model.emission-delay", "240"], "emission_delay 240"),
        (["--teacher", "none"], "none/config.json: "),
        (["--data", "none"], "none"),
    ],
)
def test_words_that_cannot_work_are_one_line_and_nothing_is_written(sessions, finished, tmp_path, capsys, words, says):
    assert says in fails(capsys, [*distill_words(finished, sessions, tmp_path / "run"), *words])
    assert list(tmp_path.iterdir()) == []


def test_a_student_has_fewer_labels_than_its_teacher(sessions, finished, tmp_path):
    write_split(tmp_path / "few.json", keep_labels(read_split(sessions / "splits.json"), list_folder(sessions), 1))
    words = distill_words(finished, sessions, tmp_path / "run", f"--splits={tmp_path / 'few.json'}")
    assert main(words) == 0
    teacher, result = (json.loads((run / "result.json").read_text()) for run in (finished, tmp_path / "run"))
    assert result["data"] != teacher["data"] and (result["users"], result["unlabelled_users"]) == (1, 1)
    assert result["trained_on"] == teacher["trained_on"]


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_teacher_that_was_trained_on_what_the_student_is_scored_on_is_refused(
    sessions, finished, tmp_path, capsys, part
):
    split = read_split(sessions / "splits.json")
    users = {row.session: row.user for row in list_folder(sessions)}
    several = Counter(users[name] for name in split.train)
    moved = next(name for name in split.train if several[users[name]] > 1)
    other, rest = tmp_path / "other.json", tuple(name for name in split.train if name != moved)
    write_split(other, replace(split, train=rest, **{part: (*getattr(split, part), moved)}))
    words = [*distill_words(finished, sessions, tmp_path / "run"), "--splits", str(other)]
    assert repr(moved) in fails(capsys, words)
    assert not (tmp_path / "run").exists()


def test_an_unfinished_teacher_is_refused(sessions, finished, tmp_path, capsys):
    teacher = tmp_path / "teacher"
    shutil.copytree(finished, teacher)
    shutil.rmtree(teacher / "checkpoints" / str(STEPS))
    line = fails(capsys, distill_words(teacher, sessions, tmp_path / "run"))
    assert f"{teacher}: " in line
    assert not (tmp_path / "run").exists()
