"""The comparison of laws with their peers: tables, scipy's interval, and a peer that is missing."""

import sys

import numpy as np
import pytest

from benchmarks.laws_against_peers import Answer, markdown, ours, peers, row_of, scipys, settings, tables_of, truth
from tests.refused import refused


def test_tables_are_the_same_each_time_and_lie_about_the_curve():
    for setting in settings():
        first, second = (tables_of(setting, 2) for _ in range(2))
        assert first == second and first[0]["y"] != first[1]["y"]
        assert first[0]["at"] == 10.0 * max(first[0]["N"])
        assert np.median(np.array(first[0]["y"]) / truth(first[0]["N"])) == pytest.approx(1.0, abs=0.1)


def test_both_intervals_hold_the_truth_of_a_sweep_without_noise():
    sizes = np.geomspace(2e4, 2e6, 8)
    wobble = 1.0 + 1e-4 * np.array([1, -1, -1, 1, 1, -1, 1, -1])
    table = {"N": sizes.tolist(), "y": (truth(sizes) * wobble).tolist(), "at": 2e7}
    value = float(truth(2e7))
    for tool in (ours, scipys):
        low, high = tool(table).interval
        assert low < value < high and high / low < 1.05


def test_a_row_counts_covers_of_the_given_intervals_only():
    answers = [Answer((1.0, 3.0), 0.1, False), Answer((3.0, 4.0), 0.3, True), Answer(None, 0.2, True)]
    row = row_of(answers, 2.0)
    assert row == pytest.approx({"cover": 0.5, "width": (2.0 + 1.0 / 3.0) / 2.0, "withheld": 1.0 / 3.0,
                                 "warns": 2.0 / 3.0, "seconds": 0.2})  # fmt: skip
    assert markdown([("a", "b", row)], "note", 3).count("\n| a | b |") == 1


def test_an_interpreter_without_the_peer_is_refused():
    with refused("bad-environment", "simple-scaling-laws"):
        peers(tables_of(settings()[0], 1), sys.executable)
    with refused("bad-environment", "/nowhere/python"):
        peers([], "/nowhere/python")
