"""Attention in blocks and in tiles against attention over all pairs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.kernels.blocks import block_attention
from semgjax.kernels.tiles import tiled_attention
from semgjax.model.encoder import attention as full_attention
from tests.model.small import quick_jit


def tensors(time: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(time)
    return [rng.normal(size=(2, time, 2, 4)).astype(np.float32) for _ in range(count)]


def seen_by(valid: np.ndarray, window: int, causal: bool) -> np.ndarray:
    """Keys that each query may see, bool [B, query, key], from the definition."""
    visible = np.zeros((*valid.shape, valid.shape[1]), bool)
    for row, query, key in np.ndindex(visible.shape):
        near = abs(query - key) < window and (not causal or key <= query)
        visible[row, query, key] = near and valid[row, key]
    return visible


def partly_valid(time: int) -> np.ndarray:
    """One row whose first frames are padding, one with gaps."""
    valid = np.random.default_rng(3).random((2, time)) < 0.6
    valid[0] = np.arange(time) >= time // 3
    return valid


def compare(attention, time: int, window: int | None, causal: bool, rtol: float) -> None:
    """Values and gradients of a formulation against attention over all pairs, queries without a key included."""
    q, k, v, upstream = tensors(time, 4)
    valid = partly_valid(time)
    seeing = seen_by(valid, window or time, causal).any(axis=2)
    assert seeing.sum() > time // 2 and not valid.all()

    def value_and_gradients(attention):
        def loss(q, k, v):
            out = attention(q, k, v, valid, window, causal)
            return (out * upstream).sum(), out

        (_, out), gradients = jax.value_and_grad(loss, (0, 1, 2), has_aux=True)(q, k, v)
        return out, *gradients

    found, wanted = quick_jit(lambda: (value_and_gradients(attention), value_and_gradients(full_attention)))()
    np.testing.assert_allclose(np.asarray(found[0]), np.asarray(wanted[0]), rtol=rtol, atol=1e-5)
    for ours, reference in zip(found[1:], wanted[1:], strict=True):
        assert np.abs(reference).max() > 0.01 or window == 1
        np.testing.assert_allclose(ours, reference, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("time", "window"), [(17, 4), (9, 1), (6, 8)])
def test_attention_in_blocks_equals_attention_over_all_pairs(time, window, causal):
    compare(block_attention, time, window, causal, rtol=1e-4)


# One tile; one that the window exceeds; several, the last one short; and full attention in one, two and eight tiles.
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    ("time", "window"), [(17, 4), (9, 1), (6, 8), (150, 20), (129, 200), (11, None), (30, None), (150, None)]
)
def test_attention_in_tiles_equals_attention_over_all_pairs(time, window, causal):
    compare(tiled_attention, time, window, causal, rtol=1e-5)


@pytest.mark.parametrize("window", [20, None])
def test_attention_in_tiles_takes_half_precision(window):
    q, k, v = (jnp.asarray(x, jnp.bfloat16) for x in tensors(70, 3))
    valid = np.ones((2, 70), bool)
    found = quick_jit(lambda: tiled_attention(q, k, v, valid, window, True))()
    wanted = quick_jit(lambda: full_attention(*(x.astype(jnp.float32) for x in (q, k, v)), valid, window, True))()
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(found, np.float32), wanted, atol=0.03)


@pytest.mark.parametrize("attention", [full_attention, block_attention, tiled_attention])
def test_a_query_that_sees_no_key_gets_zero(attention):
    q, k, v = tensors(9, 3)
    valid = np.arange(9)[None].repeat(2, 0) >= 4
    for window in (3, None):
        if window is None and attention is block_attention:
            continue
        found = np.asarray(quick_jit(lambda window=window: attention(q, k, v, valid, window, True))())
        assert not found[:, :4].any() and found[:, 4:].all()


def test_scores_of_any_size_stay_finite_in_tiles():
    q, k, v = tensors(40, 3)
    found = quick_jit(lambda: tiled_attention(1e3 * q, 1e3 * k, v, np.ones((2, 40), bool), None, True))()
    wanted = quick_jit(lambda: full_attention(1e3 * q, 1e3 * k, v, np.ones((2, 40), bool), None, True))()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("window", [3, None])
def test_a_query_gets_the_softmax_average_of_the_keys_it_may_see(window, causal):
    q, k, v = tensors(7, 3)
    valid = partly_valid(7)
    visible = seen_by(valid, window or 7, causal)
    found = np.asarray(quick_jit(lambda: full_attention(q, k, v, valid, window, causal))())
    for row, query, head in np.ndindex(2, 7, 2):
        keys = np.flatnonzero(visible[row, query])
        if len(keys):
            weight = np.exp(k[row, keys, head].astype(np.float64) @ q[row, query, head] / 2.0)
            wanted = weight @ v[row, keys, head] / weight.sum()
            np.testing.assert_allclose(found[row, query, head], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("attention", [block_attention, full_attention, tiled_attention])
def test_a_query_without_a_visible_key_gives_finite_values_and_gradients(attention):
    q, k, v = tensors(9, 3)
    valid = np.zeros((2, 9), bool)
    valid[1, 8] = True

    def loss(q, k, v):
        out = attention(q, k, v, valid, 3, True)
        return out.sum(), out

    (_, out), gradients = quick_jit(jax.value_and_grad(loss, (0, 1, 2), has_aux=True))(q, k, v)
    assert not seen_by(valid, 3, True).any(axis=2)[0].any()
    assert all(np.isfinite(array).all() for array in (out, *gradients))
