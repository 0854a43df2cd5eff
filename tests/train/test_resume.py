"""Runs that are killed or asked to stop, as real processes: the same command ends as if nothing had happened."""

import json
import signal
import time

import pytest

from semgjax.cli.main import main
from semgjax.train.checkpoint import newest_step
from semgjax.train.log import SPEED
from semgjax.train.metrics import read_metrics
from tests.runs import STEPS, assert_same_parameters, start, train_words

pytestmark = pytest.mark.slow


def stop_in_the_middle(words, run, sign) -> tuple[int, str, str]:
    """Start a run, send it a signal as soon as it has a checkpoint, and wait: (exit code, stdout, stderr)."""
    process = start(words)
    try:
        deadline = time.monotonic() + 300
        while newest_step(run / "checkpoints") is None:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "no checkpoint within 300 s"
            time.sleep(0.005)
        process.send_signal(sign)
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, err


def assert_same_run(run, other) -> None:
    """Parameters bit for bit; result and metrics but for the clock."""
    assert_same_parameters(run, other)
    results = [json.loads((folder / "result.json").read_text()) for folder in (run, other)]
    assert {**results[0], "seconds": 0} == {**results[1], "seconds": 0}
    lines = [read_metrics(folder / "metrics.jsonl") for folder in (run, other)]
    for one, two in zip(*lines, strict=True):
        assert one.keys() == two.keys()
        assert all(one[name] == two[name] for name in one.keys() - set(SPEED))


def test_a_killed_run_goes_on_and_ends_bit_for_bit_like_one_that_was_never_stopped(sessions, finished, tmp_path):
    run = tmp_path / "run"
    words = train_words(sessions, run)
    code, _, _ = stop_in_the_middle(words, run, signal.SIGKILL)
    assert code == -signal.SIGKILL
    step = newest_step(run / "checkpoints")
    assert step is not None and 2 <= step < STEPS and not (run / "result.json").exists()
    # What a kill may leave besides: a line cut short.
    with open(run / "metrics.jsonl", "a") as file:
        file.write('{"step": 7, "lo')
    process = start(words)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert str(run / "result.json") in out
    assert_same_run(run, finished)


def test_a_run_that_is_asked_to_stop_saves_says_so_in_one_line_and_goes_on(sessions, finished, tmp_path):
    run = tmp_path / "run"
    words = train_words(sessions, run)
    code, out, err = stop_in_the_middle(words, run, signal.SIGTERM)
    errors = [line for line in err.splitlines() if line.startswith("semgjax: error: ")]
    assert (code, out) == (75, "")
    assert len(errors) == 1 and err.endswith(errors[0] + "\n") and "Traceback" not in err
    step = newest_step(run / "checkpoints")
    assert step is not None and 2 <= step < STEPS and f"asked to stop at step {step}; saved" in errors[0]
    assert not (run / "result.json").exists()
    assert main(words) == 0
    assert_same_run(run, finished)
