"""Which answers the points determine: rank, gradients, and the runs that would."""

from dataclasses import replace

import numpy as np
import pytest

from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.estimable import blind, open_parameters, runs_to_add, why_not_estimable
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import CHINCHILLA, FLOOR_POWER
from semgjax.scaling.point_checks import about_point
from semgjax.scaling.profile import Ties, gradients_of
from semgjax.scaling.table import table_of


def joint(sizes, levels, fixed=None, seed=0):
    """A fit of every size with every amount of data, 2 % noise."""
    mesh = np.meshgrid(sizes, levels, indexing="ij")
    x = {"N": mesh[0].ravel(), "D": mesh[1].ravel()}
    y = 5.0 + 20.0 * (x["N"] / 2e5) ** -0.4 + 15.0 * x["D"] ** -0.35
    noise = np.exp(0.02 * np.random.default_rng(seed).standard_normal(len(y)))
    return fit_law(table_of(x, y * noise), CHINCHILLA, fixed=fixed)


TWO, DATA = [2e5, 2e6], np.geomspace(1.0, 100.0, 5)


def gradient(fit, **at):
    x = {name: np.array([value]) for name, value in at.items()}
    return gradients_of(fit, Ties(fit.problem.inputs(x), np.ones(1), np.zeros((1, len(fit.theta)))))[1][0]


@pytest.mark.parametrize("seed", range(4))
def test_two_sizes_leave_one_direction_of_floor_amplitude_and_exponent_open(seed):
    fit = joint(TWO, DATA, seed=seed)
    found = blind(fit)
    assert found.null.shape[1] >= 1
    assert "alpha" in found.names and "beta" not in found.names
    assert open_parameters(fit) is not None
    assert ("not-identified", "warning") in [(d.code, d.severity) for d in diagnose(fit, None)]


def test_only_answers_along_the_open_direction_are_refused():
    fit = joint(TWO, DATA)
    assert why_not_estimable(fit, gradient(fit, N=2e5, D=30.0)) is None
    assert why_not_estimable(fit, gradient(fit, N=2e6, D=1e4)) is None
    reason = why_not_estimable(fit, gradient(fit, N=2e7, D=30.0))
    assert reason is not None and "alpha" in reason and "6.3e+05" in reason


@pytest.mark.parametrize(
    ("sizes", "fixed"), [([2e5, 6e5, 2e6], None), (TWO, {"E": 5.0}), (TWO, {"alpha": 0.4}), (TWO, {"E": 0.0})]
)
def test_a_third_size_or_a_fixed_parameter_determines_everything(sizes, fixed):
    fit = joint(sizes, DATA, fixed)
    assert blind(fit).null.shape[1] == 0
    assert open_parameters(fit) is None
    assert why_not_estimable(fit, gradient(fit, N=2e7, D=30.0)) is None


def test_sizes_within_one_per_cent_count_as_one():
    fit = joint([2e5, 2.01e5, 2e6], DATA)
    assert "alpha" in blind(fit).names


def test_a_floor_of_zero_hides_no_lack_of_sizes():
    fit = joint(TWO, DATA)
    at_zero = replace(fit, theta=np.where(np.arange(5) == 0, 0.0, fit.theta))
    assert "alpha" in blind(at_zero).names


def test_the_runs_to_add_make_the_answer_estimable():
    fit = joint(TWO, DATA)
    asked = gradient(fit, N=2e7, D=30.0)
    added = runs_to_add(fit, asked)
    assert list(added) == ["N"] and 2e5 < added["N"][0] < 2e6
    more = {
        "N": np.append(fit.table.x["N"], added["N"]),
        "D": np.append(fit.table.x["D"], [DATA[2]] * len(added["N"])),
    }
    assert not blind(fit, more).hides(asked)


def test_a_prediction_says_so_only_where_it_depends_on_the_open_direction():
    fit = joint(TWO, DATA)
    for size, codes in ((2e6, []), (2e7, ["not-identified"])):
        x = {"N": np.array([size]), "D": np.array([10.0])}
        value = float(fit.problem.curve(x, fit.theta)[0, 0])
        found = [d for d in about_point(fit, x, value, 0.95) if d.code == "not-identified"]
        assert [d.code for d in found] == codes
        assert all(d.severity == "error" for d in found)


def test_one_input_with_enough_sizes_is_determined():
    sizes = np.geomspace(1e4, 1e6, 4)
    fit = fit_law((sizes, 8.0 + 30.0 * (sizes / 1e4) ** -0.4), FLOOR_POWER)
    assert open_parameters(fit) is None
