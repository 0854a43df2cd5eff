"""The terms of a distilled loss against slow plain references, on shapes that show every rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.decode.greedy import greedy
from semgjax.losses.best_path import best_path, best_path_ctc
from semgjax.losses.ctc import ctc
from semgjax.losses.delay import best_delay, delayed
from semgjax.losses.distillation import chosen_kl, frame_kl
from semgjax.losses.divergence import frame_divergence
from semgjax.losses.features import at_frames, feature_distance
from semgjax.losses.frame_choice import batch_mean, frame_weights, row_means, spikes
from semgjax.losses.guiding import guiding
from semgjax.losses.shares import share_at
from tests.refused import refused

B, T, K = 3, 12, 5
BLANK = K - 1


def logits(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, shape or (B, T, K)).astype(np.float32)


STUDENT, TEACHER = logits(0), logits(1)
VALID = np.arange(T)[None, :] < np.array([[T], [7], [0]])


def probabilities(x: np.ndarray) -> np.ndarray:
    e = np.exp(x.astype(np.float64))
    return e / e.sum(axis=-1, keepdims=True)


def path(*classes: int) -> np.ndarray:
    """A sure teacher's logits for one row, [1, T, K]."""
    return np.float32(9.0 * np.eye(K)[list(classes)])[None]


# -- divergences --------------------------------------------------------------------------------------------------


def reference(student: np.ndarray, teacher: np.ndarray, kind: str) -> np.ndarray:
    def kl(p, q):
        return sum(x * np.log(x / y) for x, y in zip(p, q, strict=True))

    found = np.zeros(student.shape[:2])
    for b, t in np.ndindex(*found.shape):
        q, p = probabilities(student[b, t]), probabilities(teacher[b, t])
        m = (p + q) / 2
        found[b, t] = {"forward": kl(p, q), "reverse": kl(q, p), "js": (kl(p, m) + kl(q, m)) / 2}[kind]
    return found


@pytest.mark.parametrize("kind", ["forward", "reverse", "js"])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_each_divergence_is_its_formula_and_zero_for_equal_logits(kind, temperature):
    found = frame_divergence(STUDENT, TEACHER, temperature, kind)
    np.testing.assert_allclose(found, reference(STUDENT / temperature, TEACHER / temperature, kind), rtol=2e-4)
    np.testing.assert_allclose(frame_divergence(TEACHER, TEACHER, temperature, kind), 0.0, atol=1e-6)


def test_the_jensen_shannon_divergence_is_symmetric_and_at_most_log_2():
    np.testing.assert_allclose(
        frame_divergence(STUDENT, TEACHER, 1.0, "js"), frame_divergence(TEACHER, STUDENT, 1.0, "js"), rtol=1e-4
    )
    assert float(frame_divergence(path(0), path(1), 0.1, "js")[0, 0]) == pytest.approx(np.log(2), rel=1e-4)


@pytest.mark.parametrize("kind", ["forward", "reverse", "js"])
def test_impossible_classes_leave_loss_and_gradient_finite(kind):
    student, teacher = STUDENT.copy(), TEACHER.copy()
    teacher[:, ::2, 0] = student[:, ::3, 1] = -np.inf
    value, gradient = jax.value_and_grad(lambda x: frame_kl(x, teacher, VALID, 1.0, 0.0, kind))(student)
    assert np.isfinite(value) and np.isfinite(gradient).all()


# -- frames that count --------------------------------------------------------------------------------------------


def test_frames_within_reach_of_a_spike_count_on_both_sides():
    teacher = path(BLANK, BLANK, BLANK, 2, BLANK, BLANK, BLANK, BLANK, BLANK, BLANK, BLANK, 0)
    every = np.ones((1, T), bool)
    for around, wanted in ((0, [3, 11]), (1, [2, 3, 4, 10, 11]), (3, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11])):
        assert list(np.flatnonzero(frame_weights(teacher, every, "spikes", around=around)[0])) == wanted
    late = every & (np.arange(T) < 11)  # a spike on padding selects nothing
    assert list(np.flatnonzero(frame_weights(teacher, late, "spikes", around=1)[0])) == [2, 3, 4]
    assert not np.asarray(frame_weights(path(*[BLANK] * T), every, "spikes", around=50)).any()


def test_frames_whose_blank_is_less_sure_than_the_threshold_count():
    blank = probabilities(TEACHER)[..., BLANK]
    for threshold in (0.05, 0.5, 1.0):
        np.testing.assert_array_equal(frame_weights(TEACHER, VALID, "blank", threshold), VALID & (blank < threshold))


