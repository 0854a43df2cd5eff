"""`semgjax distill`: the student's folder, the untouched teacher, and every refusal before anything is written."""

import json
import shutil

import pytest

from semgjax.cli.main import main
from semgjax.cli.summary import training_lines
from semgjax.config_json import to_json
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.losses.student_summary import summary_of, summary_words
from semgjax.training.distill_config import DistillConfig
from semgjax.training.metrics import MetricsFile, read_metrics
from semgjax.training.plateau import result_words
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
        (["--preset", "tiny"], "stride (20 "),
        (["--model.emission-delay", "160"], "emission_delay (160 "),
        (["--teacher", "none"], "none/config.json: "),
        (["--data", "none"], "none"),
    ],
)
def test_words_that_cannot_work_are_one_line_and_nothing_is_written(sessions, finished, tmp_path, capsys, words, says):
    assert says in fails(capsys, [*distill_words(finished, sessions, tmp_path / "run"), *words])
    assert list(tmp_path.iterdir()) == []


def test_another_split_than_the_teachers_is_refused(sessions, finished, tmp_path, capsys):
    split = read_split(sessions / "splits.json")
    other = tmp_path / "other.json"
    write_split(other, type(split)(split.train + split.val, (), split.test, {}))
    words = [*distill_words(finished, sessions, tmp_path / "run"), "--splits", str(other)]
    assert "sessions" in fails(capsys, words)
    assert not (tmp_path / "run").exists()


def test_an_unfinished_teacher_is_refused(sessions, finished, tmp_path, capsys):
    teacher = tmp_path / "teacher"
    shutil.copytree(finished, teacher)
    shutil.rmtree(teacher / "checkpoints" / str(STEPS))
    line = fails(capsys, distill_words(teacher, sessions, tmp_path / "run"))
    assert f"{teacher}: " in line
    assert not (tmp_path / "run").exists()


def test_a_student_says_when_it_left_the_plateau_and_how_it_answers_beside_its_teacher(tmp_path):
    line = {"step": 9, "agreement": 0.5, "kl_spikes": 1.0, "kl_blanks": 0.1, "confidence": 0.9, "overconfidence": 0.4}
    MetricsFile(tmp_path / "metrics.jsonl").write({**line, "offsets": [0, 3, 1], "unmatched": 4})
    result = {"kind": "distilled", "left_blank_at": 7}
    found = summary_of(read_metrics(tmp_path / "metrics.jsonl"))
    assert found is not None and len(summary_words(found)) == 3
    assert training_lines(result, tmp_path) == [result_words(result), *summary_words(found)]
    assert training_lines({"kind": "distilled", "left_blank_at": None}, "gs://bucket/run") != []
    assert training_lines({"kind": "supervised"}, tmp_path) == []  # of an earlier version
