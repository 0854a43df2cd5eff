"""KL to the teacher's frame logits: its formula, its mask, its gradient."""

import jax
import numpy as np
import pytest

from semgjax.data.keys import BLANK
from semgjax.losses.distillation import frame_kl, mix
from tests.model.small import quick_jit


def logits(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, (2, 5, 99)).astype(np.float32)


STUDENT, TEACHER = logits(0), logits(1)
VALID = np.array([[True, True, False, True, True], [False, False, True, True, False]])


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_loss_is_the_mean_kl_of_valid_frames_times_the_temperature_squared(temperature):
    p, q = (log_softmax(x.astype(np.float64) / temperature) for x in (TEACHER, STUDENT))
    per_frame = (np.exp(p) * (p - q)).sum(axis=-1)
    wanted = temperature**2 * per_frame[VALID].mean()
    assert wanted > 0.1
    assert float(frame_kl(STUDENT, TEACHER, VALID, temperature)) == pytest.approx(wanted, rel=1e-4)


def test_frames_with_keys_count_more_by_the_teachers_probability():
    p, q = (log_softmax(x.astype(np.float64)) for x in (TEACHER, STUDENT))
    count = 1 + 20 * (1 - np.exp(p[..., BLANK]))
    wanted = (count * (np.exp(p) * (p - q)).sum(axis=-1))[VALID].sum() / VALID.sum()
    assert float(frame_kl(STUDENT, TEACHER, VALID, 1.0, 20.0)) == pytest.approx(wanted, rel=1e-4)


def test_equal_logits_and_logits_shifted_per_frame_cost_nothing():
    assert float(frame_kl(TEACHER, TEACHER, VALID, 2.0)) == 0.0
    assert float(frame_kl(TEACHER + 5.0, TEACHER, VALID, 2.0)) == pytest.approx(0.0, abs=1e-4)


def test_the_teacher_is_the_first_distribution_of_the_kl():
    """Missing what the teacher finds likely costs much, putting a little where it puts nothing costs little."""
    sure, even = np.zeros((1, 1, 99), np.float32), np.zeros((1, 1, 99), np.float32)
    sure[..., 0] = 20.0
    one = np.ones((1, 1), bool)
    assert float(frame_kl(even, sure, one, 1.0)) == pytest.approx(np.log(99), rel=1e-3)
    assert float(frame_kl(sure, even, one, 1.0)) > 10


def test_frames_outside_the_mask_have_no_influence_on_loss_and_gradient():
    loss = quick_jit(jax.value_and_grad(frame_kl), static_argnums=3)
    value, gradient = loss(STUDENT, TEACHER, VALID, 2.0)
    garbage = np.where(VALID[..., None], STUDENT, 50 * logits(2)).astype(np.float32)
    other_value, other_gradient = loss(garbage, TEACHER, VALID, 2.0)
    assert float(value) == float(other_value)
    np.testing.assert_array_equal(gradient, other_gradient)
    assert not np.asarray(gradient)[~VALID].any()
    assert np.abs(np.asarray(gradient)[VALID]).max(axis=-1).min() > 1e-4


def test_no_valid_frame_costs_nothing():
    assert float(frame_kl(STUDENT, TEACHER, np.zeros_like(VALID), 1.0)) == 0.0


def test_no_gradient_reaches_the_teacher():
    student, teacher = quick_jit(jax.grad(frame_kl, (0, 1)), static_argnums=3)(STUDENT, TEACHER, VALID, 2.0)
    assert not np.asarray(teacher).any()
    assert np.asarray(student).any()


def test_half_precision_logits_give_a_float32_loss_near_the_exact_one():
    half = [jax.numpy.asarray(x, jax.numpy.bfloat16) for x in (STUDENT, TEACHER)]
    found = frame_kl(*half, VALID, 1.0)
    exact = frame_kl(*(np.asarray(x, np.float32) for x in half), VALID, 1.0)
    assert found.dtype == np.float32
    assert float(found) == pytest.approx(float(exact), rel=1e-5)


def test_the_mix_weighs_kl_and_ctc_to_one():
    assert float(mix(2.0, 10.0, 0.9)) == pytest.approx(2.8)
    assert float(mix(2.0, 10.0, 1.0)) == 2.0
