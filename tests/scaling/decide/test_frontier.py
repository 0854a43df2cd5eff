"""The best mix for a budget, against the closed form."""

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.decide.frontier import frontier
from tests.scaling.decide.made import joint_evidence, joint_fit, size_fit


def test_the_optimum_of_a_sum_of_powers_is_that_of_the_closed_form():
    fit = joint_fit()
    (row,) = frontier(fit, read_cost("6*N*D"), [6e6], evidence=joint_evidence())
    p = fit.parameters
    # Hoffmann et al. 2022, eq. 4.
    g = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1.0 / (p["alpha"] + p["beta"]))
    best = g * (6e6 / 6.0) ** (p["beta"] / (p["alpha"] + p["beta"]))
    assert row.first.value == pytest.approx(best, rel=1e-6)
    assert row.second.value == pytest.approx(1e6 / best, rel=1e-6)
    low, high = row.first.interval
    assert low < row.first.value < high
    assert row.first.choice is not None and row.first.extrapolation is not None


def test_more_budget_gives_less_error():
    rows = frontier(joint_fit(), read_cost("6*N*D"), [6e5, 6e6, 6e7], evidence=joint_evidence())
    assert (np.diff([r.error.value for r in rows]) < 0).all()


@pytest.mark.parametrize(("cost", "budget"), [("6*N", 1e6), ("6*N*D", -1.0), ("6*N*D", 1e-300)])
def test_a_free_input_and_a_budget_that_buys_nothing_are_refused(cost, budget):
    with pytest.raises(InputError):
        frontier(joint_fit(), read_cost(cost), [budget], evidence=joint_evidence())


def test_one_input_has_no_mix():
    with pytest.raises(InputError, match="one input only"):
        frontier(size_fit(), read_cost("6*N"), [1e6])
