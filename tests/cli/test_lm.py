"""`semgjax lm`: what it writes and prints, and how it fails."""

import json
import os
import threading

import pytest

from semgjax.cli.main import main
from semgjax.decode.word_counts import words_in
from tests.data.fixtures import typed, write_session


def failed(capsys, words) -> str:
    assert main([*map(str, words), "--json"]) == 2
    return json.loads(capsys.readouterr().out)["error"]["code"]


@pytest.fixture
def counts(tmp_path):
    path = tmp_path / "counts.txt"
    path.write_text("the 500\nthen 20\nit's 9\nother 40\n")
    return path


def test_both_files_of_a_model_score_a_text_alike(tmp_path, counts, capsys):
    text = tmp_path / "text.txt"
    text.write_text("the other\nthe HEN 12 zq")
    totals = []
    for name in ("m.arpa", "m.npz"):
        assert main(["lm", "train", str(counts), "--out", str(tmp_path / name), "--order", "4", "--json"]) == 0
        made = json.loads(capsys.readouterr().out)
        assert (made["form"], made["words"], made["weight"]) == ("counts", 5, 578)
        assert main(["lm", "score", str(tmp_path / name), str(text), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [(row["word"], row["count"]) for row in found["words"]] == [("the", 2), ("other", 1), ("zq", 1)]
        assert found["characters"] == 17 and found["perplexity"] == pytest.approx(10 ** (-found["log10"] / 17))
        totals.append(found["log10"])
    assert totals[0] == pytest.approx(totals[1], abs=1e-6)


def test_words_end_at_keys_outside_of_the_vocabulary_unless_the_space_is_one():
    assert words_in("the Cat", "acdehtn") == ["the", "at"]
    assert words_in("the Cat", "acdehtn", lower=True) == ["the", "cat"]
    assert words_in(" the \t cat, the", "acdehtn ") == ["the cat", "the"]


def test_what_cannot_be_done_is_refused_by_code_and_nothing_is_written(tmp_path, counts, capsys):
    out = tmp_path / "m.arpa"
    train = ["lm", "train", counts, "--out"]
    assert failed(capsys, [*train, tmp_path / "m.txt"]) == "bad-path"
    assert failed(capsys, [*train, out, "--spaces"]) == "conflict"
    assert failed(capsys, [*train, out, "--order", "0"]) == "bad-value"
    assert failed(capsys, [*train, out, "--words", "0"]) == "bad-value"
    assert failed(capsys, ["lm", "train", tmp_path / "none", "--out", out]) == "no-file"
    assert failed(capsys, [*train, out, "--vocabulary", "q"]) == "empty"
    counts.write_text("the 500\nthen 20\nit's\n")
    assert failed(capsys, [*train, out]) == "bad-row"
    counts.write_text("the 0\n")
    assert failed(capsys, [*train, out]) == "bad-value"
    assert not out.exists()
    out.write_text("mine")
    assert failed(capsys, [*train, out]) == "out-exists"


def test_text_that_a_test_session_typed_is_refused(tmp_path, counts, capsys):
    sentence = "a b c d e f g h i"
    for name, text in (("s0", "no"), ("s1", sentence)):
        write_session(tmp_path / f"{name}.hdf5", 17_000, user=name, keystrokes=typed(text))
    for name, train, test in (("a", "s0", "s1"), ("b", "s1", "s0")):
        (tmp_path / f"{name}.json").write_text(json.dumps({"train": [train], "test": [test]}))
        words = ["data", "splits", tmp_path, "--kind", "listed", "--names", tmp_path / f"{name}.json"]
        assert main([*map(str, words), "--out", str(tmp_path / f"split-{name}.json")]) == 0
    capsys.readouterr()
    source = tmp_path / "text.txt"
    source.write_text(f"other words\n{sentence.upper()}, and more\n")
    options = ["--data", tmp_path, "--splits", tmp_path / "split-a.json"]
    words = ["lm", "train", source, "--lower", "--order", "2", "--out", tmp_path / "m.arpa"]
    assert failed(capsys, [*words, *options]) == "conflict"
    assert failed(capsys, ["lm", "train", counts, "--out", tmp_path / "m.arpa", *options]) == "conflict"
    assert failed(capsys, [*words, *options[2:]]) == "bad-option"
    assert not (tmp_path / "m.arpa").exists()
    assert main([*map(str, words), *map(str, options[:3]), str(tmp_path / "split-b.json")]) == 0


def test_a_source_is_read_once_so_that_a_pipe_is_one(tmp_path, counts, capsys):
    pipe, totals = tmp_path / "pipe", []
    os.mkfifo(pipe)
    for source in (counts, pipe):
        writer = threading.Thread(target=lambda: pipe.write_text(counts.read_text()))
        if source is pipe:
            writer.start()
        assert main(["lm", "train", str(source), "--out", str(tmp_path / f"{source.name}.npz"), "--json"]) == 0
        totals.append(json.loads(capsys.readouterr().out) | {"out": ""})
    writer.join(10)
    assert totals[0] == totals[1] and totals[0]["form"] == "counts" and totals[0]["words"] == 5
    assert (tmp_path / "pipe.npz").read_bytes() == (tmp_path / "counts.txt.npz").read_bytes()
