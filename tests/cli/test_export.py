"""`semgjax export`: what it prints, and refusals that write nothing."""

import re

from semgjax.cli.main import main
from semgjax.exporting.export_folder import load_export
from tests.runs import fails, snapshot


def test_it_prints_size_look_ahead_and_place(finished, tmp_path, capsys):
    out = tmp_path / "deep" / "export"
    assert main(["export", str(finished), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    match = re.fullmatch(r"([\d,]+) parameters, look-ahead 0 samples, in (.*)\n", printed.out)
    assert match and match.group(2) == str(out)
    assert int(match.group(1).replace(",", "")) == load_export(out).about["params"]


def test_a_decoder_that_needs_the_whole_input_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("semgjax.api.runs.export_run", lambda *_: {"params": 1234, "look_ahead_samples": None})
    assert main(["export", "run", "--out", "there"]) == 0
    assert capsys.readouterr().out == "1,234 parameters, look-ahead the whole input, in there\n"


def test_a_folder_in_use_is_refused_and_left_as_it_is(finished, exported, capsys):
    before = snapshot(finished), snapshot(exported)
    for out in (exported, finished):
        assert f"{out}: " in fails(capsys, ["export", finished, "--out", out])
    assert (snapshot(finished), snapshot(exported)) == before


def test_what_is_no_finished_run_is_refused_and_nothing_is_written(tmp_path, capsys):
    run = tmp_path / "none"
    line = fails(capsys, ["export", run, "--out", tmp_path / "export"])
    assert f"{run / 'config.json'}: " in line
    assert list(tmp_path.iterdir()) == []


def test_words_that_cannot_work_are_one_line(finished, tmp_path, capsys):
    assert "--out" in fails(capsys, ["export", finished])
    assert "--out" in fails(capsys, ["export", finished, "--uot", tmp_path / "export"])
    assert list(tmp_path.iterdir()) == []
