"""The share of a run's time that steps took, over restarts; with a clock that tests set."""

import types

import pytest

from semgjax.training import clock as clock_module
from semgjax.training.clock import Clock


@pytest.fixture
def now(monkeypatch):
    """Both clocks of the module, set by hand."""
    hand = types.SimpleNamespace(value=1000.0)
    fake = types.SimpleNamespace(time=lambda: hand.value, monotonic=lambda: hand.value)
    monkeypatch.setattr(clock_module, "time", fake)
    return hand


def test_compiling_and_evaluation_are_no_productive_time(now):
    clock = Clock()
    now.value += 30  # compiling
    clock.restart()
    now.value += 10
    with clock.apart():
        now.value += 50
    now.value += 10
    assert clock.lap() == 20
    assert clock.share == pytest.approx(20 / 100)


def test_a_restart_counts_the_pause_and_only_the_work_that_was_saved(now):
    clock = Clock()
    now.value += 40
    clock.lap()
    record = clock.record
    now.value += 20
    clock.lap()  # after the checkpoint: lost
    now.value += 40  # nobody runs
    again = Clock(record)
    now.value += 20
    assert again.lap() == 20
    assert again.share == pytest.approx(60 / 120)
