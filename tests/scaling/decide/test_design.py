"""Plans judged before training."""

import json

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.decide.design import as_json, check_design, lines
from semgjax.scaling.decide.prior import points_of_plan, prior_fit
from semgjax.scaling.fit import predict
from semgjax.scaling.laws import CHINCHILLA, FLOOR_POWER, law_named

PRIOR = {"E": 8.0, "A": 20.0 * 1e5**0.45, "alpha": 0.45}
PLAN = {"N": np.repeat(np.geomspace(5e4, 5e6, 6), 3)}


def test_a_prior_is_the_curve_that_its_parameters_say():
    fit = prior_fit(FLOOR_POWER, PRIOR, PLAN)
    assert predict(fit, 3e5) == pytest.approx(8.0 + 20.0 * 3.0**-0.45, rel=1e-9)
    assert fit.parameters == pytest.approx(PRIOR)


def test_the_expected_interval_is_what_simulated_sweeps_show():
    found = check_design(FLOOR_POWER, PRIOR, PLAN, {"N": 5e7}, noise=0.02)
    assert not found.blocked and found.degrees_of_freedom == 15
    width, seen = (np.log(ends[1] / ends[0]) for ends in (found.interval, found.simulated))
    # The first uses t, the second knows the noise: 2.13 against 1.96.
    assert width == pytest.approx(seen * 2.13 / 1.96, rel=0.2)
    assert found.floor_found > 0.95


def test_more_seeds_and_less_noise_narrow_it():
    def width(seeds, noise):
        plan = points_of_plan({"N": [5e4, 2e5, 8e5, 3e6, 1e7]}, "grid", seeds)
        low, high = check_design(FLOOR_POWER, PRIOR, plan, {"N": 1e8}, noise).interval
        return np.log(high / low)

    assert width(1, 0.03) > 1.5 * width(3, 0.03) > width(3, 0.03) > width(3, 0.01)


def test_three_sizes_for_three_parameters_are_blocked_with_the_number_to_plan():
    found = check_design(FLOOR_POWER, PRIOR, {"N": [1e5, 1e6, 1e7]}, {"N": 1e8})
    assert found.blocked and found.interval is None
    assert "plan 4 or more" in found.diagnostics[0].message
    assert "no interval" in lines(found)[1]


def test_axes_that_rise_together_are_named():
    plan = {"N": np.geomspace(1e4, 1e6, 8), "D": np.geomspace(1.0, 100.0, 8)}
    found = check_design(CHINCHILLA, {**PRIOR, "B": 3.0, "beta": 0.4}, plan, {"N": 1e7, "D": 100.0})
    assert "collinear-axes" in [d.code for d in found.diagnostics if d.severity == "error"]


def test_a_short_range_leaves_a_weak_direction_between_floor_and_exponent():
    found = check_design(FLOOR_POWER, PRIOR, {"N": np.repeat([1e5, 1.5e5, 2e5, 3e5], 2)}, {"N": 1e7}, 0.03)
    assert {"E", "alpha"} <= set(found.weak[0].changes)
    assert found.weak[0].shown < 0.03
    assert {"short-range", "wide-interval"} <= {d.code for d in found.diagnostics}
    json.dumps(as_json(found), allow_nan=False)


def test_a_star_varies_one_input_at_a_time():
    plan = points_of_plan({"N": [1.0, 2.0, 3.0], "U": [10.0, 20.0, 30.0]}, "star", 2)
    assert len(plan["N"]) == 10
    assert {(n, u) for n, u in zip(plan["N"], plan["U"], strict=True)} == {
        (1, 20), (2, 20), (3, 20), (2, 10), (2, 30)
    }  # fmt: skip


@pytest.mark.parametrize("prior", [{"E": 8.0, "alpha": 0.4}, {**PRIOR, "B": 1.0}, {**PRIOR, "A": -1.0}])
def test_a_prior_that_is_no_curve_is_refused(prior):
    with pytest.raises(InputError):
        check_design(FLOOR_POWER, prior, PLAN, {"N": 1e7})


def test_a_law_over_three_inputs_is_judged():
    law = law_named("additive", ("N", "U", "H"))
    prior = {"E": 6.0, "A_N": 2500.0, "alpha_N": 0.45, "A_U": 30.0, "alpha_U": 0.5, "A_H": 3.0, "alpha_H": 0.6}
    plan = points_of_plan({"N": [5e4, 2e5, 1e6, 5e6], "U": [2, 8, 32, 64], "H": [0.1, 0.5, 2.0, 5.0]}, "star", 3)
    found = check_design(law, prior, plan, {"N": 5e6, "U": 64, "H": 1.0})
    assert found.configurations == 10 and found.interval[0] < found.value < found.interval[1]
