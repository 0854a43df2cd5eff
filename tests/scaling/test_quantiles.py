"""Quantiles and Halton points: those of scipy.stats, without importing it."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from semgjax.scaling.halton import halton
from semgjax.scaling.quantiles import f_quantile, f_tail, normal_below, normal_quantile, t_quantile


@pytest.mark.parametrize("dimensions", [1, 3, 9, 30])
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_halton_points_are_those_of_scipy(dimensions, seed):
    expected = qmc.Halton(dimensions, scramble=True, seed=seed).random(50)
    np.testing.assert_array_equal(halton(dimensions, 50, seed), expected)


@pytest.mark.parametrize("freedom", [1, 2, 5, 50, 1000])
def test_quantiles_and_tails_are_those_of_scipy(freedom):
    levels = np.array([0.5, 0.9, 0.975, 0.999])
    np.testing.assert_allclose(t_quantile(levels, freedom), stats.t.ppf(levels, freedom), rtol=1e-12)
    np.testing.assert_allclose(f_quantile(levels, 2, freedom), stats.f.ppf(levels, 2, freedom), rtol=1e-12)
    for value in (0.0, 0.7, 30.0, 1e300, np.inf):
        np.testing.assert_allclose(f_tail(value, 2, freedom), stats.f.sf(value, 2, freedom), rtol=1e-12)
    np.testing.assert_allclose(normal_quantile(levels), stats.norm.ppf(levels), rtol=1e-12)
    np.testing.assert_allclose(normal_below([-3.0, 0.0, 8.0]), stats.norm.cdf([-3.0, 0.0, 8.0]), rtol=1e-12)


def test_a_fit_does_not_import_scipy_stats():
    code = "import sys, semgjax; semgjax.fit; raise SystemExit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
