"""A slope that drifts from the law's is found, hardly ever where there is none, and widens what lies beyond."""

import numpy as np
import pytest

from semgjax.scaling.drift import (
    KAPPAS,
    bend_p,
    drift_band,
    drift_of,
    drift_under,
    mixture_quantiles,
    prediction_mixture,
    walk,
)
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import LAWS
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.table import table_of

SIZES = np.geomspace(2e4, 2e6, 8)


def healthy(n):
    return 8.0 + 60.0 * (n / 2e4) ** -0.45


def flattening(n):
    return 70.0 * (n / 2e4) ** -0.5 * (1.0 + (n / 2.5e5) ** 2.0) ** 0.175


def fitted(truth, noise, seed, seeds=1, law="floor_power"):
    sizes = np.repeat(SIZES, seeds)
    y = truth(sizes) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(sizes)))
    return fit_law((sizes, y), LAWS[law], starts=8)


@pytest.mark.slow
def test_a_true_law_is_called_bent_as_often_as_the_test_says():
    p = np.array([drift_of(fitted(healthy, 0.02, seed)).p for seed in range(200)])
    # 10 % of 200 is 20; 35 and 7 are three and a half standard deviations away
    assert 7 <= np.sum(p < 0.1) <= 35
    assert np.sum(p < 0.01) <= 7


@pytest.mark.slow
def test_a_slope_that_flattens_within_the_sweep_is_found_with_three_seeds():
    p = [drift_of(fitted(flattening, 0.02, seed, 3, "power")).p for seed in range(10)]
    assert max(p) < 0.01


def test_without_drift_the_band_is_that_of_the_delta_method_with_students_t():
    fit = fitted(healthy, 0.02, 0, law="power")
    none = np.zeros(len(KAPPAS))
    none[0] = 1.0
    drift = drift_under(fit, np.maximum(none, 1e-300))
    mix = prediction_mixture(drift, 2e7, 0.0)
    value = np.log(predict(fit, 2e7))
    low, high = (
        value + end[0] for end in mixture_quantiles(mix.shares, mix.means, np.sqrt(mix.sampling + mix.drift), 0.95)
    )
    logs = np.log(SIZES)
    design = np.column_stack([np.ones(8), logs])
    ahead = np.array([1.0, np.log(2e7)])
    slope = np.linalg.lstsq(design, np.log(fit.table.y), rcond=None)
    error = np.sqrt(slope[1][0] / 6 * ahead @ np.linalg.inv(design.T @ design) @ ahead)
    assert 0.5 * (high - low) == pytest.approx(t_quantile(0.975, 6) * error, rel=0.03)
    assert 0.5 * (high + low) == pytest.approx(ahead @ slope[0], abs=0.02 * error + 2e-3)


def test_the_band_grows_with_the_distance_and_exceeds_the_sampling_interval():
    fit = fitted(healthy, 0.01, 1)
    low, high = drift_band(fit, np.array([2e6, 2e7, 2e8]), 0.95)
    widths = np.log(high / low)
    assert widths[0] < widths[1] < widths[2]
    ends = prediction_interval(fit, 2e7)
    assert widths[1] > 0.8 * np.log(ends[1] / ends[0])


def test_the_walk_is_an_integrated_wiener_process_in_both_directions():
    a = np.array([-2.0, -1.0, 0.0, 1.0, 3.0])
    kernel = walk(a, a)
    assert np.diagonal(kernel) == pytest.approx(np.abs(a) ** 3 / 3.0)
    assert kernel[0, 3] == 0.0 and kernel[3, 4] == pytest.approx(1.0 * (3.0 * 3.0 - 1.0) / 6.0)
    assert np.linalg.eigvalsh(kernel).min() > -1e-12


def test_points_that_the_slopes_take_up_have_no_test():
    assert bend_p(np.ones(4), np.eye(4)[:, :3], np.eye(4)) is None


def test_quantiles_of_a_split_normal_are_those_of_its_halves():
    one = np.ones((1, 1))
    low, high = mixture_quantiles(np.ones(1), 0.0 * one, 1.0 * one, 0.95, 2.0 * one)
    assert low[0] == pytest.approx(-1.959964, abs=1e-4) and high[0] == pytest.approx(3.919928, abs=1e-4)


def test_a_law_over_two_inputs_drifts_along_both():
    n, d = (v.reshape(-1) for v in np.meshgrid(np.geomspace(1e6, 1e8, 4), np.geomspace(1e8, 1e10, 4)))
    y = 1.7 + 20.0 * n**-0.3 + 100.0 * d**-0.3
    fit = fit_law(
        table_of({"N": n, "D": d}, y * np.exp(0.005 * np.random.default_rng(0).standard_normal(16))), LAWS["chinchilla"]
    )
    assert set(drift_of(fit).along) == {"N", "D"}
    near, far = (drift_band(fit, {"N": 1e9, "D": data}, 0.95) for data in (1e10, 1e11))
    assert far[1] / far[0] > near[1] / near[0] > 1.0
