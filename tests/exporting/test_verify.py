"""Whether an export's scores are those of its bytes."""

import json
import shutil

import pytest

from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.errors import InputError
from semgjax.exporting.export_run import export_run
from semgjax.exporting.verify import verify_export
from semgjax.files import content_hash
from tests.runs import fails, start_python

MODEL = "model.json"


def edit_scores(path, points):
    """Change the recorded scores, and sign the document again as one who knows how."""
    body = json.loads(path.read_text())
    scores = body["source"]["scores"] if "source" in body else body["scores"]
    for row in scores:
        row["cer"] += points
    if "body_sha256" in body:
        del body["body_sha256"]
        facts = {name: value for name, value in body.items() if name not in ("schema", "version")}
        body["body_sha256"] = content_hash(facts)
    path.write_text(json.dumps(body))


def test_an_exports_scores_are_those_of_its_run(sessions, exported):
    rows = verify_export(exported, load_corpus(sessions))
    assert {(row.split, row.averaging) for row in rows} == {
        (split, averaging) for split in ("val", "test") for averaging in ("macro", "pooled")
    }
    assert all(row.recorded == row.measured for row in rows)


@pytest.mark.parametrize(("points", "refused"), [(0.05, False), (-0.05, False), (0.2, True), (-40.0, True)])
def test_scores_that_are_not_those_of_the_bytes_are_refused(sessions, exported, tmp_path, points, refused):
    shutil.copytree(exported, tmp_path / "e")
    edit_scores(tmp_path / "e" / MODEL, points)
    if not refused:
        verify_export(tmp_path / "e", load_corpus(sessions))
        return
    with pytest.raises(InputError) as caught:
        verify_export(tmp_path / "e", load_corpus(sessions))
    assert caught.value.code == "scores-differ"


def test_other_sessions_are_refused(exported, tmp_path):
    from semgjax.data.simulate import simulate

    simulate(tmp_path / "s", users=3, sessions=2, minutes=0.2, seed=1, severity="clean")
    assert main(["data", "splits", str(tmp_path / "s"), "--test-users", "1"]) == 0
    with pytest.raises(InputError) as caught:
        verify_export(exported, load_corpus(tmp_path / "s"))
    assert caught.value.code == "conflict"


def test_an_export_of_a_run_with_other_scores_leaves_nothing(sessions, finished, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "run")
    edit_scores(tmp_path / "run" / "result.json", 1.0)
    words = ["export", str(tmp_path / "run"), "--out", str(tmp_path / "e"), "--verify", str(sessions)]
    fails(capsys, words)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_command_verifies_what_it_wrote_and_what_stands(sessions, finished, tmp_path, capsys):
    out = tmp_path / "e"
    assert main(["export", str(finished), "--out", str(out), "--verify", str(sessions)]) == 0
    assert main(["export", str(out), "--verify", str(sessions)]) == 0
    assert capsys.readouterr().out.count("verified: ") == 8
    fails(capsys, ["export", str(out)])
    fails(capsys, ["export", str(finished), "--out", str(tmp_path / "f"), "--splits", "x.json"])


def test_a_killed_export_is_written_over_and_one_at_work_is_not(finished, tmp_path):
    killed = """
import os, signal, sys
from pathlib import Path
from semgjax.exporting.export_run import export_run
export_run(Path(sys.argv[1]), Path(sys.argv[2]), lambda folder: os.kill(os.getpid(), signal.SIGKILL))
"""
    out = tmp_path / "e"
    process = start_python(["-c", killed, str(finished), str(out)])
    process.communicate(timeout=120)
    assert [path.name for path in tmp_path.iterdir()] == [".e.part"]

    def nested(_):
        with pytest.raises(InputError) as caught:
            export_run(finished, out)
        assert caught.value.code == "in-use"

    export_run(finished, out, nested)
    assert [path.name for path in tmp_path.iterdir()] == ["e"]
