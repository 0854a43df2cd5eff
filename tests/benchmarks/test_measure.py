"""How benchmarks report."""

import pytest

from benchmarks.measure import Comparison, alternate, medians


def test_the_ratio_is_ours_over_the_peers():
    row = Comparison(ours=2.0, peer=8.0, unit="s", note="three rounds")
    assert row.as_json() == {"ours": 2.0, "peer": 8.0, "ratio": 0.25, "unit": "s", "note": "three rounds"}


def test_calls_take_turns_so_that_other_work_falls_on_all_alike():
    order = []
    seconds = alternate([lambda: order.append("ours"), lambda: order.append("peer")], rounds=3)
    assert order == ["ours", "peer"] * 3
    assert [len(row) for row in seconds] == [3, 3]


def test_the_middle_one_of_the_times_counts(monkeypatch):
    clock = iter([0.0, 1.0, 1.0, 6.0, 6.0, 8.0])
    monkeypatch.setattr("benchmarks.measure.time.perf_counter", lambda: next(clock))
    assert medians([lambda: None], rounds=3) == [pytest.approx(2.0)]
