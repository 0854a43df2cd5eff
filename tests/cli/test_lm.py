"""`semgjax lm`: what it writes and prints, and how it fails."""

import json

import pytest

from semgjax.cli.main import main
from semgjax.decode.word_counts import words_in


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
