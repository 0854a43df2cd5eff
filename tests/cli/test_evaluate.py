"""`semgjax evaluate`: a run and its export give the same numbers, as lines or as one JSON object."""

import json
import shutil

import pytest

from semgjax.cli.main import main
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.files import read_json
from tests.runs import damage_biggest, fails, snapshot


@pytest.fixture
def evaluate(capsys):
    """Runs the command; its stdout."""

    def run(*words) -> str:
        capsys.readouterr()
        assert main(["evaluate", *map(str, words)]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return run


def test_json_is_one_object_with_the_rows_of_the_runs_result(sessions, finished, evaluate):
    result = read_json(finished / "result.json", "semgjax/result", 4)
    for split in ("val", "test"):
        out = evaluate(finished, "--data", sessions, "--split", split, "--json")
        assert out.count("\n") == 1
        assert json.loads(out) == {
            "model": str(finished),
            "metric": "cer",
            "spliced": False,
            "scores": [row for row in result["scores"] if row["split"] == split],
            "users_scores": [row for row in result["users_scores"] if row["split"] == split],
        }


def test_a_run_and_its_export_give_the_same_numbers_whatever_the_batch(sessions, finished, exported, evaluate):
    documents = [
        json.loads(evaluate(model, "--data", sessions, "--json", *batch))
        for model, batch in ((finished, []), (exported, []), (exported, ["--batch", "5"]))
    ]
    for document in documents:
        del document["model"]
    assert documents[0] == documents[1] == documents[2]


def test_a_table_shows_the_averages_and_every_user(sessions, exported, evaluate):
    document = json.loads(evaluate(exported, "--data", sessions, "--split", "train", "--json"))
    lines = evaluate(exported, "--data", sessions, "--split", "train").splitlines()
    assert [line.split()[2] for line in lines[:2]] == ["macro", "pooled"]
    users = {row["user"]: f"{row['cer']:.2f} %" for row in document["users_scores"]}
    assert len(users) == 2
    for line, (user, cer) in zip(lines[2:], users.items(), strict=True):
        assert line.strip().startswith(f"{user}: CER {cer}")


def test_turns_are_tried_on_request_and_the_output_says_which_were_chosen_without_labels(sessions, exported, evaluate):
    words = (exported, "--data", sessions, "--turns", "1")
    document = json.loads(evaluate(*words, "--json"))
    about = document["turns"]
    assert (about["tried"], about["labels_used"]) == (1, False)
    assert list(about["sessions"]) == list(read_split(sessions / "splits.json").test)
    assert all(len(turn) == 2 and set(turn) <= {-1, 0, 1} for turn in about["sessions"].values())
    lines = evaluate(*words).splitlines()
    shown = [f"{name}: " + ", ".join(f"{t:+d}" if t else "0" for t in turn) for name, turn in about["sessions"].items()]
    assert [line.strip() for line in lines[-len(shown) :]] == shown
    users = len(document["users_scores"])
    assert len(lines) == 2 + users + 1 + len(shown)


def test_evaluating_leaves_run_export_and_sessions_as_they_were(sessions, finished, exported, evaluate):
    before = [snapshot(folder) for folder in (sessions, finished, exported)]
    for model in (finished, exported):
        evaluate(model, "--data", sessions)
    assert [snapshot(folder) for folder in (sessions, finished, exported)] == before


def test_a_folder_that_is_neither_and_a_missing_one_are_refused(sessions, tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "none", sessions):
        line = fails(capsys, ["evaluate", folder, "--data", sessions])
        assert f"{folder}: is neither a run (config.json) nor an export (model.json)" in line


def test_an_unfinished_run_is_refused(sessions, finished, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    assert "not finished" in fails(capsys, ["evaluate", tmp_path / "run", "--data", sessions])


def test_a_damaged_export_is_one_line(sessions, exported, tmp_path, capsys):
    shutil.copytree(exported, tmp_path / "export")
    path = damage_biggest(tmp_path / "export" / "params")
    assert f"{path}: " in fails(capsys, ["evaluate", tmp_path / "export", "--data", sessions])


def test_an_empty_part_of_the_split_is_refused(sessions, exported, tmp_path, capsys):
    split = read_split(sessions / "splits.json")
    write_split(tmp_path / "splits.json", type(split)(split.train, (), split.test, {}))
    words = ["evaluate", exported, "--data", sessions, "--splits", tmp_path / "splits.json", "--split", "val"]
    assert "val" in fails(capsys, words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--split", "all"], "all"),
        (["--batch", "0"], "batch 0"),
        (["--turns", "-1"], "turns -1"),
        (["--turns", "8"], "turns 8"),
        (["--splits", "none.json"], "none.json"),
        (["--spilt", "val"], "--split"),
    ],
)
def test_words_that_cannot_work_are_one_line(sessions, exported, capsys, words, says):
    assert says in fails(capsys, ["evaluate", exported, "--data", sessions, *words])


def test_the_sessions_must_be_named(exported, capsys):
    assert "--data" in fails(capsys, ["evaluate", exported])
