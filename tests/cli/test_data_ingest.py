"""`semgjax data ingest`, and training on what it makes."""

import re

import pytest

from semgjax.cli.main import main
from tests.data.odd import write_odd_sessions
from tests.runs import fails, train_words


@pytest.fixture
def src(tmp_path):
    return write_odd_sessions(tmp_path / "src")


def test_ingest_says_what_it_made_and_what_it_left_out(tmp_path, src, capsys):
    (src / "bad.hdf5").write_text("x")
    words = ["data", "ingest", str(src), str(tmp_path / "out"), "--workers", "1", "--on-error", "skip"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert re.findall(r"\d+", printed.out.splitlines()[0]) == ["4", "0", "1"]
    assert "4 sessions of 2 users, 0.00 h" in printed.out
    assert "bad.hdf5: " in printed.err
    assert " left" in printed.err and "100 %" in printed.err


def test_shares_of_an_array_tell_what_is_awaited(tmp_path, src, capsys):
    words = ["data", "ingest", str(src), str(tmp_path / "out"), "--workers=1", "--shard"]
    assert main([*words, "2/3"]) == 0
    assert "1, 3 of 3" in capsys.readouterr().out
    assert main([*words, "1/3"]) == main([*words, "3/3"]) == 0
    assert "4 sessions of 2 users" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--shard", "3"], "--shard '3'"),
        (["--shard", "4/3"], "shard 4/3"),
        (["--workers", "-1"], "--workers -1"),
        (["--users", "nobody", "--workers", "1"], "--users nobody"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path, src, capsys, words, says):
    assert main(["data", "ingest", str(src), str(tmp_path / "out"), *words]) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_damage_ends_with_code_2_and_the_name(tmp_path, src, capsys):
    (src / "odd0.hdf5").write_text("x")
    last = fails(capsys, ["data", "ingest", src, tmp_path / "out", "--workers", "1"])
    assert f"{src}/odd0.hdf5: " in last


@pytest.fixture
def shards(tmp_path, sessions):
    folder = tmp_path / "shards"
    assert main(["data", "ingest", str(sessions), str(folder), "--workers", "1"]) == 0
    assert main(["data", "splits", str(folder), "--test-users", "1"]) == 0
    return folder


def test_a_folder_of_shards_is_split_as_its_sessions_are(shards, sessions):
    assert (shards / "splits.json").read_bytes() == (sessions / "splits.json").read_bytes()


@pytest.mark.slow
def test_training_and_evaluation_take_shards_and_name_one_that_is_missing(tmp_path, shards, capsys):
    assert main(train_words(shards, tmp_path / "run", "--train.steps=2")) == 0
    assert main(["evaluate", str(tmp_path / "run"), f"--data={shards}"]) == 0
    next((shards / "shards").iterdir()).unlink()
    assert "shard of session" in fails(capsys, train_words(shards, tmp_path / "run2"))
