"""Dropout's share, scale and independence, and that devices do not matter to it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.kernels.bits import random_bits
from semgjax.model.encoder import dropout
from tests.model.small import quick_jit

SHAPE = (40, 50, 64)
draw = quick_jit(lambda seed: random_bits(jax.random.key(seed), jnp.arange(SHAPE[0]), SHAPE) >> 24)


def test_the_bytes_are_uniform():
    counts = np.bincount(np.asarray(draw(0)).ravel(), minlength=256)
    expected = counts.sum() / 256
    assert len(counts) == 256
    assert ((counts - expected) ** 2 / expected).sum() == pytest.approx(255, abs=5 * (2 * 255) ** 0.5)


def test_neighbours_seeds_and_words_of_a_key_are_independent():
    one = np.asarray(draw(0)) >= 51
    others = [np.asarray(draw(1)) >= 51, *(np.roll(one, shift, axis) for axis in range(3) for shift in (1, 2, 32))]
    for other in others:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / one.size**0.5


def test_a_rows_bits_depend_on_its_number_and_not_on_its_neighbours():
    rows = jnp.array([7, 31])
    part = random_bits(jax.random.key(3), rows, (2, *SHAPE[1:])) >> 24
    np.testing.assert_array_equal(part, draw(3)[rows])


def test_bits_are_those_of_the_mixer_in_plain_integers():
    key = jax.random.key(5)
    words = [int(word) for word in jax.random.bits(key, (2,), jnp.uint32)]

    def mixed(x):
        x = (x ^ (x >> 16)) * 0x85EBCA6B % 2**32
        x = (x ^ (x >> 13)) * 0xC2B2AE35 % 2**32
        return x ^ (x >> 16)

    found = random_bits(key, jnp.array([2, 9]), (2, 3, 4))
    wanted = [
        [[mixed(mixed(((r * 3 + i) * 4 + j) ^ words[0]) ^ words[1]) for j in range(4)] for i in range(3)]
        for r in (2, 9)
    ]
    np.testing.assert_array_equal(found, np.array(wanted, np.uint32))


def test_rows_and_columns_keep_their_share():
    kept = np.asarray(draw(3)) >= 51
    for axes in ((0, 1), (1, 2), (0, 2)):
        share = kept.mean(axis=axes)
        deviation = (0.2 * 0.8 * share.size / kept.size) ** 0.5
        assert np.abs(share - 205 / 256).max() < 5 * deviation


@pytest.mark.parametrize("kind", [jnp.float32, jnp.bfloat16])
def test_dropout_keeps_the_mean_and_the_type_and_lets_gradients_through_where_it_kept(kind):
    x = jnp.ones((100, 200), kind)

    def dropped(x):
        return dropout(x, jnp.arange(100), 0.2, jax.random.key(0))

    y, gradient = quick_jit(lambda x: (dropped(x), jax.grad(lambda x: dropped(x).sum())(x)))(x)
    assert y.dtype == kind
    assert np.asarray(y, np.float32).mean() == pytest.approx(1.0, abs=0.02)
    np.testing.assert_array_equal(y, gradient)
    assert (np.asarray(y) == 0).mean() == pytest.approx(0.2, abs=0.02)


def test_without_training_and_at_rate_zero_nothing_is_drawn():
    x = jnp.ones((3, 4))
    assert dropout(x, jnp.arange(3), 0.2, None) is x
    assert dropout(x, jnp.arange(3), 0.0, jax.random.key(0)) is x
