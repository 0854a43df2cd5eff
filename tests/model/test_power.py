"""The power front end: against plain loops, what it must not see, and signals without any power."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model import encoder, network, power
from semgjax.model.config import ModelConfig
from semgjax.model.flops import forward_flops
from semgjax.model.operations import REFERENCE
from semgjax.model.presets import gesture
from tests.model.small import abstract_params, quick_jit, random_emg, random_params, small
from tests.refused import refused

RING = small(frontend="power", channels=8, rings=(8,), classes=4, power_frame=8, power_width=6, norm_seconds=0.02)
"""One ring of eight electrodes, frames of eight samples that fade by a fifth a frame."""
WRISTS = dataclasses.replace(RING, channels=10, rings=(6, 4))
FRAMES = 9


def everywhere(emg: np.ndarray) -> np.ndarray:
    return np.ones(emg.shape[:2], bool)


def amplitudes(config: ModelConfig, emg: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Log amplitudes [B, F, C, 2]."""
    valid = everywhere(emg) if valid is None else valid
    return np.asarray(quick_jit(lambda emg, valid: power.log_amplitudes(config, emg, valid))(emg, valid))


def by_hand(config: ModelConfig, emg: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The log amplitudes of one input [T, C] by a loop over frames."""
    frame, fade = config.power_frame, 1 - config.power_frame / (2000 * config.norm_seconds)
    found = np.zeros((len(emg) // frame, config.channels, 2))
    for kind, (root, floor, least) in enumerate([(2, 0.03**2, 1e-18), (1, 0.03, 1e-9)]):
        level_sum, level_count, log_sum, log_count = 0.0, 0.0, 0.0, 0.0
        for index in range(len(found)):
            samples = [t for t in range(index * frame, (index + 1) * frame) if valid[t]]
            if kind == 0:
                values = np.array([emg[t] ** 2 for t in samples])
            else:
                values = np.array([abs(emg[t] - emg[t - 1]) for t in samples if t > 0 and valid[t - 1]])
            total = values.sum(0) if len(values) else np.zeros(config.channels)
            level_sum, level_count = level_sum * fade + total, level_count * fade + len(values)
            level = level_sum / max(level_count, 1)
            ends = np.cumsum((0, *config.rings))
            rings = np.concatenate([np.full(b - a, level[a:b].mean()) for a, b in zip(ends, ends[1:], strict=False)])
            log = np.log(total / max(len(values), 1) + floor * rings + least) / root
            share = len(samples) / frame
            log_sum, log_count = log_sum * fade + log * share, log_count * fade + share
            if samples:
                found[index, :, kind] = log - log_sum / log_count
    return found


def gaps() -> np.ndarray:
    """Valid samples of two rows: padding on both sides that ends inside a frame, a gap, an empty frame."""
    valid = np.ones((2, FRAMES * 8), bool)
    valid[0, :11], valid[0, 60:], valid[1, 21:43] = False, False, False
    return valid


@pytest.mark.parametrize("config", [RING, WRISTS], ids=["one ring", "two rings"])
def test_log_amplitudes_are_their_loop_over_frames(config):
    emg, valid = random_emg(2, FRAMES, config), gaps()
    found = amplitudes(config, emg, valid)
    for row in range(2):
        np.testing.assert_allclose(found[row], by_hand(config, emg[row].astype(float), valid[row]), atol=2e-4)


@pytest.mark.parametrize("norm", ["rolling", "window"])
def test_samples_that_are_not_valid_have_no_influence(norm):
    config = dataclasses.replace(WRISTS, norm=norm)
    emg, valid = random_emg(2, FRAMES, config), gaps()
    garbage = np.where(valid[..., None], emg, 1000 * random_emg(2, FRAMES, config, seed=1))
    found = amplitudes(config, emg, valid)
    np.testing.assert_array_equal(amplitudes(config, garbage, valid), found)
    assert not found[0, 0].any() and not found[1, 3:5].any() and found[0, 2].all()


def test_neither_the_unit_nor_an_electrodes_gain_matters():
    emg = random_emg(1, FRAMES, RING)
    found = amplitudes(RING, emg)
    np.testing.assert_allclose(amplitudes(RING, emg * 0.01), found, atol=1e-3)
    gains = np.linspace(0.8, 1.25, 8, dtype=np.float32)
    np.testing.assert_allclose(amplitudes(RING, emg * gains), found, atol=0.02)  # the floor is that of the ring


def influence(config: ModelConfig) -> np.ndarray:
    """Size of d (sum of frame t's logits) / d (sample s), float32 [F, T]."""
    params, emg = random_params(config), random_emg(1, FRAMES, config)

    def frame_sum(emg, frame):
        return encoder.apply(config, params, emg, everywhere(emg))[0, frame].sum()

    gradient = quick_jit(jax.vmap(jax.grad(frame_sum), (None, 0)))(emg, np.arange(FRAMES))
    return np.abs(np.asarray(gradient)[:, 0]).sum(axis=-1)


def test_a_frame_depends_on_its_own_and_earlier_samples_only():
    assert RING.look_ahead == 0
    size = influence(RING)
    for frame in range(FRAMES):
        assert not size[frame, (frame + 1) * 8 :].any()
        # The running means remember everything; the first frame is its own mean, so it is zero.
        assert size[frame, : (frame + 1) * 8].all() == (frame > 0)


def test_with_statistics_of_the_whole_window_the_first_frame_sees_the_last_sample():
    config = dataclasses.replace(RING, norm="window")
    assert config.look_ahead is None
    assert influence(config)[0, -1] > 0


@pytest.fixture(scope="module")
def decode():
    """(emg, valid) -> logits, compiled, with the parameters that RING has."""
    params = random_params(RING)
    run = quick_jit(lambda emg, valid: encoder.apply(RING, params, emg, valid))
    return lambda emg, valid=None: np.asarray(run(emg, everywhere(emg) if valid is None else valid))


def test_padding_before_and_after_does_not_change_what_is_decoded(decode):
    emg = random_emg(1, FRAMES, RING)
    padded, valid = np.full((1, (FRAMES + 4) * 8, 8), 77, np.float32), np.zeros((1, (FRAMES + 4) * 8), bool)
    padded[:, 16:-16], valid[:, 16:-16] = emg, True
    np.testing.assert_allclose(decode(padded, valid)[:, 2:-2], decode(emg), atol=1e-4)


def test_rows_of_a_batch_do_not_see_each_other(decode):
    emg = random_emg(3, FRAMES, RING)
    whole = decode(emg)
    np.testing.assert_allclose(whole[1:2], decode(emg[1:2]), atol=1e-5)
    assert whole.shape == (3, FRAMES, 4) and whole.dtype == np.float32


def test_compiling_changes_no_feature():
    emg, params = random_emg(2, FRAMES, WRISTS), random_params(WRISTS)["frontend"]
    found = quick_jit(lambda emg, valid: power.front_end(WRISTS, params, emg, valid))(emg, gaps())
    plain = power.front_end(WRISTS, params, jnp.asarray(emg), jnp.asarray(gaps()))
    np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-4)


def test_half_precision_input_gives_nearly_the_same_logits_even_when_squares_overflow(decode):
    emg = (random_emg(1, FRAMES, RING) * 40).astype(np.float16)  # squares up to 4e6
    found = decode(emg)
    assert np.isfinite(found).all() and found.dtype == np.float32
    np.testing.assert_allclose(found, decode(emg.astype(np.float32)), atol=0.1)


def test_gradients_are_finite_without_signal():
    noise = random_emg(1, FRAMES, RING)
    cases = {"noise": noise, "silence": 0 * noise, "constant": 0 * noise + 7.5, "tiny": 1e-20 * noise}
    cases["silence, then signal"] = np.where(np.arange(noise.shape[1])[:, None] < 37, 0, noise)
    cases["one electrode"] = np.where(np.arange(8) == 3, noise, 0)
    params = random_params(RING)

    def loss(params, emg, valid):
        return jnp.square(jax.nn.log_softmax(encoder.apply(RING, params, emg, valid))).sum()

    gradient = quick_jit(jax.grad(loss, (0, 1)))
    found = {name: gradient(params, emg, everywhere(noise)) for name, emg in cases.items()}
    found["not valid at all"] = gradient(params, noise, ~everywhere(noise))
    for name, leaves in found.items():
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(leaves)), name


