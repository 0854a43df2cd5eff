"""Every finding is reached by points that deserve it, and by no others."""

from dataclasses import replace

import numpy as np
import pytest

from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.ends import number
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS, POWER
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import parameter_intervals
from semgjax.scaling.table import table_of

SIZES = np.geomspace(2e4, 2e6, 8)


def curve(sizes, noise=0.01, floor=8.0, seed=0):
    scatter = np.random.default_rng(seed).standard_normal(len(sizes))
    return (floor + 60.0 * (np.asarray(sizes) / 2e4) ** -0.45) * np.exp(noise * scatter)


def findings(fit):
    """Findings but that of the rates, which no table here has."""
    every = {(found.code, found.severity): found.message for found in diagnose(fit, parameter_intervals(fit))}
    assert every.pop(("rates-unknown", "info"))
    return every


def test_a_good_sweep_has_no_finding():
    assert findings(fit_law((SIZES, curve(SIZES)))) == {}


def test_as_many_sizes_as_parameters_are_an_error():
    sizes = np.repeat([2e4, 2e5, 2e6], 2)
    found = findings(fit_law((sizes, curve(sizes))))
    assert "measure 4 sizes or more" in found["few-levels", "error"]


@pytest.mark.parametrize(
    ("teachers", "runs", "codes"), [(2, 32, {"few-levels"}), (4, 16, {"few-runs"}), (4, 32, set())]
)
def test_the_full_law_of_distillation_wants_thirty_runs_of_three_teachers(teachers, runs, codes):
    law = LAWS["busbridge"]
    size, data = (v.reshape(-1) for v in np.meshgrid(np.geomspace(1.0, 30.0, 4), np.geomspace(1.0, 30.0, runs // 4)))
    teacher = np.tile(np.linspace(1.5, 2.5, teachers), runs // teachers)
    x = {"N": size, "D": data, "TL": teacher, "S": 2.0 + size**-0.3}
    p = {"A": 0.8, "alpha": 0.3, "B": 0.5, "beta": 0.4, "gamma": 0.6, "c0": 0.5, "c1": 0.4, "d1": 1.2, "f1": 0.1}
    y = law.predict(p, {**x, **{f"log_{name}": np.log(v) for name, v in x.items()}})
    found = diagnose(fit_law(table_of(x, y), law, starts=4), None)
    assert {d.code for d in found if d.severity == "error"} & {"few-levels", "few-runs"} == codes


def test_one_size_more_than_parameters_is_a_warning():
    sizes = np.geomspace(2e4, 2e6, 4)
    assert ("few-levels", "warning") in findings(fit_law((sizes, curve(sizes))))


def test_a_short_range_is_told_with_its_factor():
    sizes = np.linspace(1e5, 4e5, 8)
    assert "a factor of 4 only" in findings(fit_law((sizes, curve(sizes))))["short-range", "warning"]


def test_a_floor_of_zero_is_told():
    found = findings(fit_law((SIZES, curve(SIZES, floor=0.0, noise=0.0))))
    assert list(found) == [("floor-at-bound", "warning")]


def test_a_floor_whose_interval_reaches_zero_is_told():
    found = findings(fit_law((SIZES, curve(SIZES, noise=0.06, floor=4.0, seed=1))))
    assert list(found) == [("floor-not-identified", "warning")]


def test_a_constant_and_a_rising_error_are_errors():
    for y in (np.full(8, 50.0), curve(SIZES)[::-1].copy()):
        for fit in (fit_law((SIZES, y)), fit_law((SIZES, y), POWER)):
            assert ("not-falling", "error") in findings(fit)


def test_a_fall_within_the_noise_is_told():
    y = np.array([95.0, 88.0, 93.0, 79.0, 85.0, 90.0, 91.0, 80.0])
    found = findings(fit_law((SIZES, y), POWER))
    assert "an error constant in N fits the points as well" in found["not-falling", "warning"]


def test_a_step_is_an_error():
    # One high point: to the robust default it may as well be one bad run, and it says so.
    points = np.geomspace(1e4, 4e4, 8), np.array([90.0, 20.0, 20.1, 19.9, 20.0, 20.1, 19.9, 20.0])
    assert ("step", "error") in findings(fit_law(points, objective=Objective("log_ls")))
    assert findings(fit_law(points)).keys() & {("step", "error"), ("outlier", "warning")}


def test_points_far_from_any_curve_are_told():
    assert ("poor-fit", "warning") in findings(fit_law((SIZES, curve(SIZES, noise=0.3))))


def test_an_outlier_is_named_with_its_size_and_how_far_it_is():
    sizes = np.geomspace(1e4, 1e6, 12)
    y = np.where(np.arange(12) == 6, 1.3, 1.0) * curve(sizes)
    message = findings(fit_law((sizes, y)))["outlier", "warning"]
    place = f"N = {number(sizes[6], 6)} "
    assert f"{place}(+3" in message or f"{place}(+2" in message
    assert message.count("N = ") == 1


def test_a_search_without_an_end_or_with_several_is_told():
    fit = fit_law((SIZES, curve(SIZES)))
    found = findings(replace(fit, converged=False, starts_agree=0.25))
    assert set(found) == {("not-converged", "error"), ("starts-disagree", "warning")}
