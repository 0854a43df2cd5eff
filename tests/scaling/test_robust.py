"""Runs that are off are found, counted less and named; sweeps without any are left as they are."""

import numpy as np
import pytest

from analysis.outliers import Sweep, outcome
from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.ends import number
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import LAWS, POWER
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.robust import bisquare_losses, bisquare_weights, m_scale
from semgjax.scaling.table import Table, table_of

SIZES = np.geomspace(2e4, 2e6, 9)
TRUTH = 8.0 + 60.0 * (2e7 / 2e4) ** -0.45
PROVEN = [(place, factor) for place in range(9) for factor in (1.5, 4.0, 1 / 1.5, 0.25)]


def curve(sizes):
    return 8.0 + 60.0 * (np.asarray(sizes) / 2e4) ** -0.45


def noisy(noise=0.02, seed=0, sizes=SIZES):
    return curve(sizes) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(sizes)))


def spoilt(place, factor, **settings):
    y = noisy(**settings)
    y[place] *= factor
    return y


def codes(fit):
    return {found.code for found in diagnose(fit, None)}


def messages(fit):
    return {found.code: found.message for found in diagnose(fit, None)}


def test_the_loss_is_half_the_square_near_and_constant_far():
    assert bisquare_losses(np.array([1e-3, 5.0, 50.0]), 2.0) == pytest.approx([0.5e-6, 4.0 / 6.0, 4.0 / 6.0], rel=1e-5)
    np.testing.assert_allclose(bisquare_losses(np.array([0.3, -4.0]), np.inf), [0.045, 8.0])


def test_the_weights_are_the_loss_s_slope_over_the_residual():
    r, step = np.array([0.1, -0.7, 1.5, 3.0]), 1e-6
    slope = (bisquare_losses(r + step, 2.0) - bisquare_losses(r - step, 2.0)) / (2 * step)
    np.testing.assert_allclose(bisquare_weights(r, 2.0), slope / r, atol=1e-8)


def test_the_scale_of_normal_noise_is_its_deviation_and_a_third_of_bad_runs_do_not_move_it_far():
    noise = 0.05 * np.random.default_rng(0).standard_normal((1, 6000))
    assert m_scale(noise, 3)[0] == pytest.approx(0.05, rel=0.03)
    bad = np.where(np.arange(6000) % 6 == 0, 40.0, noise)
    assert m_scale(bad, 3)[0] < 1.6 * m_scale(noise, 3)[0]


@pytest.mark.parametrize(("place", "factor"), PROVEN)
def test_one_run_far_off_moves_nothing_and_is_named(place, factor):
    fit = fit_law((SIZES, spoilt(place, factor)))
    without = np.arange(9) != place
    alone = fit_law((SIZES[without], noisy()[without]))
    assert fit.run_weights[place] == 0.0
    assert fit.degrees_of_freedom == 5 and fit.levels == 8
    assert predict(fit, 2e7) == pytest.approx(predict(alone, 2e7), rel=2e-3)
    low, high = prediction_interval(fit, 2e7)
    assert low < TRUTH < high
    text = messages(fit)["outlier"]
    assert f"N = {number(SIZES[place], 6)} (" in text and "weight 0)" in text and text.count("N = ") == 1


def test_the_residual_that_is_named_is_that_to_the_curve_of_the_others():
    fit = fit_law((SIZES, spoilt(4, 1.5)))
    assert np.expm1(fit.residuals[4]) == pytest.approx(0.5, abs=0.06)


def test_a_sweep_without_a_bad_run_is_fitted_nearly_as_by_least_squares():
    for seed in range(8):
        y = noisy(seed=seed)
        fit, squares = fit_law((SIZES, y)), fit_law((SIZES, y), objective=Objective("log_ls"))
        if "outlier" in codes(fit) or "doubtful-run" in codes(fit):
            continue
        assert (fit.run_weights > 0.3).all()
        widths = [np.ptp(np.log(prediction_interval(f, 2e7))) for f in (fit, squares)]
        assert widths[0] < 1.15 * widths[1]


def test_two_bad_runs_of_twelve_do_not_hide_each_other():
    sizes = np.geomspace(2e4, 2e6, 12)
    y = noisy(sizes=sizes)
    y[[5, 6]] *= 1.5
    fit = fit_law((sizes, y))
    assert list(np.flatnonzero(fit.run_weights == 0)) == [5, 6]
    assert predict(fit, 2e7) == pytest.approx(TRUTH, rel=0.1)


def test_one_bad_seed_of_three_is_left_out_but_never_a_level_whose_seeds_agree():
    sizes = np.repeat(np.geomspace(2e4, 2e6, 6), 3)
    y = noisy(sizes=sizes)
    one = np.where(np.arange(18) == 16, 2.0 * y, y)
    assert list(np.flatnonzero(fit_law((sizes, one)).run_weights == 0)) == [16]
    level = np.where(np.arange(18) >= 15, 2.0 * y, y)
    fit = fit_law((sizes, level))
    assert (fit.run_weights[15:] > 0).any()


