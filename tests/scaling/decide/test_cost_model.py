"""Costs of runs: read from text, solved for an input, fitted to measurements."""

import numpy as np
import pytest

from semgjax.scaling.decide.cost_model import measured_cost, read_cost
from tests.refused import refused


def test_a_cost_is_read_and_evaluated():
    assert read_cost("6*N*D").at({"N": 2.0, "D": 5.0}) == 60.0
    assert read_cost("300*U + 40*U*H").at({"U": [1.0, 2.0], "H": 0.5}).tolist() == [320.0, 640.0]
    assert read_cost("2*N^1.5*D^-1").at({"N": 4.0, "D": 2.0}) == pytest.approx(8.0)


def test_a_cost_is_solved_for_one_input():
    cost = read_cost("300*U + 40*U*H")
    assert cost.solve("H", 1000.0, {"U": 2.0}) == pytest.approx(5.0)
    assert cost.solve("U", 640.0, {"H": 0.5}) == pytest.approx(2.0)
    assert np.isnan(cost.solve("H", 100.0, {"U": 2.0})).all()


@pytest.mark.parametrize("text", ["", "6*N*", "N**2", "6N", "-1*N", "N/D", "__import__('os')"])
def test_what_is_no_cost_is_refused(text):
    with refused("bad-value", repr(text)):
        read_cost(text)


def test_measured_costs_give_their_powers():
    random = np.random.default_rng(0)
    x = {"N": np.exp(random.uniform(9, 14, 12)), "D": np.exp(random.uniform(0, 3, 12))}
    cost = measured_cost(x, 7.0 * x["N"] ** 0.9 * x["D"])
    assert cost.terms[0][0] == pytest.approx(7.0)
    assert cost.terms[0][1] == pytest.approx({"N": 0.9, "D": 1.0})
    assert cost.misfit < 1e-9


def test_inputs_that_vary_together_have_no_measured_cost():
    x = {"N": np.array([1e4, 1e5, 1e6]), "D": np.array([1.0, 10.0, 100.0])}
    with refused("too-few-levels", "N, D"):
        measured_cost(x, x["N"] * x["D"])