def test_by_entropy_a_frame_counts_from_nothing_if_sure_to_one_if_open():
    p = probabilities(TEACHER)
    wanted = -(p * np.log(p)).sum(axis=-1) / np.log(K) * VALID
    np.testing.assert_allclose(frame_weights(TEACHER, VALID, "entropy"), wanted, rtol=1e-4)
    even, sure = np.zeros((1, 1, K), np.float32), np.where(np.arange(K) == 1, 0.0, -np.inf)[None, None]
    one = np.ones((1, 1), bool)
    assert float(frame_weights(even, one, "entropy")[0, 0]) == pytest.approx(1.0)
    assert float(frame_weights(sure, one, "entropy")[0, 0]) == 0.0


def test_a_mean_over_chosen_frames_ignores_the_others_and_is_zero_without_any():
    weight = np.asarray(frame_weights(TEACHER, VALID, "blank", 0.3))
    found = chosen_kl(STUDENT, TEACHER, weight, 2.0, 3.0)
    each = 4 * reference(STUDENT / 2, TEACHER / 2, "forward") * (1 + 3 * (1 - probabilities(TEACHER)[..., BLANK]))
    assert 0 < weight.sum() < VALID.sum()
    wanted = [(each[b] * weight[b]).sum() / max(weight[b].sum(), 1) for b in range(B)]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert float(found[2]) == 0.0


def test_values_on_frames_that_do_not_count_reach_neither_mean_nor_gradient():
    value = np.where(VALID, 1.0, np.nan).astype(np.float32)
    mean, gradient = jax.value_and_grad(lambda x: row_means(x, VALID.astype(np.float32)).sum())(value)
    assert float(mean) == 2.0
    np.testing.assert_allclose(gradient, VALID / np.maximum(VALID.sum(axis=1, keepdims=True), 1))


def test_with_all_frames_the_rows_mean_is_the_frames_mean_and_parts_add_up():
    rows = chosen_kl(STUDENT, TEACHER, frame_weights(TEACHER, VALID, "all"), 2.0)
    whole = float(batch_mean(rows, VALID, VALID))
    assert whole == pytest.approx(float(frame_kl(STUDENT, TEACHER, VALID, 2.0)), rel=1e-5)
    parts = [float(batch_mean(rows[part], VALID[part], VALID)) for part in (slice(0, 1), slice(1, 3))]
    assert sum(parts) == pytest.approx(whole, rel=1e-5)


# -- delay --------------------------------------------------------------------------------------------------------


def later_by(x: np.ndarray, frames: int) -> np.ndarray:
    return np.concatenate([logits(9)[:, :frames], x[:, : T - frames]], axis=1)


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_a_copy_that_is_late_costs_nothing_within_the_tolerance(frames):
    every = np.ones((B, T), bool)
    late = later_by(TEACHER, frames)
    delay = best_delay(late, TEACHER, every.astype(np.float32), every, 3)
    assert list(delay) == [frames] * B
    moved, seen = delayed(late, every, delay)
    assert int(seen.sum()) == B * (T - frames)
    np.testing.assert_allclose(chosen_kl(moved, TEACHER, seen.astype(np.float32), 1.0), 0.0, atol=1e-6)
    if frames:
        assert float(chosen_kl(late, TEACHER, every.astype(np.float32), 1.0).min()) > 0.1


def test_the_delay_of_each_row_is_the_one_of_the_least_mean_over_common_frames():
    found = best_delay(STUDENT, TEACHER, VALID.astype(np.float32), VALID, 8, 2.0, "reverse")
    for b in range(B):
        means = []
        for shift in range(9):
            common = [t for t in range(T - shift) if VALID[b, t] and VALID[b, t + shift]]
            each = reference(np.roll(STUDENT, -shift, axis=1) / 2, TEACHER / 2, "reverse")[b]
            means.append(np.mean(each[common]) if common else np.inf)
        assert int(found[b]) == int(np.argmin(means))


# -- guiding mask, best path, features, schedules -----------------------------------------------------------------


def test_the_guiding_mask_is_one_minus_the_probability_of_the_teachers_keys():
    p, best = probabilities(STUDENT), TEACHER.argmax(axis=-1)
    for b, found in enumerate(np.asarray(guiding(STUDENT, TEACHER, VALID))):
        at = [p[b, t, best[b, t]] for t in range(T) if VALID[b, t] and best[b, t] != BLANK]
        assert found == pytest.approx(1 - np.mean(at) if at else 0.0, rel=1e-4)
    sure = path(0, BLANK, 2, BLANK)
    assert float(guiding(5 * sure, sure, np.ones((1, 4), bool))[0]) == pytest.approx(0.0, abs=1e-6)
    assert float(guiding(sure, path(*[BLANK] * 4), np.ones((1, 4), bool))[0]) == 0.0