def test_a_bad_run_of_a_law_of_two_inputs_is_found():
    n, d = (v.reshape(-1) for v in np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4)))
    y = (1.8 + 480.0 * n**-0.35 + 2100.0 * d**-0.37) * np.exp(0.003 * np.random.default_rng(0).standard_normal(16))
    y[9] *= 1.2
    fit = fit_law(table_of({"N": n, "D": d}, y), LAWS["chinchilla"])
    assert list(np.flatnonzero(fit.run_weights == 0)) == [9]
    assert f"D = {number(d[9], 6)}" in messages(fit)["outlier"]


def test_a_large_table_with_a_tenth_of_bad_runs_keeps_its_law():
    random = np.random.default_rng(0)
    sizes = np.geomspace(1e4, 1e7, 150)
    y = curve(sizes) * np.exp(0.02 * random.standard_normal(150))
    y[::10] *= random.uniform(1.5, 4.0, 15)
    fit = fit_law((sizes, y))
    assert (fit.run_weights[::10] == 0).all()
    assert fit.parameters["alpha"] == pytest.approx(0.45, abs=0.03)


def test_what_the_points_do_not_decide_is_said_and_both_answers_are_in_the_interval():
    found = None
    for size in np.linspace(1.05, 1.4, 36):
        fit = fit_law((SIZES, spoilt(8, size)))
        if fit.second_answer is not None and (fit.run_weights > 0.3).all():
            found = fit
            break
    assert found is not None
    other = found.second_answer
    assert other.run_weights[8] == 0.0
    low, high = prediction_interval(found, 2e7)
    for fit in (found, other):
        assert low <= predict(fit, 2e7) <= high
    assert "doubtful-run" in codes(found)
    assert f"N = {number(SIZES[8], 6)}" in messages(found)["doubtful-run"]


@pytest.mark.parametrize("count", [4, 5])
def test_with_too_few_runs_to_tell_none_is_left_out_and_that_is_said(count):
    sizes = np.geomspace(2e4, 2e6, count)
    fit = fit_law((sizes, spoilt(2, 1.5, sizes=sizes)))
    assert fit.delta is None and (fit.run_weights == 1).all()
    assert "few-to-judge" in codes(fit)
    power = fit_law((sizes, spoilt(2, 1.5, sizes=sizes)), POWER)
    assert ("few-to-judge" in codes(power)) == (count == 4)


def test_the_stated_noise_of_a_run_decides_how_far_it_may_be_off():
    y = spoilt(4, 1.3)
    sd = np.where(np.arange(9) == 4, 0.3, 0.02)
    assert fit_law((SIZES, y)).run_weights[4] == 0
    assert fit_law(Table({"N": SIZES}, y, sd=sd)).run_weights[4] > 0.5


def test_units_and_the_order_of_the_runs_change_no_weight():
    y, order = spoilt(3, 1.5, noise=0.03), np.random.default_rng(1).permutation(9)
    weights = fit_law((SIZES, y)).run_weights
    np.testing.assert_allclose(fit_law((SIZES / 1e6, y / 100)).run_weights, weights, atol=1e-6)
    np.testing.assert_allclose(fit_law((SIZES[order], y[order])).run_weights, weights[order], atol=1e-6)


def test_other_objectives_count_every_run_fully():
    for objective in (Objective("huber_log"), Objective(delta=1e-3), Objective("log_ls"), Objective("student_t")):
        fit = fit_law((SIZES, spoilt(3, 1.5)), objective=objective)
        assert (fit.run_weights == 1).all() and fit.second_answer is None


@pytest.mark.slow
def test_intervals_of_clean_sweeps_cover_and_those_with_a_bad_run_do_too():
    clean = outcome(Sweep(), 0.02, 1.0, None, 400)
    assert 0.93 <= clean.held.mean() <= 0.99
    assert clean.any_named.mean() < 0.25
    for place in (0, 4, 8):
        found = outcome(Sweep(), 0.02, 1.5, place, 200)
        assert found.held.mean() >= 0.92 and found.named.mean() >= 0.95


@pytest.mark.slow
def test_what_the_study_counts_is_what_an_interval_does():
    noise = 0.02 * np.random.default_rng(0).standard_normal((12, 9))
    noise[:, 4] += np.log(1.5)
    found = outcome(Sweep(), 0.02, 1.5, 4, 12)
    for held, one in zip(found.held, noise, strict=True):
        low, high = prediction_interval(fit_law((SIZES, curve(SIZES) * np.exp(one))), 2e7)
        # Intervals also allow for noise that changes along the sweep.
        assert (low <= TRUTH <= high) or not held