def test_a_ring_turned_by_a_place_gives_nearly_the_same_features_and_exactly_so_over_the_whole_ring():
    """The features of the turns -n to n and of a ring turned by one differ in 2 of 4 n + 2 averaged activations."""
    emg = random_emg(1, FRAMES, RING)
    logs = jnp.asarray(amplitudes(RING, emg))
    distance = {}
    for turns in (0, 1, 3):
        config = dataclasses.replace(RING, power_turns=turns, power_width=64)
        params = random_params(config)["frontend"]
        one, other = (np.asarray(power.read_rings(config, params, x)) for x in (logs, jnp.roll(logs, 1, axis=2)))
        distance[turns] = float(np.linalg.norm(one - other) / np.linalg.norm(one - one.mean((0, 1))))
    assert distance[3] < distance[1] < 0.75 * distance[0]
    odd = dataclasses.replace(RING, channels=7, rings=(7,), power_turns=3)
    params = random_params(odd)["frontend"]
    one, other = (power.read_rings(odd, params, x) for x in (logs[:, :, :7], jnp.roll(logs[:, :, :7], 2, axis=2)))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_each_ring_has_a_layer_of_its_own_and_turns_by_itself():
    logs = jnp.asarray(amplitudes(WRISTS, random_emg(1, FRAMES, WRISTS)))
    config = dataclasses.replace(WRISTS, power_turns=0)
    params = random_params(config)["frontend"]
    assert {name: params[name]["kernel"].shape for name in ("ring0", "ring1")} == {"ring0": (12, 6), "ring1": (8, 6)}
    changed = logs.at[:, :, 6:].add(1.0)
    difference = np.asarray(power.read_rings(config, params, changed) - power.read_rings(config, params, logs))
    assert not difference[..., :6].any() and difference[..., 6:].any()


