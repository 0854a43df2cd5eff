"""`semgjax evaluate --stress`: the clean rows are those of `semgjax evaluate`, the files hold the same numbers."""

import json

import pytest

from semgjax.cli.main import main
from semgjax.files import read_json
from tests.runs import fails


def test_stress_gives_the_clean_rows_of_evaluate_and_curves_on_the_terminal_in_json_and_in_files(
    sessions, finished, tmp_path, capsys
):
    words = ["evaluate", str(finished), "--data", str(sessions), "--split", "train"]
    stress = [*words, "--stress", "--stress-kinds", "lost-electrodes", "turn", "--stress-out", str(tmp_path / "out")]
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main([*stress, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    same = ("model", "metric", "spliced", "mode", "decoder", "scores", "users_scores")
    assert {name: found[name] for name in same} == {name: plain[name] for name in same}
    assert found["clean"]["interval"] == plain["intervals"]["train"]["macro"]
    assert found["clean"]["users"] == {row["user"]: row["cer"] for row in plain["users_scores"]}
    assert found["clean"]["error"] == plain["scores"][0]["cer"]
    written = read_json(tmp_path / "out" / "stress.json", "semgjax/stress", 1)
    assert {name: written[name] for name in found} == found
    lost, turned = found["curves"]
    assert [point["level"] for point in lost["points"]] == [1, 2, 4, 8]
    assert [point["level"] for point in turned["points"]] == [-2, -1, -0.5, 0.5, 1, 2]
    for point in (*lost["points"], *turned["points"]):
        own = [point["users"][user] - clean for user, clean in found["clean"]["users"].items()]
        difference = point["difference"]
        assert difference["mean"] == pytest.approx(sum(own) / 2, abs=1e-9)
        assert difference["interval"] == pytest.approx([min(own), max(own)])
        assert (difference["users"], difference["worse"]) == (2, sum(one > 0 for one in own))
    assert (tmp_path / "out" / "stress.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "out" / "stress.html").read_text()
    assert all(f">{point['error']:.1f}<" in page for curve in found["curves"] for point in curve["points"])
    assert "http" not in page.replace("http://www.w3.org", "")
    capsys.readouterr()
    assert main(stress) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines if line.startswith(("lost-electrodes ", "turn "))]
    wanted = [
        (curve["kind"], point["words"], f"{point['error']:.1f}")
        for curve in found["curves"]
        for point in curve["points"]
    ]
    assert [tuple(row[:3]) for row in table] == wanted
    assert read_json(tmp_path / "out" / "stress.json", "semgjax/stress", 1) == written


def test_options_that_exclude_each_other_unknown_kinds_and_a_file_in_the_way_are_refused(
    sessions, finished, tmp_path, capsys
):
    words = ["evaluate", finished, "--data", sessions]
    assert "--stress-kinds" in fails(capsys, [*words, "--stress-kinds", "noise"])
    assert "--stress-out" in fails(capsys, [*words, "--stress-out", tmp_path / "out"])
    assert "--turns" in fails(capsys, [*words, "--stress", "--turns", "1"])
    assert "--tune" in fails(capsys, [*words, "--stress", "--decoder", "beam", "--tune"])
    assert "none.arpa" in fails(capsys, [*words, "--stress", "--decoder", "beam", "--lm", tmp_path / "none.arpa"])
    assert "none.arpa" in fails(capsys, [*words, "--stress", "--lm", tmp_path / "none.arpa"])
    assert "--mode" in fails(capsys, [*words, "--stress", "--mode", "windowed"])
    assert "--split" in fails(capsys, [*words, "--stress", "--split", "val", "test"])
    assert "nose" in fails(capsys, [*words, "--stress", "--stress-kinds", "nose"])
    (tmp_path / "file").write_text("")
    assert "file" in fails(capsys, [*words, "--stress", "--stress-kinds", "turn", "--stress-out", tmp_path / "file"])
    assert not (tmp_path / "out").exists()
