"""A teacher's frames at a student's: the same stay as they are, longer ones repeat, shorter ones keep their spikes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.decode.greedy import greedy
from semgjax.losses.align import at_student_frames, valid_at_student_frames
from tests.refused import refused

K = 5
BLANK = K - 1


def spiky(path: list[int], height: float = 0.95) -> np.ndarray:
    """Log probabilities [1, T, K] with this likeliest class in each frame."""
    p = np.full((1, len(path), K), (1 - height) / (K - 1), np.float32)
    p[0, np.arange(len(path)), path] = height
    return np.log(p)


def keys_of(logits: jax.Array) -> list[int]:
    return greedy(np.asarray(logits[0])).tolist()


def test_frames_of_the_same_length_stay_as_they_are():
    logits = spiky([1, BLANK])
    assert at_student_frames(logits, 2) is logits


@pytest.mark.parametrize("count", [2, 4])
def test_a_spike_of_one_short_frame_keeps_its_height_in_the_long_one(count):
    path = [BLANK] * count + [BLANK] * (count - 1) + [2] + [1] + [BLANK] * (count - 1)
    found = at_student_frames(spiky(path, 0.99), 3)
    p = np.exp(np.asarray(found[0]))
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-5)
    assert keys_of(found) == [2, 1]
    assert p[1, 2] > 0.95 and p[2, 1] > 0.95 and p[0, BLANK] > 0.95
    mean = np.exp(spiky(path, 0.99))[0].reshape(3, count, K).mean(axis=1)
    assert mean[1, 2] <= 0.5


def test_a_long_frame_is_blank_with_the_product_of_the_short_ones_blanks():
    logits = np.random.default_rng(0).normal(size=(2, 6, K)).astype(np.float32)
    p = np.exp(np.asarray(jax.nn.log_softmax(logits, axis=-1), np.float64)).reshape(2, 3, 2, K)
    found = np.exp(np.asarray(at_student_frames(logits, 3), np.float64))
    blank = p[..., BLANK].prod(axis=2)
    keys = p[..., :BLANK].sum(axis=2)
    np.testing.assert_allclose(found[..., BLANK], blank, rtol=1e-5)
    np.testing.assert_allclose(found[..., :BLANK], (1 - blank)[..., None] * keys / keys.sum(-1, keepdims=True),
                               rtol=1e-4)  # fmt: skip


def test_frames_that_are_surely_blank_keep_what_little_they_give_the_keys():
    logits = jnp.full((1, 4, K), -20.0).at[..., BLANK].set(0.0)
    found = at_student_frames(logits, 2)
    expected = np.full((1, 2), np.log(2.0) - 20.0)
    np.testing.assert_allclose(found[..., 0], expected, rtol=1e-4)


def test_impossible_classes_stay_finite():
    logits = jnp.full((1, 4, K), -jnp.inf).at[..., BLANK].set(0.0)
    assert np.isfinite(at_student_frames(logits, 2)).all()


def test_a_long_frame_is_repeated_and_decodes_to_the_same_keys():
    path = [BLANK, 0, BLANK, 0, 3, BLANK]
    found = at_student_frames(spiky(path), 18)
    assert found.shape == (1, 18, K) and keys_of(found) == keys_of(spiky(path)) == [0, 0, 3]


def test_a_frame_counts_where_all_of_the_teachers_frames_lie_on_signal():
    valid = jnp.array([[False, True, True, True, True, False]])
    assert valid_at_student_frames(valid, 6) is valid
    assert valid_at_student_frames(valid, 3).tolist() == [[False, True, False]]
    assert valid_at_student_frames(valid[:, :2], 4).tolist() == [[False, False, True, True]]


def test_frames_that_fit_in_neither_direction_are_refused():
    for function, x in ((at_student_frames, np.zeros((1, 4, K))), (valid_at_student_frames, np.ones((1, 4), bool))):
        with refused("conflict", "3 frames"):
            function(x, 3)
