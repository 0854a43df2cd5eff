"""The loop's sums: what a line of metrics.jsonl says, and when training must stop."""

import pytest

from semgjax.errors import Diverged
from semgjax.model.flops import train_flops
from semgjax.model.presets import preset
from semgjax.training.log import Log
from semgjax.training.metrics import MetricsFile, read_metrics
from semgjax.training.run_config import RunConfig, TrainConfig, recipe
from tests.refused import refused

BASE = recipe("ladder-16")
SUMS = {"ctc": 30.0, "labels": 10, "rows": 4, "infeasible": 0, "loss": 3.0, "gradient_norm": 2.0}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def make_log(path, log_every, steps=10, max_infeasible=0.05, before=()) -> Log:
    train = TrainConfig(steps=steps, log_every=log_every, max_infeasible=max_infeasible)
    config = RunConfig("ladder-16", preset("ladder-16"), "d", optimizer=BASE.optimizer, train=train)
    return Log(config, MetricsFile(path), before=before)


def test_a_line_comes_one_step_after_its_interval_and_the_rest_with_a_flush(path):
    log = make_log(path, log_every=4)
    due = [step for step in range(1, 11) if log.add(SUMS, step)]
    assert due == [5, 9]  # when the device has the next step to work on already
    log.flush(10)
    assert [line["step"] for line in read_metrics(path)] == [4, 8, 10]


def test_a_line_divides_sums_only_at_the_end(path):
    log = make_log(path, log_every=2)
    log.add({**SUMS, "ctc": 30.0, "labels": 10, "loss": 3.0, "gradient_norm": 1.0, "kl": 0.5}, 1)
    log.add({**SUMS, "ctc": 10.0, "labels": 30, "loss": 1.0, "gradient_norm": 2.0, "kl": 1.5}, 2)
    line = log.flush(2)
    assert line is not None
    assert line["ctc"] == 40.0 / 40  # per label over both steps, not the mean of 3 and 1/3
    assert (line["loss"], line["kl"], line["gradient_norm"]) == (2.0, 1.0, 1.5)
    assert line["learning_rate"] == pytest.approx(BASE.optimizer.learning_rate)  # the rate that step 2 took
    assert line["windows_per_s"] > 0
    assert read_metrics(path) == [line]


def test_speed_is_told_in_windows_signal_and_operations(path):
    log = make_log(path, log_every=1)
    log.add(SUMS, 1)
    line = log.flush(1)
    assert line is not None
    rows = TrainConfig().batch
    seconds = rows / line["windows_per_s"]
    assert line["signal_hours_per_s"] * seconds == pytest.approx(rows * 4 / 3600)  # windows of 4 s
    config = RunConfig("ladder-16", preset("ladder-16"), "d")
    assert line["model_flops_per_s"] * seconds == pytest.approx(rows * train_flops(config.model, config.window.total))
    assert 0 < line["productive_share"] <= 1 and line["host_bytes"] > 1e6
    assert "utilisation" not in line  # nobody states what a CPU can do at most


def test_a_loss_above_twice_the_median_of_the_lines_before_is_a_spike_also_after_a_resume(path):
    log = make_log(path, log_every=2)
    for step, loss in enumerate((3.0, 3.0, 3.0, 7.0), start=1):
        log.add({**SUMS, "loss": loss}, step)
    assert log.flush(4)["spikes"] == 1
    assert [line["spikes"] for line in read_metrics(path)] == [0, 1]
    resumed = make_log(path, log_every=2, before=read_metrics(path)[:1])
    for step, loss in enumerate((3.0, 7.0), start=3):
        resumed.add({**SUMS, "loss": loss}, step)
    assert resumed.flush(4)["spikes"] == 1


def test_without_labels_there_is_no_division_by_zero(path):
    log = make_log(path, log_every=1)
    log.add({**SUMS, "ctc": 0.0, "labels": 0, "loss": 0.0}, 1)
    line = log.flush(1)
    assert line is not None and line["ctc"] == 0.0 and "kl" not in line


def test_a_flush_writes_what_is_pending_once(path):
    log = make_log(path, log_every=5)
    log.add(SUMS, 1)
    assert log.flush(1) is not None
    assert log.flush(1) is None
    assert [line["step"] for line in read_metrics(path)] == [1]


@pytest.mark.parametrize("member", ["loss", "gradient_norm"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_stops_the_run_and_names_its_step(path, member, value):
    log = make_log(path, log_every=3)
    log.add(SUMS, 1)
    log.add({**SUMS, member: value}, 2)
    log.add(SUMS, 3)
    rate = f"learning_rate {BASE.optimizer.learning_rate:g}"
    with refused("diverged", "step 2: ", rate, kind=Diverged) as caught:
        log.add(SUMS, 4)
    assert caught.value.exit_code == 70
    assert not path.exists()


def test_too_many_windows_that_cannot_be_aligned_stop_the_run_with_their_share(path):
    log = make_log(path, log_every=2, max_infeasible=0.2)
    log.add({**SUMS, "infeasible": 2}, 1)
    log.add({**SUMS, "infeasible": 1}, 2)
    with refused("diverged", "1 to 2", "37.5%", "20.0%", kind=Diverged):
        log.flush(2)
    assert not path.exists()


def test_a_share_at_the_limit_is_logged_and_no_reason_to_stop(path):
    log = make_log(path, log_every=1, max_infeasible=0.25)
    log.add({**SUMS, "infeasible": 1}, 1)
    line = log.flush(1)
    assert line is not None and line["infeasible"] == 0.25
