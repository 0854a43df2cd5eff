"""Decisions in Python: the numbers that the commands print."""

import json

import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.errors import InputError

RUNS = [(n, d) for n in (1e5, 4e5, 1.6e6) for d in (1e6, 4e6, 1.6e7)]
NOISE = np.exp(0.01 * np.random.default_rng(0).standard_normal(9))
TABLE = {
    "N": [n for n, _ in RUNS],
    "D": [d for _, d in RUNS],
    "cer": [float((5 + 3e3 * n**-0.5 + 2e4 * d**-0.5) * k) for (n, d), k in zip(RUNS, NOISE, strict=True)],
}


@pytest.fixture(scope="module")
def law():
    return semgjax.fit(TABLE, y="cer", N="N", D="D", law="chinchilla")


@pytest.fixture
def stored(law, tmp_path):
    return str(law.save(tmp_path / "fit.json"))


def printed(capsys, *words):
    assert main(["scaling", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_frontier_is_that_of_the_command(law, stored, capsys):
    found = law.frontier(1e14, 1e13, cost="6*N*D", force=True)
    assert [row.budget for row in found.rows] == [1e13, 1e14]
    words = ["frontier", stored, "--budget", "1e14", "--budget", "1e13", "--cost", "6*N*D", "--force"]
    assert json.loads(json.dumps(found.as_json())) == printed(capsys, *words)


def test_an_exchange_is_that_of_the_command(law, stored, capsys):
    found = law.exchange("D", "N", {"N": 1e6, "D": 1e7}, factor=1.5, force=True)
    words = ["exchange", stored, "--give", "D", "--get", "N", "--at", "N=1e6", "--at", "D=1e7", "--factor", "1.5"]
    assert found.rate.value == printed(capsys, *words, "--force")["rate"]["value"]


def test_a_design_is_that_of_the_command(capsys):
    plan, prior = {"N": [1e5, 2e5, 4e5, 8e5, 1.6e6]}, {"E": 8, "A": 2500, "alpha": 0.45}
    found = semgjax.design(plan, {"N": 1e7}, prior=prior, seeds=2)
    words = ["design", "--vary", "N=1e5,2e5,4e5,8e5,1.6e6", "--at", "1e7", "--seeds", "2"]
    shown = printed(capsys, *words, "--prior", "E=8", "--prior", "A=2500", "--prior", "alpha=0.45")
    assert shown["runs"] == found.runs and shown["value"] == pytest.approx(found.value)


def test_a_comparison_is_that_of_the_command(tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_text("N,D,cer\n" + "".join(f"{n!r},{d!r},{y!r}\n" for n, d, y in zip(*TABLE.values(), strict=True)))
    found = semgjax.compare(path, ["chinchilla", "kaplan"], y="cer", N="N", D="D", at={"N": 1e7, "D": 1e8}, force=True)
    words = [
        "compare",
        path,
        "--law",
        "chinchilla",
        "--law",
        "kaplan",
        "--map",
        "y=cer",
        "--map",
        "N=N",
        "--map",
        "D=D",
    ]
    shown = printed(capsys, *words, "--at", "N=1e7", "--at", "D=1e8", "--force")
    assert json.loads(json.dumps(found.as_json())) == shown
    assert sum(found.weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (lambda law: law.frontier(1e14), "bad-option"),
        (lambda law: law.frontier(1e14, cost="6*N*D", measured="t.csv"), "bad-option"),
        (lambda law: law.frontier(cost="6*N*D"), "bad-option"),
        (lambda law: law.frontier(-1.0, cost="6*N*D"), "bad-value"),
        (lambda law: law.exchange("U", "N", {"N": 1e6, "D": 1e7}), "unknown-name"),
        (lambda law: law.student(10.0, 1e8), "wrong-law"),
        (lambda law: law.suggest(cost="6*N*D", rate=1e15), "bad-option"),
        (lambda law: law.suggest(cost="6*N*D", rate=1e15, shrink="Q"), "bad-value"),
        (lambda _: semgjax.design({"N": [1e5]}, {"N": 1e6}, prior={"E": 1.0}), "bad-option"),
        (lambda _: semgjax.compare(TABLE, ["no such law"], y="cer", N="N"), "unknown-name"),
        (lambda _: semgjax.report(TABLE, "page.txt", y="cer", N="N"), "bad-value"),
    ],
)
def test_a_question_without_sense_is_refused_by_a_code_and_names_no_option(law, question, code):
    with pytest.raises(InputError) as caught:
        question(law)
    assert caught.value.code == code
    assert "--" not in str(caught.value)
