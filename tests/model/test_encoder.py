"""The decoder's parts against the library, and what padding, types and random keys do to its logits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model import encoder
from semgjax.model.presets import preset
from tests.golden_files import check_golden_numbers
from tests.model.small import SMALL, quick_jit, random_emg, random_params, small
from tests.refused import refused

STRIDE, FRAMES = SMALL.stride, 14


@pytest.fixture(scope="module")
def params():
    return random_params(SMALL)


@pytest.fixture(scope="module")
def forward():
    """(params, emg, valid) -> logits; attention is in blocks for the 14 frames of most tests."""
    return quick_jit(lambda params, emg, valid: encoder.apply(SMALL, params, emg, valid))


def test_the_position_gains_scale_whole_taps_and_start_as_the_norms():
    params = quick_jit(lambda: encoder.init(SMALL, jax.random.key(0)))()["position"]
    x = random_emg(1, 2)[..., :8]
    direction, gain = params["direction"], params["gain"]
    np.testing.assert_allclose(gain, np.sqrt((np.asarray(direction) ** 2).sum(axis=(1, 2))), rtol=1e-5)
    scaled = {**params, "direction": direction * jnp.arange(1.0, 5.0)[:, None, None]}
    apply = quick_jit(lambda params: encoder.position(SMALL, params, x))
    np.testing.assert_allclose(apply(scaled), apply(params), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(apply({**params, "gain": jnp.zeros(4)}), np.zeros_like(x))


def test_a_seeds_initial_values_are_those_of_earlier_versions(request):
    """The golden file was written when modules of Flax Linen made the parameters."""
    params = jax.jit(lambda: encoder.init(preset("ladder-16"), jax.random.key(7)))()
    found = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        flat = np.asarray(leaf).ravel().astype(np.float64)
        sums = [flat.sum(), (flat**2).sum()]
        found[jax.tree_util.keystr(path)] = [*map(float, leaf.shape), *flat[:3].tolist(), *map(float, sums)]
    check_golden_numbers(request, "initial_values_ladder_16.json", found, rtol=1e-5)


@pytest.mark.parametrize("padding", [1, 4, 9])
def test_padding_before_the_signal_changes_nothing(forward, params, padding):
    """What lets a stream start with no past: 5 frames alone are one product, with the padding they are blocks."""
    emg = random_emg(2, 5)
    alone = forward(params, emg, np.ones(emg.shape[:2], bool))
    before = np.zeros((2, padding * STRIDE, 32), np.float32)
    valid = np.arange((padding + 5) * STRIDE)[None, :].repeat(2, 0) >= padding * STRIDE
    padded = forward(params, np.concatenate([before, emg], axis=1), valid)
    np.testing.assert_allclose(padded[:, padding:], alone, rtol=1e-5, atol=1e-5)


def test_what_stands_in_invalid_samples_has_no_influence_on_valid_frames(forward, params):
    emg, garbage = random_emg(2, FRAMES), 100 * random_emg(2, FRAMES, seed=1)
    valid = np.ones(emg.shape[:2], bool)
    valid[0, : 4 * STRIDE + 3], valid[1, 9 * STRIDE - 5 :] = False, False
    frames = valid[:, STRIDE - 1 :: STRIDE]
    assert frames.sum(axis=1).tolist() == [10, 8]
    found = np.asarray(forward(params, np.where(valid[..., None], emg, garbage), valid))
    np.testing.assert_array_equal(found[frames], np.asarray(forward(params, emg, valid))[frames])
    assert not np.array_equal(found, forward(params, garbage, valid))


def test_a_row_without_any_signal_gives_finite_logits(forward, params):
    logits = forward(params, random_emg(2, FRAMES), np.zeros((2, FRAMES * STRIDE), bool))
    assert np.isfinite(logits).all()


def test_rows_of_a_batch_do_not_mix(forward, params):
    emg, other = random_emg(2, FRAMES), random_emg(2, FRAMES, seed=2)
    valid = np.ones(emg.shape[:2], bool)
    found = forward(params, np.stack([emg[0], other[1]]), valid)
    np.testing.assert_array_equal(found[0], forward(params, emg, valid)[0])


def test_logits_are_float32_for_both_compute_types_and_nearly_equal(forward, params):
    emg, valid = random_emg(2, FRAMES), np.ones((2, FRAMES * STRIDE), bool)
    full, half = forward(params, emg, valid), forward(params, jnp.asarray(emg, jnp.bfloat16), valid)
    assert full.dtype == half.dtype == jnp.float32
    assert full.shape == half.shape == (2, FRAMES, 99)
    gap = np.abs(np.asarray(full) - np.asarray(half))
    assert gap.max() > 0 and gap.mean() < 0.05 * np.std(full)


@pytest.mark.parametrize("noise", [{"mask_share": 0.0}, {"dropout": 0.0, "mask_length": 3}])
def test_dropout_and_time_masks_come_with_a_training_key_and_are_functions_of_it(forward, params, noise):
    config = small(**noise)
    emg, valid = random_emg(2, FRAMES), np.ones((2, FRAMES * STRIDE), bool)
    train = quick_jit(lambda key: encoder.apply(config, params, emg, valid, key))
    without = np.asarray(forward(params, emg, valid))
    np.testing.assert_array_equal(without, forward(params, emg, valid))
    first, again, other = (np.asarray(train(jax.random.key(seed))) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-3)
    assert not np.allclose(first, without, atol=1e-3)


def test_a_model_without_dropout_and_masks_trains_on_its_plain_logits(forward, params):
    config = small(dropout=0.0, mask_share=0.0)
    emg, valid = random_emg(2, FRAMES), np.ones((2, FRAMES * STRIDE), bool)
    found = quick_jit(lambda key: encoder.apply(config, params, emg, valid, key))(jax.random.key(0))
    np.testing.assert_allclose(found, forward(params, emg, valid), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("share", "length"), [(0.3, 15), (0.6, 4), (0.2, 1)])
def test_time_masks_cover_the_share_that_overlaps_leave(share, length):
    mask = np.asarray(encoder.time_mask(jax.random.key(0), jnp.arange(2000), 100, share, length))
    wanted = 1 - (1 - share / length) ** length
    assert mask[:, length:].mean() == pytest.approx(wanted, abs=0.01)
    assert mask[:, 0].mean() == pytest.approx(share / length, abs=0.015)


def test_time_masks_are_spans_of_their_length_or_longer():
    mask = np.asarray(encoder.time_mask(jax.random.key(1), jnp.arange(50), 200, 0.2, 5))
    for row in mask:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(int)))
        lengths = edges[1::2] - edges[::2]
        assert (lengths[: -1 if row[-1] else None] >= 5).all()
    assert mask.any()


@pytest.mark.parametrize("shape", [(1, 3 * STRIDE + 1, 32), (1, 3 * STRIDE, 16)])
def test_an_input_of_the_wrong_shape_is_an_input_error(params, shape):
    with refused("bad-shape", shape, 32, STRIDE):
        encoder.apply(SMALL, params, jnp.zeros(shape), jnp.ones(shape[:2], bool))
