"""Runs chosen by what they do to an interval."""

import json

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.decide.candidates import candidate_grid
from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.decide.goals import goal_of
from semgjax.scaling.decide.suggest import Budget, as_json, lines, suggest
from semgjax.scaling.fit import fit_law
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.table import table_of
from tests.scaling.decide.made import size_fit

# Runs of equal price: only what they tell counts.
FLAT = Budget(read_cost("1*N"), 1e30, overhead=1.0)


def test_a_prediction_beyond_the_sweep_is_best_helped_by_the_largest_run():
    fit = size_fit()
    grid = candidate_grid(fit, {"N": [1e4, 1e5, 1e6, 1e7]})
    found = suggest(fit, goal_of(fit, "prediction", {"N": 2e7}, None), grid, FLAT, runs=2)
    assert [step.x["N"] for step in found.steps] == [1e7, 1e7]
    assert found.now > found.steps[0].half_width > found.steps[1].half_width
    assert found.hours == pytest.approx(2.0)


def test_the_half_width_of_today_is_that_of_the_interval():
    fit = size_fit()
    low, high = prediction_interval(fit, 2e7)
    grid = candidate_grid(fit, {})
    found = suggest(fit, goal_of(fit, "prediction", {"N": 2e7}, None), grid, FLAT, runs=1)
    assert found.now == pytest.approx(0.5 * np.log(high / low), rel=0.35)


def test_dear_runs_give_way_to_cheap_ones_when_hours_count():
    fit = size_fit()
    grid = candidate_grid(fit, {"N": [2e6, 1e7]})
    goal = goal_of(fit, "prediction", {"N": 2e7}, None)
    dear = suggest(fit, goal, grid, Budget(read_cost("1*N^4"), 1e24, overhead=0.0), runs=1)
    assert dear.steps[0].x["N"] == 2e6
    limited = suggest(fit, goal, grid, Budget(read_cost("1*N"), 1e7, 0.0, hours=1.1), runs=3)
    assert limited.hours <= 1.1


def test_the_floor_and_an_inverse_can_be_goals_too():
    fit = size_fit()
    grid = candidate_grid(fit, {"N": [1e4, 1e6, 1e8]})
    floor = suggest(fit, goal_of(fit, "E", {}, None), grid, FLAT, runs=1)
    assert floor.steps[0].x["N"] == 1e8
    inverse = suggest(fit, goal_of(fit, "N", {}, 11.0), grid, FLAT, runs=1)
    assert inverse.steps[0].half_width < inverse.now
    json.dumps(as_json(inverse), allow_nan=False)
    assert "device-hours" in lines(inverse)[-1]


@pytest.mark.parametrize(("shrink", "target"), [("prediction", None), ("N", None), ("N", 5.0), ("B", None)])
def test_a_goal_without_what_it_needs_is_refused(shrink, target):
    with pytest.raises(InputError):
        goal_of(size_fit(), shrink, {}, target)


def test_a_fit_without_interval_and_too_few_hours_are_refused():
    fit = fit_law(table_of([1e4, 1e5, 1e6], [40.0, 20.0, 12.0]))
    with pytest.raises(InputError, match="design"):
        suggest(fit, goal_of(fit, "E", {}, None), candidate_grid(fit, {}), FLAT)
    fit = size_fit()
    with pytest.raises(InputError, match="cheapest"):
        suggest(fit, goal_of(fit, "E", {}, None), candidate_grid(fit, {}), Budget(read_cost("1*N"), 1.0, 0.0, 1.0))
