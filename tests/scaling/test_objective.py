"""Losses and the scale of residuals."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import huber
from scipy.stats import t as t_distribution

from semgjax.errors import InputError
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import CHINCHILLA
from semgjax.scaling.objective import SMALLEST_DELTA, Objective, delta_by_scale, losses, robust_scale
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.table import table_of


def test_huber_is_half_the_square_near_and_straight_far():
    found = losses(Objective("huber_log"), np.array([0.05, -0.5]), 0.1)
    np.testing.assert_allclose(found, [0.5 * 0.05**2, 0.1 * (0.5 - 0.05)])


def test_the_asymmetric_loss_is_dearer_where_the_law_lies_above_the_point():
    np.testing.assert_allclose(losses(Objective("asymmetric"), np.array([0.2, -0.2]), None), [0.2, 2.0])


def test_the_pinball_loss_is_that_of_the_quantile():
    np.testing.assert_allclose(losses(Objective("pinball", tau=0.9), np.array([0.2, -0.2]), None), [0.18, 0.02])


def test_students_loss_is_the_log_likelihood_up_to_a_constant():
    r = np.array([0.0, 0.1, -0.7])
    wanted = -t_distribution.logpdf(r / 0.05, 4) + t_distribution.logpdf(0.0, 4)
    np.testing.assert_allclose(losses(Objective("student_t"), r, 0.05), wanted)


def test_a_delta_beyond_all_residuals_gives_least_squares():
    residuals = np.array([0.3, -0.2, 0.01])
    squares = losses(Objective("log_ls"), residuals, None)
    np.testing.assert_allclose(losses(Objective("huber_log"), residuals, 10.0), squares, rtol=1e-15)


def test_the_scale_of_normal_noise_is_its_deviation():
    noise = 0.05 * np.random.default_rng(0).standard_normal(20_000)
    assert robust_scale(noise, 3) == pytest.approx(0.05, rel=0.02)


def test_the_scale_does_not_follow_an_outlier():
    noise = 0.05 * np.random.default_rng(0).standard_normal(15)
    spoilt = np.where(np.arange(15) == 4, 3.0, noise)
    assert robust_scale(spoilt, 3) < 1.5 * robust_scale(noise, 3)


def test_the_scale_leaves_out_the_residuals_that_a_fit_made_zero():
    assert robust_scale(np.array([0.0, 0.0, 0.06745, 0.06745]), 3) == pytest.approx(0.1)


def test_points_without_noise_get_the_smallest_delta():
    assert delta_by_scale(np.zeros(6), 3) == SMALLEST_DELTA


def test_the_default_is_mm_log_and_huber_log_where_a_delta_is_given():
    assert Objective().kind == "mm_log"
    assert Objective(delta=1e-3).kind == "huber_log"
    assert Objective("huber_log").delta is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("huber",), "bad-value"),
        (("huber_log", 0.0), "bad-value"),
        (("huber_linear", -1.0), "bad-value"),
        (("huber_log", float("nan")), "bad-value"),
        (("mm_log", 0.1), "conflict"),
        (("log_ls", 0.1), "conflict"),
        (("linear_ls", 0.1), "conflict"),
        (("pinball", None, 4.0, 1.5), "bad-value"),
        (("huber_log", None, 4.0, 0.5, 10.0, "median"), "bad-value"),
    ],
)
def test_a_wrong_objective_is_refused(arguments, code):
    with pytest.raises(InputError) as caught:
        Objective(*arguments)
    assert caught.value.code == code


SIZES = np.geomspace(2e4, 2e6, 12)


def spoilt(noise=0.02):
    y = (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(noise * np.random.default_rng(1).standard_normal(12))
    return np.where(np.arange(12) == 5, 1.2 * y, y)


@pytest.mark.parametrize(
    ("kind", "delta", "reduction"),
    [
        ("huber_log", 1e-3, "sum"),
        ("huber_log", 1e-3, "mean"),
        ("huber_log", 0.02, "mean"),
        ("huber_linear", 0.5, "sum"),
        ("huber_linear", 0.5, "mean"),
        ("huber_linear", 1e-2, "sum"),
        ("huber_linear", 1e3, "mean"),
    ],
)
def test_a_published_objective_is_reached_as_a_direct_minimisation_reaches_it(kind, delta, reduction):
    y = spoilt()

    def value(theta):
        curve = np.exp(theta[0]) + np.exp(theta[1]) * (SIZES / 2e5) ** -theta[2]
        r = np.log(y) - np.log(curve) if kind == "huber_log" else y - curve
        return (np.sum if reduction == "sum" else np.mean)(huber(delta, r))

    options = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20_000, "maxfev": 20_000}
    tries = [
        minimize(value, [np.log(e), np.log(30.0), a], method="Nelder-Mead", options=options)
        for e in (2.0, 8.0, 11.0)
        for a in (0.2, 0.45, 0.8)
    ]
    direct = min(tries, key=lambda found: found.fun)
    fit = fit_law((SIZES, y), objective=Objective(kind, delta, reduction=reduction))
    assert fit.objective_value == pytest.approx(direct.fun, rel=1e-6)
    assert fit.objective_value <= direct.fun * (1 + 1e-9)
    assert fit.delta == delta and fit.converged
    assert fit.parameters["alpha"] == pytest.approx(direct.x[2], rel=1e-3)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("delta", [1e-3, 0.05, 1.0])
def test_a_linear_huber_fit_of_two_inputs_reaches_the_lowest_of_many_direct_searches(delta, reduction):
    random = np.random.default_rng(3)
    n, d = (v.reshape(-1) for v in np.meshgrid(np.geomspace(5e7, 5e9, 5), np.geomspace(1e9, 1e11, 5)))
    y = 1.7 + 400.0 * n**-0.34 + 1800.0 * d**-0.36 + 0.02 * random.standard_t(3, 25)
    near_n, near_d = np.log(n) - np.log(n).mean(), np.log(d) - np.log(d).mean()

    def value(t):
        one, two = np.exp(t[1] - t[3] * near_n), np.exp(t[2] - t[4] * near_d)
        r = y - t[0] - one - two
        psi = np.clip(r, -delta, delta)
        slopes = [psi, psi * one, psi * two, -psi * one * near_n, -psi * two * near_d]
        return huber(delta, r).sum(), -np.array([s.sum() for s in slopes])

    starts = random.uniform([0.5, -2.0, -2.0, 0.1, 0.1], [2.2, 0.5, 0.5, 0.7, 0.7], (12, 5))
    options = {"maxiter": 5000, "gtol": 1e-12}
    lowest = min(minimize(value, start, jac=True, method="BFGS", options=options).fun for start in starts)
    fit = fit_law(table_of({"N": n, "D": d}, y), CHINCHILLA, Objective("huber_linear", delta, reduction=reduction))
    assert fit.objective_value * (25 if reduction == "mean" else 1) == pytest.approx(lowest, rel=1e-6)
    assert fit.converged and fit.starts_agree > 0.5


def test_sum_and_mean_are_one_fit():
    fits = [fit_law((SIZES, spoilt()), objective=Objective(delta=1e-3, reduction=r)) for r in ("sum", "mean")]
    assert fits[0].parameters == fits[1].parameters
    assert fits[0].objective_value == pytest.approx(12 * fits[1].objective_value, rel=1e-12)
    assert prediction_interval(fits[0], 2e7) == prediction_interval(fits[1], 2e7)


def test_the_linear_delta_is_in_the_unit_of_y():
    y = spoilt()
    one = fit_law((SIZES, y), objective=Objective("huber_linear", 0.5))
    hundred = fit_law((SIZES, 100 * y), objective=Objective("huber_linear", 50.0))
    assert hundred.parameters["E"] == pytest.approx(100 * one.parameters["E"], rel=1e-6)
    assert hundred.objective_value == pytest.approx(1e4 * one.objective_value, rel=1e-6)
    ends = np.array([prediction_interval(fit, 2e7) for fit in (one, hundred)])
    assert ends[1] == pytest.approx(100 * ends[0], rel=1e-4)
    assert fit_law((SIZES, y), objective=Objective("huber_linear")).delta > 0.01
