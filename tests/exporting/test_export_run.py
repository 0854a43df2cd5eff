"""From a run to an export that stands on its own: a fresh process gives the same logits and the same error rates."""

import json
import shutil

import numpy as np
import pytest

from semgjax.config_json import to_json
from semgjax.data.corpus import load_corpus
from semgjax.data.trained_on import names_from_json
from semgjax.evaluate.stitched import make_forward, session_logits
from semgjax.exporting.export_folder import load_export, params_hash
from semgjax.exporting.export_run import export_run
from semgjax.exporting.import_tensors import import_export, import_file
from semgjax.files import read_json
from semgjax.training.run_folder import load_finished, read_config, read_result
from tests.refused import refused
from tests.runs import STEPS, snapshot, start_python

FRESH = """
import sys
from pathlib import Path
import numpy as np
from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.evaluate.stitched import make_forward, session_logits
from semgjax.exporting.export_folder import load_export

export, sessions, out = map(Path, sys.argv[1:])
loaded = load_export(export)
assert not [name for name in sys.modules if name.startswith("semgjax.training")]
forward = make_forward(loaded.config, loaded.window)
session = load_corpus(sessions).test[0]
np.save(out, session_logits(forward, loaded.config, loaded.params, session, loaded.window, 16))
raise SystemExit(main(["evaluate", str(export), "--data", str(sessions), "--json"]))
"""


def test_a_fresh_process_without_the_run_gives_the_same_logits_and_error_rates(sessions, finished, tmp_path):
    run, export, elsewhere = tmp_path / "run", tmp_path / "export", tmp_path / "elsewhere"
    shutil.copytree(finished, run)
    elsewhere.mkdir()
    config, params = load_finished(run)
    session = load_corpus(sessions).test[0]
    forward = make_forward(config.model, config.window)
    expected = session_logits(forward, config.model, params, session, config.window, 16)
    export_run(run, export)
    run.rename(tmp_path / "away")

    process = start_python(["-c", FRESH, str(export), str(sessions), str(tmp_path / "logits.npy")], elsewhere)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    found = np.load(tmp_path / "logits.npy")
    assert found.dtype == expected.dtype and found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()
    result = read_json(finished / "result.json", "semgjax/result", 4)
    assert json.loads(out)["scores"] == [row for row in result["scores"] if row["split"] == "test"]
    assert list(elsewhere.iterdir()) == []


def test_an_export_tells_where_it_comes_from(student, tmp_path):
    body = export_run(student, tmp_path / "export")
    result = read_json(student / "result.json", "semgjax/result", 4)
    named = "preset kind config data teacher seed steps users hours metric spliced scores"
    source = {name: result[name] for name in named.split()}
    lineage = {
        "loss": {"loss": "ctc"},
        "distill": to_json(read_config(student).distill),
        "teachers": result["teachers"],
    }
    met = names_from_json(result["trained_on"], "result.json")
    assert body["source"] == source | lineage | {"trained_on": met.hidden().as_json(), "simulated": True}
    assert all(name not in (tmp_path / "export" / "model.json").read_text() for name in met.sessions)
    loaded = load_export(tmp_path / "export")
    assert loaded.about["source"]["teacher"] == result["teacher"]
    assert params_hash(loaded.params) == params_hash(load_finished(student)[1])


def test_an_export_names_its_teacher_with_its_scores_and_the_settings_of_the_loss(finished, student, tmp_path):
    source, teacher = export_run(student, tmp_path / "export")["source"], read_result(finished)
    (named,) = source["teachers"]
    assert (named["config"], named["scores"]) == (teacher["config"], teacher["scores"])
    assert source["distill"]["teacher"] == teacher["config"] and source["distill"]["weight"] == 0.9
    assert "teachers" not in export_run(finished, tmp_path / "supervised")["source"]


def test_a_distilled_run_of_an_earlier_version_names_its_teacher_by_its_hash(student, tmp_path):
    run = shutil.copytree(student, tmp_path / "run")
    body = json.loads((run / "result.json").read_text())
    del body["teachers"], body["trained_on"]
    (run / "result.json").write_text(json.dumps(body | {"version": 3}))
    source = export_run(run, tmp_path / "export")["source"]
    assert source["teachers"] == [{"config": body["teacher"]}] and "trained_on" not in source


def test_exporting_leaves_the_run_as_it_was(finished, tmp_path):
    before = snapshot(finished)
    export_run(finished, tmp_path / "export")
    assert snapshot(finished) == before


@pytest.mark.parametrize("gone", ["result.json", f"checkpoints/{STEPS}", "checkpoints"])
def test_an_unfinished_run_is_refused_and_nothing_is_written(finished, tmp_path, gone):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    path = run / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with refused("not-finished"):
        export_run(run, tmp_path / "export")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_export_is_exported_in_another_format_with_what_it_says_of_itself(exported, sessions, finished, tmp_path):
    direct = export_run(finished, tmp_path / "direct", kind="safetensors")
    body = export_run(exported, tmp_path / "again", kind="safetensors", corpus=load_corpus(sessions), licence="CC0-1.0")
    assert body["source"] == direct["source"] | {"licence": "CC0-1.0"} and "test part" in body["parity"]["on"]
    assert params_hash(load_export(tmp_path / "again").params) == params_hash(load_finished(finished)[1])
    for name in ("model", "window", "band", "costs", "state", "params_sha256"):
        assert body[name] == direct[name]


def test_an_export_of_unknown_sessions_is_exported_but_not_verified(exported, sessions, tmp_path):
    import_export(exported, tmp_path / "known")
    tensors = tmp_path / "x.safetensors"
    export_run(exported, tmp_path / "e", kind="safetensors")
    shutil.copy(tmp_path / "e" / "params.safetensors", tensors)
    loaded = load_export(exported)
    import_file(tensors, loaded.config, loaded.window, loaded.band, {"preset": "ladder-16"}, tmp_path / "unknown")
    assert export_run(tmp_path / "unknown", tmp_path / "out")["source"]["kind"] == "imported"
    with refused("conflict", tmp_path / "unknown"):
        export_run(tmp_path / "unknown", tmp_path / "other", corpus=load_corpus(sessions))
    assert export_run(tmp_path / "known", tmp_path / "third")["source"] == loaded.source
