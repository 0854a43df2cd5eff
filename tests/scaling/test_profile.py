"""Intervals against closed forms, against another search, and by simulation."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from semgjax.scaling.fit import fit_law, parameter_values, predict
from semgjax.scaling.laws import FLOOR_POWER, POWER
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import (
    no_interval_reason,
    parameter_intervals,
    prediction_band,
    prediction_interval,
)
from semgjax.scaling.table import table_of
from tests.refused import refused

SIZES = np.geomspace(2e4, 2e6, 6)
SQUARES = Objective("log_ls")


def truth(sizes):
    return 8.0 + 60.0 * (np.asarray(sizes) / 2e4) ** -0.45


def noisy(noise, seed=0, sizes=SIZES):
    return truth(sizes) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(sizes)))


def test_a_power_laws_intervals_are_those_of_a_regression_line():
    y = 900 * SIZES**-0.25 * np.exp(0.05 * np.random.default_rng(2).standard_normal(6))
    fit = fit_law((SIZES, y), POWER, SQUARES)
    x, at = np.log(SIZES), np.log(2e7)
    slope, level = np.polyfit(x, np.log(y), 1)
    spread = np.sqrt(np.sum((np.log(y) - slope * x - level) ** 2) / 4)
    squares = np.sum((x - x.mean()) ** 2)
    quantile = t_distribution.ppf(0.95, 4)  # both sides: a level of 0.9
    reach = quantile * spread / np.sqrt(squares)
    assert parameter_intervals(fit, 0.9)["alpha"] == pytest.approx((-slope - reach, -slope + reach), rel=1e-4)
    reach = quantile * spread * np.sqrt(1 / 6 + (at - x.mean()) ** 2 / squares)
    middle = slope * at + level
    assert np.log(prediction_interval(fit, 2e7, 0.9)) == pytest.approx((middle - reach, middle + reach), rel=1e-4)


@pytest.mark.parametrize("count", [5, 6, 300])
@pytest.mark.slow
def test_at_an_intervals_ends_the_best_remaining_curve_is_just_rejected(count):
    sizes = np.geomspace(2e4, 2e6, count)
    y = noisy(0.01 if count < 10 else 0.05, seed=4, sizes=sizes)
    fit = fit_law((sizes, y), FLOOR_POWER, SQUARES)
    squares = np.sum(fit.residuals**2)
    allowed = squares * f_distribution.ppf(0.95, 1, count - 3) / (count - 3)
    x, far = np.log(sizes / fit.reference["N"]), np.log(2e7 / fit.reference["N"])

    def excess(log_floor, log_power, alpha):
        return np.sum((np.log(y) - np.logaddexp(log_floor, log_power - alpha * x)) ** 2) - squares

    def least(rest, start):
        """The least sum of squares with one quantity held, over the two others."""
        options = {"xatol": 1e-9, "fatol": 1e-12 * squares, "maxiter": 2000}
        return minimize(lambda v: rest(*v), start, method="Nelder-Mead", options=options).fun

    values = parameter_values(fit)
    alpha = values["alpha"]
    floor, power = np.log(values["E"]), np.log(values["A"]) - alpha * np.log(fit.reference["N"])
    intervals = parameter_intervals(fit)
    for end in np.log(intervals["E"]):
        assert least(lambda v, w, e=end: excess(e, v, w), [power, alpha]) == pytest.approx(allowed, rel=0.01)
    for end in intervals["alpha"]:
        assert least(lambda v, w, e=end: excess(v, w, e), [floor, power]) == pytest.approx(allowed, rel=0.01)
    for end in prediction_interval(fit, 2e7):
        # With the value at `far` held, the power term there is what the floor leaves of it.
        def held(share, w, end=end):
            part = 1.0 / (1.0 + np.exp(-share))
            return excess(np.log(end * part), np.log(end * (1.0 - part)) + w * far, w)

        assert least(held, [1.0, alpha]) == pytest.approx(allowed, rel=0.01)


@pytest.mark.parametrize("objective", [Objective(), SQUARES, Objective(delta=1e-3)], ids=str)
def test_an_interval_holds_its_fit_and_grows_with_noise(objective):
    widths = []
    for noise in (0.0, 0.002, 0.01, 0.03, 0.1):
        fit = fit_law((SIZES, noisy(noise)), FLOOR_POWER, objective)
        low, high = prediction_interval(fit, 2e7)
        assert low <= predict(fit, 2e7) <= high
        for name, (least, most) in parameter_intervals(fit).items():
            assert least <= parameter_values(fit)[name] * (1 + 1e-12)
            assert most >= parameter_values(fit)[name] * (1 - 1e-12)
        widths.append(np.log(high / low))
    assert widths == sorted(widths)
    assert widths[0] < 1e-6


def test_an_interval_grows_with_its_level_and_with_distance():
    fit = fit_law((SIZES, noisy(0.03)))
    by_level = [np.ptp(np.log(prediction_interval(fit, 2e7, level))) for level in (0.5, 0.9, 0.99)]
    assert by_level == sorted(by_level)
    by_size = [np.ptp(np.log(prediction_interval(fit, size))) for size in (2e6, 2e7, 2e8)]
    assert by_size == sorted(by_size)


def test_four_sizes_give_a_far_wider_interval_than_five():
    four, five = np.geomspace(2e4, 2e6, 4), np.geomspace(2e4, 2e6, 5)
    wide, narrow = (
        np.mean(
            [np.ptp(np.log(prediction_interval(fit_law((sizes, noisy(0.02, seed, sizes))), 4e6))) for seed in range(4)]
        )
        for sizes in (four, five)
    )
    assert wide > 1.5 * narrow


def test_an_outlier_widens_the_interval_but_does_not_rule_it():
    sizes = np.geomspace(2e4, 2e6, 12)
    clean = noisy(0.01, seed=3, sizes=sizes)
    spoilt = np.where(np.arange(12) == 8, 1.6 * clean, clean)
    widths = [
        np.ptp(np.log(prediction_interval(fit_law((sizes, y), FLOOR_POWER, objective), 2e7)))
        for y, objective in ((clean, Objective()), (spoilt, Objective()), (spoilt, SQUARES))
    ]
    assert widths[0] < widths[1] < 0.6 * widths[2]


def test_a_floor_that_may_be_missing_has_an_interval_from_zero():
    fit = fit_law((SIZES, noisy(0.1)))
    assert parameter_intervals(fit)["E"][0] == 0.0


def test_a_band_is_the_interval_at_each_size():
    fit = fit_law((SIZES, noisy(0.03)))
    low, high = prediction_band(fit, [1e5, 2e7])
    # Searches in a batch of another size may round differently, as the machine's vectors have it.
    assert (low[1], high[1]) == pytest.approx(prediction_interval(fit, 2e7), rel=1e-9)


def test_a_percentage_is_capped_at_a_hundred_or_at_what_was_measured():
    sizes = np.geomspace(1e4, 1e6, 5)
    y = np.array([99.0, 90.0, 84.0, 70.0, 66.0])
    plain = prediction_interval(fit_law((sizes, y)), 1e3)
    assert plain[1] > 110
    percent = fit_law(table_of(sizes, y, unit="%"))
    assert prediction_interval(percent, 1e5)[1] < 100
    assert prediction_interval(percent, 8e3)[1] == pytest.approx(max(100.0, predict(percent, 8e3)))
    measured = fit_law(table_of(sizes, np.array([104.0, *y[1:]]), unit="%"))
    assert prediction_interval(measured, 1e4)[1] == 104.0


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ([1e4, 1e5, 1e6], "3 points for 3 parameters"),
        ([1e4, 1e4, 1e5, 1e5, 1e6, 1e6], "3 different sizes for 3 parameters"),
    ],
)
def test_without_a_size_to_spare_there_is_no_interval_and_a_reason(sizes, reason):
    fit = fit_law((sizes, noisy(0.02, sizes=np.array(sizes))))
    assert reason in no_interval_reason(fit)
    assert parameter_intervals(fit) is None
    assert prediction_interval(fit, 1e7) is None


def test_two_parameters_need_three_sizes_for_an_interval():
    assert no_interval_reason(fit_law((SIZES[:3], noisy(0.02)[:3]), POWER)) is None


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, np.nan])
def test_a_level_that_is_none_is_refused(level):
    with refused("bad-value", f"level {level}"):
        parameter_intervals(fit_law((SIZES, noisy(0.02))), level)
