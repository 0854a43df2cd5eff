"""Two real processes train one run, are killed, and go on as one and as two; and how they stop together."""

import shutil
import signal
import socket
import time

import numpy as np
import pytest

from semgjax.training.checkpoint import newest_step
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import read_result
from tests.runs import STEPS, start, train_words

pytestmark = pytest.mark.slow


def begin(words, count=2, **more):
    """The command as `count` processes of one run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    shared = {"SEMGJAX_PROCESSES": str(count), "SEMGJAX_COORDINATOR": address, "NPROC": "1", **more}
    return [start(words, **shared, SEMGJAX_PROCESS=str(index)) for index in range(count)]


def end(processes) -> list[tuple[int, str]]:
    """Exit code and stderr of each."""
    try:
        return [(process.returncode, err) for process in processes for _, err in [process.communicate(timeout=900)]]
    finally:
        for process in processes:
            process.kill()


def wait_for_checkpoint(run, processes):
    deadline = time.monotonic() + 600
    while newest_step(run / "checkpoints") is None:
        assert all(process.poll() is None for process in processes), end(processes)
        assert time.monotonic() < deadline, "no checkpoint within 600 s"
        time.sleep(0.01)


def losses(run) -> list[float]:
    return [line["loss"] for line in read_metrics(run / "metrics.jsonl") if "split" not in line]


def test_two_processes_are_killed_and_go_on_as_one_and_as_two_with_the_losses_of_one(sessions, finished, tmp_path):
    run = tmp_path / "run"
    words = train_words(sessions, run)
    processes = begin([*words, "--engine.fsdp=2"])
    wait_for_checkpoint(run, processes)
    for process in processes:
        process.send_signal(signal.SIGKILL)
    end(processes)
    step = newest_step(run / "checkpoints")
    assert step is not None and step < STEPS and read_result(run) is None
    alone = tmp_path / "alone"
    shutil.copytree(run, alone)
    (one,) = end([start(train_words(sessions, alone), NPROC="1")])
    two = end(begin(words))
    assert [code for code, _ in (one, *two)] == [0, 0, 0], (one, two)
    assert "waiting up to 300 s for 2 processes (SEMGJAX_PROCESSES), this is number 1, at 127.0.0.1:" in two[1][1]
    for folder in (alone, run):
        np.testing.assert_allclose(losses(folder), losses(finished), rtol=1e-4)
        np.testing.assert_allclose(losses(folder)[:step], losses(alone)[:step], rtol=0)
        result, expected = read_result(folder), read_result(finished)
        assert result is not None and expected is not None
        characters = [row["characters"] for row in result["users_scores"]]
        assert characters == [row["characters"] for row in expected["users_scores"]]


def test_a_signal_to_one_of_two_processes_stops_both_after_the_same_step(sessions, tmp_path):
    run = tmp_path / "run"
    words = train_words(sessions, run, "--train.steps=400", "--train.evaluate-every=1000")
    processes = begin(words)
    wait_for_checkpoint(run, processes)
    processes[1].send_signal(signal.SIGTERM)
    (first, one), (second, other) = end(processes)
    assert (first, second) == (75, 75), (one, other)
    step = newest_step(run / "checkpoints")
    assert f" step {step} " in one.splitlines()[-1] and f" step {step} " in other.splitlines()[-1]


def test_a_folder_of_another_run_is_refused_by_both_with_the_same_line(sessions, finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    ends = end(begin(train_words(sessions, run, "--train.seed=1")))
    assert [code for code, _ in ends] == [2, 2]
    assert all("train.seed 0, now 1" in err for _, err in ends)
