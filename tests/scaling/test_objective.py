"""Losses and the scale of residuals."""

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.objective import SMALLEST_DELTA, Objective, delta_by_scale, loss, robust_scale


def test_huber_is_half_the_square_near_and_straight_far():
    value, first, second = loss(np.array([0.05, -0.5]), 0.1)
    assert value == pytest.approx(0.5 * 0.05**2 + 0.1 * (0.5 - 0.05))
    np.testing.assert_allclose(first, [0.05, -0.1])
    np.testing.assert_array_equal(second, [1.0, 0.0])


def test_a_delta_beyond_all_residuals_gives_least_squares():
    residuals = np.array([0.3, -0.2, 0.01])
    assert loss(residuals, 10.0)[0] == pytest.approx(loss(residuals, None)[0], rel=1e-15)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("huber",), "objective 'huber': choose huber_log or log_ls"),
        (("huber_log", 0.0), "delta 0.0: must be a number above 0, e.g. 0.001"),
        (("huber_log", float("nan")), "delta nan: must be a number above 0, e.g. 0.001"),
        (("log_ls", 0.1), "delta 0.1: only huber_log has one; leave it out"),
    ],
)
def test_a_wrong_objective_is_refused(arguments, message):
    with pytest.raises(InputError) as caught:
        Objective(*arguments)
    assert str(caught.value) == message
