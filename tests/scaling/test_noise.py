"""Noise that moves along a sweep is found at the rate stated, and intervals allow for it."""

import functools

import numpy as np
import pytest

from semgjax.scaling.bootstrap import draw, predict_draws
from semgjax.scaling.diagnose import diagnose, lack_of_fit
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.noise import evaluation_variance, noise_models, noise_scales, noise_trend, trend_of
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.table import Table, table_of

SIZES = np.repeat(np.geomspace(2e4, 2e6, 6), 3)
PLACE = np.log(SIZES / 2e4) / np.log(100.0)


def sweep(first, last, seed):
    scatter = np.random.default_rng(seed).standard_normal(len(SIZES))
    return (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(first * (last / first) ** PLACE * scatter)


@functools.cache
def fit_of(first, last, seed):
    """The fit of `sweep`, for the tests that count findings over many."""
    return fit_law((SIZES, sweep(first, last, seed)), starts=8)


def slopes():
    power = 60.0 * (SIZES / 2e4) ** -0.45
    whole = 8.0 + power
    return np.stack([8.0 / whole, power / whole, -power * np.log(SIZES / 2e4) / whole], axis=1)


def p_values(first, last, count):
    random = np.random.default_rng(0)
    basis = np.linalg.qr(slopes())[0]
    noise = random.standard_normal((count, len(SIZES))) * first * (last / first) ** PLACE
    residuals = noise - (noise @ basis) @ basis.T
    return np.array([trend_of(row, slopes(), {"N": np.log(SIZES)}).p for row in residuals])


@pytest.mark.slow
def test_constant_noise_is_rejected_as_often_as_stated_and_growing_noise_mostly():
    # 300 sweeps: 1.2 and 8.8 % are 3 standard deviations from 5 %.
    assert 0.012 <= np.mean(p_values(0.03, 0.03, 300) < 0.05) <= 0.088
    assert np.mean(p_values(0.01, 0.06, 100) < 0.05) > 0.65


@pytest.mark.parametrize(("first", "last", "code"), [(0.01, 0.06, "noise-grows"), (0.06, 0.01, "noise-shrinks")])
def test_noise_that_moves_is_a_finding_with_its_direction(first, last, code):
    codes = [[d.code for d in diagnose(fit_of(first, last, seed), None)] for seed in range(8)]
    found = [code in one for one in codes]
    assert sum(found) >= 5
    other = {"noise-grows", "noise-shrinks"} - {code}
    assert not any(other & set(one) for one in codes)


def test_constant_noise_is_rarely_a_finding():
    codes = [d.code for seed in range(20) for d in diagnose(fit_of(0.03, 0.03, seed), None)]
    assert codes.count("noise-grows") + codes.count("noise-shrinks") <= 3


def test_the_interval_where_the_noise_is_large_is_wider_than_constant_noise_gives_and_stated_noise_settles_it():
    y = sweep(0.01, 0.06, 1)
    fit = fit_law((SIZES, y), objective=Objective("log_ls"))
    trend = noise_trend(fit)
    assert trend.found and trend.slope > 0 and 2.0 < trend.ratio < 20.0
    stated = fit_law(
        Table({"N": SIZES}, y, sd=0.01 * 6.0**PLACE), objective=Objective("log_ls")
    )  # fmt: skip
    assert not noise_trend(stated).found
    gradient = np.array([[0.9, 0.1, -0.5]])
    assert noise_scales(fit, gradient, 0.95, 1.0)[0] > 1.3 * noise_scales(stated, gradient, 0.95, 1.0)[0]


def test_draws_keep_large_residuals_where_the_noise_is_large():
    fit = fit_law((SIZES, sweep(0.005, 0.08, 2)))
    drawn = predict_draws(draw(fit, 400), np.array([2e4, 2e6]))
    first, last = np.log(drawn).std(axis=0)
    assert last > 2.0 * first


def test_a_relative_noise_is_one_that_shrinks_on_a_linear_scale():
    squares = Objective("linear_ls")
    trends = [noise_trend(fit_law((SIZES, sweep(0.03, 0.03, seed)), objective=squares, starts=8)) for seed in range(8)]
    assert all(trend.slope < 0 for trend in trends) and sum(trend.found for trend in trends) >= 3


def test_too_few_runs_have_no_trend():
    few = SIZES[::3]
    y = 8.0 + 60.0 * (few / 2e4) ** -0.45
    assert noise_trend(fit_law((few, y * [1.0, 1.0, 1.01, 0.9, 1.1, 0.95]))) is None


def test_with_two_inputs_the_one_is_named_along_which_the_noise_moves():
    n, d = (v.reshape(-1) for v in np.meshgrid(np.geomspace(1e5, 1e7, 6), np.geomspace(1e6, 1e8, 6)))
    noise = 0.005 * 12.0 ** (np.log(d / 1e6) / np.log(100.0))
    y = (2.0 + 30.0 * n**-0.3 + 300.0 * d**-0.4) * np.exp(noise * np.random.default_rng(0).standard_normal(36))
    trend = noise_trend(fit_law(table_of({"N": n, "D": d}, y), LAWS["chinchilla"]))
    assert trend.found and trend.along == "D" and trend.slope > 0


@pytest.mark.slow
def test_lack_of_fit_is_not_called_where_only_the_noise_grows():
    p = [lack_of_fit(fit_of(0.01, 0.06, seed))[1] for seed in range(40)]
    assert np.mean(np.array(p) < 0.01) <= 0.05


def test_the_laws_own_fall_within_a_level_of_one_percent_is_no_scatter():
    sizes = np.geomspace(2e4, 2e6, 6)[:, None] * np.array([1.0, 1.005, 1.0095])
    scatter = 1e-5 * np.random.default_rng(0).standard_normal(18)
    y = 60.0 * (sizes.reshape(-1) / 2e4) ** -0.9 * np.exp(scatter)
    fit = fit_law((sizes.reshape(-1), y), LAWS["power"])
    assert lack_of_fit(fit)[2] == pytest.approx(1e-5, rel=0.5)


def shared(effect, own, seed):
    """y of six sizes x 3 whose seeds share an effect."""
    random = np.random.default_rng(seed)
    common = effect * np.repeat(random.standard_normal(6), 3)
    return (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(common + own * random.standard_normal(18))


def test_seeds_that_share_an_effect_are_as_many_points_as_there_are_sizes():
    gradient = np.array([[0.9, 0.1, -0.5]])
    factors = [noise_scales(fit_law((SIZES, shared(0.03, 0.003, seed))), gradient, 0.95, 1.0)[0] for seed in range(8)]
    # Level means: F(1, 3) = 10.13 instead of F(1, 15) = 4.54, and 15 / 3 of the mean square.
    assert np.median(factors) == pytest.approx(5.0 * 10.13 / 4.54, rel=0.3)
    parts = [noise_models(fit_law((SIZES, shared(0.03, 0.003, seed)))).shared_part for seed in range(8)]
    assert min(parts) > 0.9


def test_constant_independent_noise_costs_little_width():
    gradient = np.array([[0.9, 0.1, -0.5]])
    factors = [noise_scales(fit_of(0.03, 0.03, seed), gradient, 0.95, 1.0)[0] for seed in range(20)]
    assert 1.0 <= np.sqrt(factors).mean() < 1.35


def test_named_clusters_are_allowed_for_and_change_the_interval():
    random = np.random.default_rng(0)
    sizes, groups = np.geomspace(2e4, 2e6, 12), np.repeat(np.arange(4), 3)
    noise = 0.05 * random.standard_normal(4)[groups] + 0.01 * random.standard_normal(12)
    y = (8.0 + 60.0 * (sizes / 2e4) ** -0.45) * np.exp(noise)
    squares = Objective("log_ls")
    plain, named = (
        prediction_interval(fit_law(Table({"N": sizes}, y, clusters=clusters), objective=squares), 2e7)
        for clusters in (None, groups)
    )
    assert np.ptp(np.log(named)) > 1.3 * np.ptp(np.log(plain))


def test_draws_of_clusters_move_together():
    sizes, groups = np.repeat(np.geomspace(2e4, 2e6, 8), 2), np.repeat(np.arange(8), 2)
    random = np.random.default_rng(1)
    noise = 0.05 * random.standard_normal(8)[groups] + 0.002 * random.standard_normal(16)
    y = (8.0 + 60.0 * (sizes / 2e4) ** -0.45) * np.exp(noise)
    widths = []
    for clusters in (np.arange(16), groups):
        fit = fit_law(Table({"N": sizes}, y, clusters=clusters), objective=Objective("log_ls"))
        widths.append(np.log(predict_draws(draw(fit, 400), 2e5)).std())
    assert widths[1] > 1.2 * widths[0]


def test_the_noise_of_few_keys_is_a_lower_bound_of_the_interval():
    sizes = np.geomspace(2e4, 2e6, 8)
    y = 8.0 + 60.0 * (sizes / 2e4) ** -0.45
    smooth = y * np.exp(1e-4 * np.random.default_rng(0).standard_normal(8))
    squares = Objective("log_ls")
    plain, tested = (
        fit_law(Table({"N": sizes}, smooth, "%", keys=keys), objective=squares) for keys in (None, np.full(8, 1000.0))
    )
    variance = evaluation_variance(tested)
    rate = y[-1] / 100.0
    assert variance[-1] == pytest.approx(2.0 * (1.0 - rate) / (rate * 1000.0), rel=1e-3)
    narrow, wide = (np.ptp(np.log(prediction_interval(fit, 2e6))) for fit in (plain, tested))
    # The last size alone would give 2 x 1.96 standard deviations; the curve borrows from the others.
    assert narrow < 1e-3 and 1.5 < wide / np.sqrt(variance[-1]) < 4.0
    assert "few-keys" in [found.code for found in diagnose(tested, None)]


def test_a_hundred_times_the_keys_give_a_tenth_of_the_width():
    sizes = np.geomspace(2e4, 2e6, 8)
    y = (8.0 + 60.0 * (sizes / 2e4) ** -0.45) * np.exp(1e-4 * np.random.default_rng(0).standard_normal(8))
    few, many = (
        np.ptp(
            np.log(
                prediction_interval(
                    fit_law(Table({"N": sizes}, y, "%", keys=np.full(8, keys)), objective=Objective("log_ls")), 2e6
                )
            )
        )
        for keys in (1e5, 1e7)
    )
    assert few / many == pytest.approx(10.0, rel=0.15)


def test_one_cluster_for_all_rows_is_a_finding():
    y = sweep(0.02, 0.02, 0)
    codes = [
        {found.code for found in diagnose(fit_law(Table({"N": SIZES}, y, clusters=clusters)), None)}
        for clusters in (np.zeros(18, int), np.arange(18) % 3)
    ]
    assert "one-cluster" in codes[0] and "one-cluster" not in codes[1]
