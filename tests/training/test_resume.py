"""Runs that are killed or asked to stop, as real processes: the same command ends as if nothing had happened."""

import signal

import pytest

from semgjax.cli.main import main
from semgjax.training.checkpoint import newest_step
from tests.runs import STEPS, assert_same_run, start, stop_in_the_middle, train_words

pytestmark = pytest.mark.slow


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


def test_the_same_on_two_cores_that_are_devices_of_their_own(sessions, tmp_path):
    words, environment = train_words(sessions, tmp_path / "run"), {"NPROC": "2", "JAX_NUM_CPU_DEVICES": "-1"}
    code, _, _ = stop_in_the_middle(words, tmp_path / "run", signal.SIGKILL, **environment)
    assert code == -signal.SIGKILL
    for folder in ("run", "undisturbed"):
        process = start(train_words(sessions, tmp_path / folder), **environment)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    assert_same_run(tmp_path / "run", tmp_path / "undisturbed")


def test_a_run_that_is_asked_to_stop_saves_says_so_in_one_line_and_goes_on(sessions, finished, tmp_path):
    run = tmp_path / "run"
    words = train_words(sessions, run)
    code, out, err = stop_in_the_middle(words, run, signal.SIGTERM)
    errors = [line for line in err.splitlines() if line.startswith("semgjax: error: ")]
    assert (code, out) == (75, "")
    assert len(errors) == 1 and err.endswith(errors[0] + "\n") and "Traceback" not in err
    step = newest_step(run / "checkpoints")
    assert step is not None and 2 <= step < STEPS and f" step {step} " in errors[0]
    assert not (run / "result.json").exists()
    assert main(words) == 0
    assert_same_run(run, finished)