def test_a_seed_gives_the_same_parameters_and_the_shapes_are_the_described_ones():
    one, other = (power.init(WRISTS, jax.random.key(3)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))
    assert set(one) == {"scale", "bias", "ring0", "ring1"}
    assert np.abs(one["ring0"]["bias"]).min() > 0
    assert abstract_params(WRISTS)["project"]["kernel"].shape == (12, WRISTS.dim)


def test_flops_are_within_15_percent_of_the_compilers():
    config = dataclasses.replace(gesture(64), layers=1, attention_window=None)
    emg = jax.ShapeDtypeStruct((1, 64 * config.stride, 32), jnp.float32)
    valid = jax.ShapeDtypeStruct(emg.shape[:2], jnp.bool_)
    logits = {turns: dataclasses.replace(config, power_turns=turns) for turns in (0, 3)}

    def counted(config: ModelConfig) -> float:
        forward = jax.jit(lambda params, emg, valid: network.apply(config, params, emg, valid, kernels=REFERENCE))
        return forward.lower(abstract_params(config), emg, valid).cost_analysis()["flops"]

    # The amplitudes are element-wise work on every sample, which is not counted; a further turn is a product.
    found, wanted = (
        of(logits[3]) - of(logits[0]) for of in (lambda config: forward_flops(config, emg.shape[1]), counted)
    )
    assert found == pytest.approx(wanted, rel=0.15)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rings": (4,)}, "rings"),
        ({"rings": ()}, "rings"),
        ({"rings": (8, 0)}, "rings"),
        ({"power_frame": 1}, "power_frame"),
        ({"power_width": 0}, "power_width"),
        ({"power_turns": -1}, "power_turns"),
        ({"power_turns": 4}, "power_turns"),
        ({"emission_delay": 12}, "emission_delay"),
        ({"norm_seconds": 0.001}, "norm_seconds"),
    ],
)
def test_a_front_end_that_cannot_be_built_is_refused(changes, named):
    with refused("bad-value", named):
        dataclasses.replace(RING, **changes)


def test_convolutions_do_not_care_for_rings():
    assert small(rings=(3,)).stride == small().stride
