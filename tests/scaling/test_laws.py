"""The declared laws: values, derivatives and ranges."""

import numpy as np
import pytest

from semgjax.scaling.laws import FLOOR_POWER, LAWS, POWER, log_curve, log_curve_gradient

X = np.array([-2.0, -0.5, 0.3, 1.9])


def test_floor_power_is_its_formula():
    values = np.exp(log_curve(FLOOR_POWER, np.log([8.0, 20.0]), np.array([0.4]), X))
    assert values == pytest.approx(8.0 + 20.0 * np.exp(-0.4 * X), rel=1e-14)


def test_power_is_its_formula():
    values = np.exp(log_curve(POWER, np.log([20.0]), np.array([0.4]), X))
    assert values == pytest.approx(20.0 * np.exp(-0.4 * X), rel=1e-14)


def test_floor_power_without_its_floor_is_power():
    without = log_curve(FLOOR_POWER, np.array([-np.inf, np.log(20.0)]), np.array([0.4]), X)
    np.testing.assert_array_equal(without, log_curve(POWER, np.log([20.0]), np.array([0.4]), X))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_the_gradient_is_the_slope_of_the_curve(law):
    terms = len(law.linear)
    theta = np.concatenate([np.log([3.0, 20.0][-terms:]), [0.7]])
    value, gradient = log_curve_gradient(law, theta[:terms], theta[terms:], X)
    np.testing.assert_allclose(value, log_curve(law, theta[:terms], theta[terms:], X), rtol=1e-15)
    for index in range(len(theta)):
        step = np.zeros(len(theta))
        step[index] = 1e-6
        above, below = (log_curve(law, t[:terms], t[terms:], X) for t in (theta + step, theta - step))
        np.testing.assert_allclose(gradient[:, index], (above - below) / 2e-6, atol=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_terms_of_a_batch_of_shapes_are_those_of_each(law):
    shapes = np.array([[0.1], [0.5], [2.0]])
    batch = law.log_terms(shapes, X)
    assert batch.shape == (3, len(X), len(law.linear))
    for shape, terms in zip(shapes, batch, strict=True):
        np.testing.assert_array_equal(terms, law.log_terms(shape, X))