def test_the_best_path_is_the_greedy_decoding_of_valid_frames():
    teacher = np.repeat(logits(3, B, T // 2, K), 2, axis=1)
    labels, count = best_path(teacher, VALID, T)
    for b in range(B):
        alone = np.where(VALID[b][:, None], teacher[b], 9.0 * np.eye(K)[BLANK])
        wanted = greedy(alone)
        assert list(labels[b, : int(count[b])]) == list(wanted)
    assert list(np.asarray(best_path(path(1, 1, BLANK, 1, 2, 2), np.ones((1, 6), bool), 6)[0][0])) == [1, 1, 2, 0, 0, 0]


def test_hard_targets_cost_ctc_per_label_of_the_best_path():
    teacher = np.concatenate([path(1, 1, BLANK, 2, *[BLANK] * 8), path(*[BLANK] * T), path(*[0, 1] * 6)])
    every = np.ones((B, T), bool)
    found = best_path_ctc(STUDENT, teacher, every)
    labels, count = np.array([[1, 2], [0, 0]], np.int32), np.array([2, 0], np.int32)
    exact, _ = ctc(STUDENT[:2], labels, count)
    # The third row has a key in every frame, more than are kept.
    np.testing.assert_allclose(found, [exact[0] / 2, exact[1], 0.0], rtol=1e-5)


def test_features_match_up_to_scale_and_offset_of_the_teachers_frames():
    teacher = logits(4, B, T, 6)
    unit = (teacher - teacher.mean(-1, keepdims=True)) / teacher.std(-1, keepdims=True)
    turn = np.linalg.qr(logits(5, 6, 6))[0].astype(np.float32)
    projector = {"kernel": turn, "bias": np.zeros(6, np.float32)}
    same = feature_distance(unit @ turn.T, 7 * teacher + 3, projector, VALID)
    np.testing.assert_allclose(same, 0.0, atol=1e-4)
    nothing = {"kernel": 0 * turn, "bias": np.zeros(6, np.float32)}
    np.testing.assert_allclose(feature_distance(unit, teacher, nothing, VALID), [1.0, 1.0, 0.0], rtol=1e-4)


def test_hidden_frames_of_another_stride_are_averaged_or_repeated():
    x = logits(6, 1, 4, 2)
    np.testing.assert_allclose(at_frames(x, 2), x.reshape(1, 2, 2, 2).mean(axis=2), rtol=1e-6)
    np.testing.assert_array_equal(at_frames(x, 8), np.repeat(x, 2, axis=1))
    with refused("conflict", "3 frames"):
        at_frames(x, 3)


def test_the_share_moves_from_the_first_to_the_last_step():
    assert share_at(7, 10, 0.9, 0.1, "constant") == 0.9
    for schedule, middle in (("linear", 0.5), ("cosine", 0.5)):
        found = [float(share_at(step, 11, 0.9, 0.1, schedule)) for step in (0, 5, 10)]
        assert found == pytest.approx([0.9, middle, 0.1], abs=1e-6)
    assert float(share_at(2, 11, 1.0, 0.0, "cosine")) == pytest.approx(0.5 * (1 + np.cos(np.pi / 5)), rel=1e-5)
    assert float(share_at(0, 1, 0.9, 0.1, "linear")) == pytest.approx(0.9)


# -- gradients ----------------------------------------------------------------------------------------------------


def all_terms(student, teacher, hidden, teacher_hidden):
    weight = frame_weights(teacher, VALID, "entropy")
    delay = best_delay(student, teacher, weight, VALID, 2)
    moved, seen = delayed(student, VALID, delay)
    projector = {"kernel": jnp.ones((4, 6)), "bias": jnp.zeros(6)}
    rows = (
        chosen_kl(moved, teacher, weight * seen, 2.0, 1.0, "js")
        + guiding(moved, teacher, seen)
        + best_path_ctc(student, teacher, VALID)
        + feature_distance(hidden, teacher_hidden, projector, VALID)
    )
    return batch_mean(rows, VALID, VALID)


def test_no_term_has_a_gradient_to_the_teacher_and_all_are_finite_to_the_student():
    teacher = TEACHER.copy()
    teacher[:, ::2, 0] = -np.inf
    arguments = (STUDENT, teacher, logits(7, B, T, 4), logits(8, B, T, 6))
    found = jax.jit(jax.grad(all_terms, (0, 1, 2, 3)))(*arguments)
    assert all(np.isfinite(one).all() for one in found)
    assert np.asarray(found[0]).any() and np.asarray(found[2]).any()
    assert not np.asarray(found[1]).any() and not np.asarray(found[3]).any()
    assert not np.asarray(found[0])[2].any()  # a row of padding


def test_spikes_are_valid_frames_at_which_a_key_is_likeliest():
    np.testing.assert_array_equal(spikes(TEACHER, VALID), VALID & (TEACHER.argmax(axis=-1) != BLANK))
