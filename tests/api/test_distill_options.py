"""Options of distillation by function and command: a run with all of them, and refusals before anything exists."""

import pytest

import semgjax
from semgjax.model import network
from semgjax.training.distill_config import DistillOptions
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import load_finished, read_config
from tests.refused import refused
from tests.runs import MODEL, distill_words, fails

SHORT = {"steps": 2, "batch": 4, "log_every": 1}
EVERY = {
    "frames": "blank", "divergence": "reverse", "delay": 1, "guide": 0.1, "hard": 0.2, "intermediate": [1],
    "features": 0.5, "schedule": "cosine",
}  # fmt: skip


@pytest.mark.slow
def test_a_run_with_every_term_logs_them_and_leaves_a_plain_student(sessions, finished, tmp_path):
    run = semgjax.distill(finished, "ladder-16", sessions, tmp_path / "run", temperature=2, options=EVERY, train=SHORT)
    config, params = load_finished(tmp_path / "run")
    assert config.distill == DistillOptions(temperature=2, **EVERY | {"intermediate": (1,)}).config(
        read_config(finished).hash, feature_width=MODEL.dim
    )
    assert set(params) == set(load_finished(finished)[1])
    assert run.result["params"] == network.count(config.model)
    for line in read_metrics(tmp_path / "run" / "metrics.jsonl"):
        if "loss" in line:
            assert {"kl", "hard", "guide", "features", "intermediate"} <= set(line)
    semgjax.export(run, tmp_path / "export", data=sessions)
    again = semgjax.distill(
        finished, "ladder-16", sessions, tmp_path / "run", temperature=2, options=EVERY, train=SHORT
    )
    assert again.result == run.result


@pytest.mark.parametrize(
    ("given", "code", "named"),
    [
        ({"options": {"frame": "all"}}, "unknown-name", "'frame'"),
        ({"options": {"delay": 1.5}}, "bad-field", "delay"),
        ({"options": {"delay": -1}}, "bad-value", "distill.delay -1"),
        ({"options": 3}, "bad-value", "3"),
        ({"options": {"temperature": 0}}, "bad-value", "distill.temperature 0"),
        ({"options": {"temperature": 2.0}, "temperature": 0.0}, "bad-value", "distill.temperature 0"),
        ({"options": {"intermediate": [MODEL.layers]}}, "bad-value", f"distill.intermediate {MODEL.layers}"),
    ],
)
def test_options_that_cannot_work_are_refused_and_nothing_is_written(sessions, finished, tmp_path, given, code, named):
    with refused(code, named):
        semgjax.distill(finished, "ladder-16", sessions, tmp_path / "run", train=SHORT, **given)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--divergence", "backward"], "--divergence"),
        (["--delay", "-1"], "distill.delay -1"),
        (["--intermediate", "9"], "distill.intermediate 9"),
        (["--intermediate", "1", "1"], "distill.intermediate (1, 1)"),
        (["--hard", "2"], "distill.hard 2"),
    ],
)
def test_words_that_cannot_work_are_one_line_and_nothing_is_written(sessions, finished, tmp_path, capsys, words, says):
    assert says in fails(capsys, [*distill_words(finished, sessions, tmp_path / "run"), *words])
    assert list(tmp_path.iterdir()) == []
