"""Restricted likelihood of noise models: against the textbook formula with full matrices, and against t."""

import numpy as np
import pytest
from scipy import stats

from semgjax.scaling.restricted import NoiseModels, basis_of, group_sums, restricted, weigh

GROUPS = np.array([0, 0, 1, 1, 1, 2, 3, 3])
SLOPES = np.column_stack([np.ones(8), np.linspace(-1.0, 1.0, 8)])


def dense(residuals, own, shared):
    """(log likelihood, scale) by full matrices, without the constant."""
    v = np.diag(own) + shared * np.equal.outer(GROUPS, GROUPS)
    inverse = np.linalg.inv(v)
    basis = basis_of(SLOPES)
    inner = basis.T @ inverse @ basis
    p = inverse - inverse @ basis @ np.linalg.inv(inner) @ basis.T @ inverse
    scale = residuals @ p @ residuals / 6
    determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(inner)[1]
    return -0.5 * (6 * np.log(scale) + determinants), scale


@pytest.mark.parametrize("shared", [0.0, 0.3, 100.0])
def test_the_likelihood_is_that_of_full_matrices(shared):
    random = np.random.default_rng(0)
    residuals, own = random.standard_normal((3, 8)), np.exp(random.standard_normal((2, 8)))
    likelihoods, scales = restricted(residuals, basis_of(SLOPES), own, np.full(2, shared), GROUPS)
    for k in range(2):
        for m in range(3):
            assert (likelihoods[k, m], scales[k, m]) == pytest.approx(dense(residuals[m], own[k], shared), rel=1e-9)


def test_one_model_gives_students_interval():
    residuals = np.random.default_rng(0).standard_normal(8)
    residuals -= SLOPES @ np.linalg.lstsq(SLOPES, residuals, rcond=None)[0]
    models = weigh(residuals, SLOPES, np.ones((1, 8)), np.zeros(1), GROUPS, np.ones(1), np.ones(8, bool))
    influence = np.full((1, 8), 1 / 8)
    expected = stats.t.ppf(0.975, 6) * np.sqrt(residuals @ residuals / 6 / 8)
    assert models.half_widths(influence, 0.95)[0] == pytest.approx(expected, rel=1e-3)
    assert models.freedom == 6 and models.shared_part == 0.0


def test_an_average_of_models_lies_between_them_and_leaves_the_stated_part_outside():
    models = NoiseModels(np.array([[1.0], [9.0]]), np.zeros(2), np.zeros(1, int), np.array([0.5, 0.5]), np.inf)
    half = models.half_widths(np.ones((1, 1)), 0.9)[0]
    assert np.mean([2 * stats.norm.sf(half), 2 * stats.norm.sf(half / 3)]) == pytest.approx(0.1, rel=2e-3)


def test_draws_have_the_variance_and_the_shared_part_of_their_model():
    models = NoiseModels(np.full((1, 8), 1.0), np.array([3.0]), GROUPS, np.ones(1), np.inf)
    drawn = models.draws(20000, np.random.default_rng(0))
    covariance = np.cov(drawn.T)
    assert np.diagonal(covariance) == pytest.approx(np.full(8, 4.0), rel=0.1)
    assert covariance[0, 1] == pytest.approx(3.0, rel=0.1) and abs(covariance[0, 2]) < 0.15


def test_sums_over_groups_need_no_order():
    groups = np.array([2, 0, 1, 0])
    assert group_sums(np.array([[1.0, 2.0, 3.0, 4.0]]), groups).tolist() == [[6.0, 3.0, 1.0]]
