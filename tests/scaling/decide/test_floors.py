"""How answers move with a floor that is fixed from outside."""

import json

import numpy as np
import pytest

from semgjax.scaling.decide.floors import as_json, floor_sensitivity, lines
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import LAWS
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import parameter_intervals
from semgjax.scaling.table import table_of
from tests.refused import refused
from tests.scaling.decide.made import joint_fit, size_fit


def test_each_floor_has_the_answer_of_its_own_fit():
    fit = size_fit()
    found = floor_sensitivity(fit, {"N": 2e7}, floors=[0.0, 6.0, 9.0])
    assert [row.floor for row in found.rows] == sorted([0.0, 6.0, 9.0, fit.parameters["E"]])
    assert [row.answer for row in found.rows if row.floor == fit.parameters["E"]] == pytest.approx([found.answer])
    assert found.answer == pytest.approx(float(predict(fit, 2e7)))
    assert not found.fixed and not found.blocked
    squares = fit_law(fit.table, fit.law, Objective("log_ls"))
    own = fit_law(fit.table, fit.law, Objective("log_ls"), {"E": 6.0})
    found = floor_sensitivity(squares, {"N": 2e7}, floors=[6.0])
    assert found.rows[0].answer == pytest.approx(float(predict(own, 2e7)), rel=1e-6)


def test_the_floors_that_the_points_reject_are_those_outside_the_interval():
    fit = size_fit()
    low, high = parameter_intervals(fit)["E"]
    inside, outside = (low + high) / 2.0, [0.8 * low, min(1.2 * high, 0.95 * fit.table.y.min())]
    found = floor_sensitivity(fit, {"N": 2e7}, floors=[inside, *outside])
    p = {row.floor: row.p for row in found.rows}
    assert p[inside] > 0.05 and all(p[value] < 0.05 for value in outside)
    answers = {row.floor: row.answer for row in found.rows}
    assert found.allowed[0] <= answers[inside] <= found.allowed[1]
    assert found.allowed[1] < max(answers.values())


def test_the_slope_is_the_relative_change_and_a_fixed_floor_is_said_to_be_fixed():
    table = size_fit().table
    fit = fit_law(table, LAWS["floor_power"], fixed={"E": 8.0})
    found = floor_sensitivity(fit, {"N": 2e8})
    assert found.fixed and found.floor == 8.0
    near = [float(predict(fit_law(table, LAWS["floor_power"], Objective("huber_log", fit.delta), {"E": e}), 2e8))
            for e in (7.9, 8.1)]  # fmt: skip
    assert found.slope == pytest.approx(np.log(near[1] / near[0]) / np.log(8.1 / 7.9), rel=0.05)
    assert 0.5 < found.slope < 1.0  # far out the floor is most of the error


def test_an_inverse_question_and_a_law_of_two_inputs_are_answered_too():
    fit = size_fit()
    found = floor_sensitivity(fit, {}, target=11.0, floors=[0.0, 10.9, 8.0])
    sizes = [row.answer for row in found.rows]
    assert sizes == sorted(sizes)  # the higher the floor, the more parameters reach 11
    joint = floor_sensitivity(joint_fit(), {"N": 1e7, "D": 30.0}, force=True)
    assert len(joint.rows) > 5 and joint.answer > 0
    json.dumps(as_json(found), allow_nan=False)
    assert len(lines(found)) >= len(found.rows)


def test_a_table_that_determines_a_fixed_floor_only_says_nothing_about_it():
    fit = fit_law(table_of([1e4, 1e5, 1e6], [40.0, 20.0, 12.0]), LAWS["floor_power"], fixed={"E": 5.0})
    found = floor_sensitivity(fit, {"N": 1e7}, floors=[0.0, 8.0])
    assert all(row.p is None for row in found.rows) and found.allowed is None
    assert found.rows[0].answer < found.rows[-1].answer


def test_a_law_without_floor_and_a_floor_above_the_points_are_refused():
    with refused("wrong-law"):
        floor_sensitivity(fit_law(size_fit().table, LAWS["power"]), {"N": 2e7})
    for value in (-1.0, 99.0, np.nan):
        with refused("bad-value"):
            floor_sensitivity(size_fit(), {"N": 2e7}, floors=[value])
    with refused("bad-option"):
        floor_sensitivity(joint_fit(), {"N": 1e7})


def test_a_blocked_fit_gives_no_answer_unless_forced():
    sizes = np.geomspace(1e4, 1e6, 6)
    fit = fit_law(table_of(sizes, 10.0 * (sizes / 1e4) ** 0.3))
    found = floor_sensitivity(fit, {"N": 1e7})
    assert found.blocked and found.answer is None and not found.rows
    assert floor_sensitivity(fit, {"N": 1e7}, force=True).rows
