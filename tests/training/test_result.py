"""result.json of a finished run: every member against what the configuration and the sessions say."""

import json

import pytest

from semgjax.data.corpus import load_corpus
from semgjax.files import read_json
from semgjax.model.flops import forward_flops
from semgjax.training.checkpoint import newest_step, restore_params
from semgjax.training.lineage import OF_TEACHER
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import read_config
from tests.runs import STEPS, TRAIN, WINDOW

COUNTS = ("characters", "substitutions", "deletions", "insertions")


def result_of(run) -> dict:
    return read_json(run / "result.json", "semgjax/result", 4)


def test_a_supervised_result_tells_size_data_and_cost(finished, sessions):
    result, config, corpus = result_of(finished), read_config(finished), load_corpus(sessions)
    assert result["kind"] == "supervised" and result["teacher"] is None
    assert result["loss"] == {"loss": "ctc"}
    assert (result["preset"], result["steps"], result["seed"]) == ("ladder-16", STEPS, 0)
    assert (result["config"], result["data"]) == (config.hash, corpus.hash)
    assert result["users"] == 2
    assert result["hours"] == pytest.approx(3 * 12 / 3600)  # three training sessions of 12 s
    assert result["epochs"] == pytest.approx(STEPS * TRAIN.batch / (3 * 24))  # of 24 windows each
    assert result["tokens"] == STEPS * TRAIN.batch * (WINDOW.length // config.model.stride)
    assert result["flops"] == pytest.approx(STEPS * TRAIN.batch * 3 * forward_flops(config.model, WINDOW.total))
    assert result["sessions_too_short"] == []
    assert result["seconds"] > 0
    _, params = restore_params(finished / "checkpoints")
    assert result["params"] == sum(leaf.size for leaf in _leaves(params))


def test_a_distilled_result_names_its_teacher_and_pays_for_it(finished, student):
    teacher, result = result_of(finished), result_of(student)
    model = read_config(student).model
    assert result["kind"] == "distilled" and result["teacher"] == teacher["config"]
    assert result["config"] != teacher["config"]
    extra = STEPS * TRAIN.batch * forward_flops(model, WINDOW.total)  # the teacher's forward pass
    assert result["flops"] - teacher["flops"] == pytest.approx(extra)
    assert result["params"] == teacher["params"]  # of the student alone


def test_a_result_names_the_sessions_and_people_it_learned_from_and_its_teachers(finished, student, sessions):
    corpus, teacher, result = load_corpus(sessions), result_of(finished), result_of(student)
    names, users = {session.name for session in corpus.train}, {session.user for session in corpus.train}
    assert teacher["trained_on"] == {"sessions": sorted(names), "users": sorted(users)} == result["trained_on"]
    assert "teachers" not in teacher
    assert result["teachers"] == [{member: teacher[member] for member in OF_TEACHER}]


def test_user_rows_add_up_to_the_pooled_row_and_average_to_the_macro_row(finished, sessions):
    result, corpus = result_of(finished), load_corpus(sessions)
    assert {(row["split"], row["decoder"], row["averaging"]) for row in result["scores"]} == {
        (split, "greedy", averaging) for split in ("val", "test") for averaging in ("macro", "pooled")
    }
    for row in result["scores"]:
        users = [user for user in result["users_scores"] if user["split"] == row["split"]]
        assert {user["user"] for user in users} == {s.user for s in corpus.part(row["split"])}
        assert row["users"] == len(users)
        for count in COUNTS:
            assert row[count] == sum(user[count] for user in users)
        if row["averaging"] == "pooled":
            errors = row["substitutions"] + row["deletions"] + row["insertions"]
            assert row["cer"] == pytest.approx(100 * errors / row["characters"])
        else:
            assert row["cer"] == pytest.approx(sum(user["cer"] for user in users) / len(users))
        assert row["characters"] == sum(len(s.labels) for s in corpus.part(row["split"]))


def test_metrics_hold_every_step_and_the_validations_between(finished, student):
    for run in (finished, student):
        lines = read_metrics(run / "metrics.jsonl")
        steps = [line for line in lines if "split" not in line]
        assert [line["step"] for line in steps] == list(range(1, STEPS + 1))
        assert [(line["step"], line["split"]) for line in lines if "split" in line] == [(3, "val"), (6, "val")]
        assert all(("kl" in line) == (run == student) for line in steps)


def test_a_finished_run_keeps_its_last_two_checkpoints_and_only_known_files(finished):
    assert newest_step(finished / "checkpoints") == STEPS
    assert sorted(path.name for path in (finished / "checkpoints").iterdir()) == [str(STEPS - 2), str(STEPS)]
    assert {path.name for path in finished.iterdir()} == {
        ".lock",
        "checkpoints",
        "config.json",
        "metrics.jsonl",
        "result.json",
    }


def test_the_results_numbers_are_plain_json(finished):
    text = (finished / "result.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in result.json"))


def _leaves(tree):
    return [leaf for item in tree.values() for leaf in (_leaves(item) if isinstance(item, dict) else [item])]
