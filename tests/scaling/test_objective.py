"""Losses and the scale of residuals."""

import numpy as np
import pytest
from scipy.stats import t as t_distribution

from semgjax.errors import InputError
from semgjax.scaling.objective import SMALLEST_DELTA, Objective, delta_by_scale, losses, robust_scale


def test_huber_is_half_the_square_near_and_straight_far():
    found = losses(Objective(), np.array([0.05, -0.5]), 0.1)
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
    np.testing.assert_allclose(losses(Objective(), residuals, 10.0), squares, rtol=1e-15)


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
        (
            ("huber",),
            "objective 'huber': choose one of huber_log, log_ls, log1p_ls, linear_ls, student_t, pinball, asymmetric",
        ),
        (("huber_log", 0.0), "delta 0.0: must be a number above 0, e.g. 0.001"),
        (("huber_log", float("nan")), "delta nan: must be a number above 0, e.g. 0.001"),
        (("log_ls", 0.1), "delta 0.1: only huber_log and student_t have one; leave it out"),
    ],
)
def test_a_wrong_objective_is_refused(arguments, message):
    with pytest.raises(InputError) as caught:
        Objective(*arguments)
    assert str(caught.value) == message
