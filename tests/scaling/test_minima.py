"""Starts count as agreeing where they reach the same curve, not the same objective."""

import numpy as np

from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import CHINCHILLA, FLOOR_POWER
from semgjax.scaling.minima import SAME, log_curves, other_curves
from semgjax.scaling.table import table_of


def two_sizes():
    mesh = np.meshgrid([2e5, 2e6], np.geomspace(1.0, 100.0, 5), indexing="ij")
    x = {"N": mesh[0].ravel(), "D": mesh[1].ravel()}
    y = 5.0 + 20.0 * (x["N"] / 2e5) ** -0.4 + 15.0 * x["D"] ** -0.35
    return fit_law(table_of(x, y * np.exp(0.02 * np.random.default_rng(0).standard_normal(10))), CHINCHILLA)


def test_starts_that_reach_the_same_objective_with_other_curves_do_not_agree():
    fit = two_sizes()
    assert fit.starts_agree < 0.5
    assert len(fit.minima) >= 2
    at = {"N": np.array([2e7]), "D": np.array([10.0])}
    values = fit.problem.curve(at, fit.minima)[:, 0]
    assert np.ptp(np.log(values)) > 0.02


def test_a_determined_curve_has_no_other_and_all_starts_agree():
    sizes = np.geomspace(1e4, 1e6, 8)
    fit = fit_law((sizes, 8.0 + 30.0 * (sizes / 1e4) ** -0.4), FLOOR_POWER)
    assert fit.starts_agree > 0.9
    assert len(fit.minima) == 0 or np.abs(np.log(fit.problem.curve({"N": sizes}, fit.minima))).max() > SAME


def test_other_curves_are_kept_once_each_the_best_first():
    sizes = np.geomspace(1e4, 1e6, 8)
    fit = fit_law((sizes, 8.0 + 30.0 * (sizes / 1e4) ** -0.4), FLOOR_POWER)
    steps = np.array([0.0, 0.1, 0.1, 0.2, 0.3])
    thetas = fit.theta + steps[:, None] * np.array([0.0, 1.0, 0.0])
    values = np.array([1.0, 4.0, 4.0, 2.0, np.inf])
    same, others = other_curves(fit.problem, thetas, values, 0)
    assert same.tolist() == [True, False, False, False, False]
    assert np.allclose(others, thetas[[3, 1]])
    assert log_curves(fit.problem, thetas).shape == (5, 16)
