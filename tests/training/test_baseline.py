"""The TDS baseline by every command: trained, resumed, evaluated, distilled and exported like any other size."""

import json
import shutil

import pytest

from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.evaluate.stitched import make_forward, session_logits
from semgjax.exporting.export_folder import load_export
from semgjax.exporting.export_run import export_run
from semgjax.files import read_json
from semgjax.model.config import TDSConfig
from semgjax.model.flops import train_flops
from semgjax.model.network import count
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import load_finished
from tests.runs import assert_same_parameters, fails

pytestmark = pytest.mark.slow

SHAPE = TDSConfig(features=24, conv_channels=(6, 6), kernel=5)
LOOP = [
    f"--model.features={SHAPE.features}", "--model.conv-channels", *map(str, SHAPE.conv_channels),
    f"--model.kernel={SHAPE.kernel}", "--train.steps=4", "--train.batch=4", "--train.checkpoint-every=2",
    "--train.evaluate-every=2", "--train.log-every=1", "--optimizer.average=0.9",
]  # fmt: skip
WINDOW = ["--window.length=800", "--window.stride=800", "--window.left=400"]


def words(sessions, out) -> list[str]:
    return ["train", "--preset", "tds", f"--data={sessions}", f"--out={out}", *WINDOW, *LOOP]


@pytest.fixture(scope="module")
def baseline(sessions, tmp_path_factory):
    """A finished run of a small baseline."""
    out = tmp_path_factory.mktemp("baseline") / "run"
    assert main(words(sessions, out)) == 0
    return out


def test_a_run_of_the_baseline_has_its_identity_size_and_cost(baseline):
    config, _ = load_finished(baseline)
    assert config.model == SHAPE
    assert json.loads((baseline / "config.json").read_text())["model"]["network"] == "tds"
    result = read_json(baseline / "result.json", "semgjax/result", 4)
    assert (result["preset"], result["params"]) == ("tds", count(SHAPE))
    assert result["flops"] == 4 * 4 * train_flops(SHAPE, 400 + 800 + 208)
    assert result["tokens"] == 4 * 4 * 50
    lines = [line for line in read_metrics(baseline / "metrics.jsonl") if "loss" in line]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert all(line["gradient_norm"] > 0 and line["update_norm"] > 0 for line in lines[1:])


def test_a_run_of_the_baseline_resumes_bit_for_bit(sessions, baseline, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(baseline, run)
    (run / "result.json").unlink()
    shutil.rmtree(run / "checkpoints" / "4")
    assert main(words(sessions, run)) == 0
    assert_same_parameters(run, baseline)


def test_a_run_and_its_export_read_alike_and_the_export_says_that_it_needs_the_whole_window(
    sessions, baseline, tmp_path, capsys
):
    export_run(baseline, tmp_path / "export")
    about = json.loads((tmp_path / "export" / "model.json").read_text())
    assert (about["look_ahead_samples"], about["look_ahead_seconds"]) == (None, None)
    assert (about["frame_samples"], about["emission_delay_seconds"]) == (16, 0.104)
    assert about["model"]["network"] == "tds" and about["params"] == count(SHAPE)
    config, params = load_finished(baseline)
    loaded = load_export(tmp_path / "export")
    assert (loaded.config, loaded.window) == (config.model, config.window)
    session = load_corpus(sessions).test[0]
    logits = [
        session_logits(make_forward(model, config.window), model, each, session, config.window, 4)
        for model, each in ((config.model, params), (loaded.config, loaded.params))
    ]
    assert logits[0].shape == (-(-session.samples // 16), 99) and logits[0].tobytes() == logits[1].tobytes()

    printed = []
    for model in (baseline, tmp_path / "export"):
        capsys.readouterr()
        assert main(["evaluate", str(model), "--data", str(sessions), "--json"]) == 0
        printed.append(json.loads(capsys.readouterr().out)["scores"])
    result = read_json(baseline / "result.json", "semgjax/result", 4)
    assert printed[0] == printed[1] == [row for row in result["scores"] if row["split"] == "test"]


def test_the_baseline_teaches_a_transformer_of_its_frames_and_no_other(sessions, baseline, tmp_path, capsys):
    student = ["distill", f"--teacher={baseline}", f"--data={sessions}", f"--out={tmp_path / 'run'}"]
    loop = [f"--train.{name}=2" for name in ("steps", "batch", "checkpoint-every", "evaluate-every", "log-every")]
    line = fails(capsys, [*student, "--preset", "tiny", *loop])
    assert all(value in line for value in ("stride", "20", "16")) and not (tmp_path / "run").exists()
    shape = ["--model.conv-strides", "4", "2", "2", "--model.emission-delay=208"]
    assert main([*student, "--preset", "ladder-16", *shape, *loop]) == 0
    result = read_json(tmp_path / "run" / "result.json", "semgjax/result", 4)
    assert (result["kind"], result["preset"]) == ("distilled", "ladder-16")
    assert all(line["kl"] > 0 for line in read_metrics(tmp_path / "run" / "metrics.jsonl") if "loss" in line)
