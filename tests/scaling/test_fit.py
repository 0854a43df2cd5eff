"""Fitting and predicting: recovery, robustness, invariance."""

import numpy as np
import pytest
from scipy.optimize import minimize

from semgjax.errors import InputError
from semgjax.scaling.fit import distance, fit_law, parameter_values, predict
from semgjax.scaling.laws import FLOOR_POWER, POWER
from semgjax.scaling.objective import Objective, losses
from tests.refused import refused

SIZES = np.geomspace(2e4, 2e6, 6)
OBJECTIVES = [Objective(), Objective("log_ls"), Objective(delta=1e-3)]


def floor_power(sizes, floor, at_first, alpha):
    return floor + at_first * (sizes / 2e4) ** -alpha


def noisy(noise, seed=0, sizes=SIZES):
    scatter = np.random.default_rng(seed).standard_normal(len(sizes))
    return floor_power(sizes, 8.0, 60.0, 0.45) * np.exp(noise * scatter)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
@pytest.mark.parametrize(
    ("floor", "alpha"), [(8.0, 0.45), (1e-3, 0.3), (40.0, 1.5), (0.5, 0.1)], ids=lambda value: str(value)
)
def test_points_without_noise_give_back_their_law(objective, floor, alpha):
    fit = fit_law((SIZES, floor_power(SIZES, floor, 60.0, alpha)), FLOOR_POWER, objective)
    wanted = {"E": floor, "A": 60.0 * 2e4**alpha, "alpha": alpha}
    values = parameter_values(fit)
    assert values["alpha"] == pytest.approx(alpha, rel=1e-8)
    assert values["A"] == pytest.approx(wanted["A"], rel=1e-8)
    # A floor of 1/50,000 of the curve is known to rounding over that share only.
    assert values["E"] == pytest.approx(floor, rel=1e-8 if floor > 0.1 else 1e-6)
    assert fit.converged


def test_points_of_a_power_law_give_back_their_law():
    values = parameter_values(fit_law((SIZES, 900.0 * SIZES**-0.25), POWER))
    assert values["A"] == pytest.approx(900.0, rel=1e-8)
    assert values["alpha"] == pytest.approx(0.25, rel=1e-8)


def test_a_floor_that_the_points_do_not_have_is_exactly_zero():
    fit = fit_law((SIZES, 900.0 * SIZES**-0.25), FLOOR_POWER)
    assert parameter_values(fit)["E"] == 0.0
    assert fit.at_bound == ("E",)
    np.testing.assert_allclose(predict(fit, SIZES), 900.0 * SIZES**-0.25, rtol=1e-10)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_no_other_search_finds_a_lower_objective(objective):
    y = noisy(0.05)
    fit = fit_law((SIZES, y), FLOOR_POWER, objective)

    def value(theta):
        curve = np.exp(theta[0]) + np.exp(theta[1]) * (SIZES / fit.reference["N"]) ** -theta[2]
        return losses(objective, np.log(y / curve), fit.delta).sum()

    # Scale-free simplex searches from random places: slow and independent of everything in the package.
    starts = np.random.default_rng(1).uniform([-2, 1, 0.05], [3, 4, 1.5], (20, 3))
    options = {"maxiter": 4000, "maxfev": 4000, "xatol": 1e-10, "fatol": 1e-16}
    best = min(minimize(value, start, method="Nelder-Mead", options=options).fun for start in starts)
    assert fit.objective_value <= best * (1 + 1e-6)
    assert fit.converged
    assert fit.starts_agree > 0.9


def test_rising_points_get_a_constant_and_not_a_negative_exponent():
    fit = fit_law((SIZES, noisy(0.0)[::-1].copy()), FLOOR_POWER)
    assert parameter_values(fit)["alpha"] == 0.0
    assert "alpha" in fit.at_bound
    assert np.ptp(predict(fit, SIZES)) < 1e-9


def test_one_far_point_moves_a_huber_fit_little_and_least_squares_much():
    sizes = np.geomspace(2e4, 2e6, 12)
    clean = noisy(0.01, seed=3, sizes=sizes)
    spoilt = np.where(np.arange(12) == 8, 1.6 * clean, clean)
    wanted = predict(fit_law((sizes, clean)), 2e7)
    huber = abs(np.log(predict(fit_law((sizes, spoilt)), 2e7) / wanted))
    squares = abs(np.log(predict(fit_law((sizes, spoilt), FLOOR_POWER, Objective("log_ls")), 2e7) / wanted))
    assert huber < 0.05
    assert squares > 3 * huber


