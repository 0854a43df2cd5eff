"""The loop's sums: what a line of metrics.jsonl says, and when training must stop."""

import re

import pytest

from semgjax.errors import Diverged
from semgjax.model.config import preset
from semgjax.train.config import RunConfig, TrainConfig, recipe
from semgjax.train.log import Log
from semgjax.train.metrics import MetricsFile, read_metrics

BASE = recipe("ladder-16")
SUMS = {"ctc": 30.0, "labels": 10, "rows": 4, "infeasible": 0, "loss": 3.0, "gradient_norm": 2.0}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def make_log(path, log_every, steps=10, max_infeasible=0.05) -> Log:
    train = TrainConfig(steps=steps, log_every=log_every, max_infeasible=max_infeasible)
    config = RunConfig("ladder-16", preset("ladder-16"), "d", optimizer=BASE.optimizer, train=train)
    return Log(config, MetricsFile(path))


def test_a_line_comes_every_interval_and_at_the_last_step(path):
    log = make_log(path, log_every=4)
    due = [step for step in range(1, 11) if log.add(SUMS, step)]
    assert due == [4, 8, 10]
    assert [line["step"] for line in read_metrics(path)] == due


def test_a_line_divides_sums_only_at_the_end(path):
    log = make_log(path, log_every=2)
    log.add({**SUMS, "ctc": 30.0, "labels": 10, "loss": 3.0, "gradient_norm": 1.0, "kl": 0.5}, 1)
    line = log.add({**SUMS, "ctc": 10.0, "labels": 30, "loss": 1.0, "gradient_norm": 2.0, "kl": 1.5}, 2)
    assert line is not None
    assert line["ctc"] == 40.0 / 40  # per label over both steps, not the mean of 3 and 1/3
    assert (line["loss"], line["kl"], line["gradient_norm"]) == (2.0, 1.0, 1.5)
    assert line["learning_rate"] == pytest.approx(BASE.optimizer.learning_rate)  # the rate that step 2 took
    assert line["windows_per_s"] > 0
    assert read_metrics(path) == [line]


def test_without_labels_there_is_no_division_by_zero(path):
    line = make_log(path, log_every=1).add({**SUMS, "ctc": 0.0, "labels": 0, "loss": 0.0}, 1)
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
    rate = f"learning_rate {BASE.optimizer.learning_rate:g}"
    with pytest.raises(Diverged, match=f"^step 2: .*{re.escape(rate)}") as caught:
        log.add(SUMS, 3)
    assert caught.value.exit_code == 70
    assert not path.exists()


def test_too_many_windows_that_cannot_be_aligned_stop_the_run_with_their_share(path):
    log = make_log(path, log_every=2, max_infeasible=0.2)
    log.add({**SUMS, "infeasible": 2}, 1)
    with pytest.raises(Diverged, match=r"steps 1 to 2: 37\.5% of the windows .* \(limit 20\.0%\)"):
        log.add({**SUMS, "infeasible": 1}, 2)
    assert not path.exists()


def test_a_share_at_the_limit_is_logged_and_no_reason_to_stop(path):
    line = make_log(path, log_every=1, max_infeasible=0.25).add({**SUMS, "infeasible": 1}, 1)
    assert line is not None and line["infeasible"] == 0.25