def test_sizes_in_millions_give_the_same_curve():
    y = noisy(0.03)
    plain, millions = fit_law((SIZES, y)), fit_law((SIZES / 1e6, y))
    np.testing.assert_allclose(predict(millions, [0.1, 20.0]), predict(plain, [1e5, 2e7]), rtol=1e-6)
    first, second = parameter_values(plain), parameter_values(millions)
    assert second["E"] == pytest.approx(first["E"], rel=1e-5)
    assert second["A"] == pytest.approx(first["A"] * 1e6 ** -first["alpha"], rel=1e-5)


def test_error_as_a_fraction_gives_the_same_curve_in_percent():
    y = noisy(0.03)
    np.testing.assert_allclose(100 * predict(fit_law((SIZES, y / 100)), 2e7), predict(fit_law((SIZES, y)), 2e7))


def test_the_order_of_the_points_does_not_matter():
    y, order = noisy(0.03), np.array([3, 0, 5, 1, 4, 2])
    shuffled = fit_law((SIZES[order], y[order]))
    np.testing.assert_allclose(predict(shuffled, 2e7), predict(fit_law((SIZES, y)), 2e7), rtol=1e-6)


def test_parameters_are_those_of_the_formula():
    fit = fit_law((SIZES, noisy(0.03)))
    values = parameter_values(fit)
    np.testing.assert_allclose(predict(fit, SIZES), values["E"] + values["A"] * SIZES ** -values["alpha"], rtol=1e-12)


def test_predictions_keep_the_shape_asked_for():
    fit = fit_law((SIZES, noisy(0.03)))
    assert predict(fit, 1e5).shape == ()
    grid = predict(fit, [[1e5, 1e6], [1e7, 1e8]])
    assert grid.shape == (2, 2)
    assert grid[1, 0] == predict(fit, 1e7)


def test_scatter_is_the_deviation_with_the_parameters_discounted():
    fit = fit_law((SIZES, noisy(0.03)), FLOOR_POWER, Objective("log_ls"))
    assert fit.scatter == pytest.approx(np.sqrt(2 * fit.objective_value / 3))
    assert fit_law((SIZES[:3], noisy(0.03)[:3])).scatter is None


@pytest.mark.parametrize(("size", "beyond"), [(2e7, 10.0), (2e3, 10.0), (1e5, 1.0), (2e6, 1.0)])
def test_extrapolation_counts_from_the_nearer_end_of_the_sweep(size, beyond):
    assert distance(fit_law((SIZES, noisy(0.0))), size) == pytest.approx(beyond)


@pytest.mark.parametrize(
    ("sizes", "law", "message"),
    [
        (
            [1e5, 2e5],
            FLOOR_POWER,
            "too-few-levels: 2 points at 2 different places (N), but y = E + A * N^-alpha has 3 parameters",
        ),
        ([1e5, 1e5, 2e5, 2e5], FLOOR_POWER, "it needs 3 places, and 4 for an interval"),
        ([1e5, 1e5], POWER, "it needs 2 places, and 3 for an interval"),
        ([1e31, 1e32, 1e33], FLOOR_POWER, "give it in another unit"),
    ],
)
def test_too_few_sizes_are_refused(sizes, law, message):
    with pytest.raises(InputError) as caught:
        fit_law((sizes, np.linspace(50.0, 20.0, len(sizes))), law)
    assert message in str(caught.value)


@pytest.mark.parametrize("size", [0.0, -1.0, np.nan, np.inf])
def test_a_size_that_is_no_size_is_refused(size):
    with refused("bad-value", f"N = {size}"):
        predict(fit_law((SIZES, noisy(0.0))), size)


def test_a_size_where_the_law_overflows_is_refused():
    steep = fit_law((SIZES, floor_power(SIZES, 5.0, 60.0, 5.0)))
    with refused("out-of-reach", "N = 1e-60"):
        predict(steep, 1e-60)
