"""Adaptation without labels: what an adapter sees, controls that match, causal statistics, steps that stand still."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.adapting.few_steps import MOVED, Descent, entropy_loss, make_adapters
from semgjax.adapting.head_frames import match_head
from semgjax.adapting.pseudo_labels import PseudoLabels, confident_labels, random_labels, shuffled_labels
from semgjax.adapting.rolling_norm import Moments, channel_moments, pooled, roll_normalised
from semgjax.adapting.signal_only import signal_of, windows_of
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import read_emg, session_of_array
from semgjax.model import network
from tests.model.small import SMALL
from tests.refused import refused

SPEC = WindowSpec(length=80, stride=80, left=40, right=16)


def labelled(samples: int = 320):
    """A session with labels."""
    made = session_of_array(np.random.default_rng(0).normal(size=(samples, 32)))
    places = np.array([10, 50, 90])
    return dataclasses.replace(made, labels=np.array([1, 2, 3], np.int32), key_first=places, key_last=places)


PSEUDO = PseudoLabels(
    np.array([0, 2, 3]), (np.array([5, 5, 1], np.int32), np.array([2], np.int32), np.array([1, 7], np.int32))
)


def test_labels_and_their_places_do_not_reach_an_adapter():
    seen = signal_of(labelled())
    assert not seen.labelled and not len(seen.labels) and not len(seen.key_first) and not len(seen.key_last)
    assert set(windows_of(seen, SPEC)) == {"emg", "valid"}
    np.testing.assert_array_equal(read_emg(seen, 0, 320), read_emg(labelled(), 0, 320))


def test_random_labels_have_the_lengths_and_the_frequencies_of_the_confident_ones():
    found = random_labels(PSEUDO, (3,))
    assert [len(one) for one in found.labels] == [3, 1, 2]
    assert sorted(found.joined) == sorted(PSEUDO.joined)
    np.testing.assert_array_equal(found.windows, PSEUDO.windows)
    assert any((random_labels(PSEUDO, (seed,)).joined != PSEUDO.joined).any() for seed in range(3))


def test_shuffled_labels_are_anothers_in_order_at_the_same_lengths():
    other = PseudoLabels(np.array([1]), (np.array([8, 9, 10, 11], np.int32),))
    found = shuffled_labels(PSEUDO, other)
    assert [one.tolist() for one in found.labels] == [[8, 9, 10], [11], [8, 9]]
    np.testing.assert_array_equal(found.windows, PSEUDO.windows)


def test_the_surest_windows_with_text_are_kept_and_windows_of_blanks_never():
    logits = np.zeros((4, 5, 3))
    logits[..., 2] = 9.0
    for window, height in {0: 10.0, 2: 30.0, 3: 12.0}.items():
        logits[window, 1, 1] = height
    assert confident_labels(logits, 1 / 3).windows.tolist() == [2]
    assert confident_labels(logits, 1.0).windows.tolist() == [0, 2, 3]
    assert [one.tolist() for one in confident_labels(logits, 1.0).labels] == [[1], [1], [1]]
    with refused("no-keys"):
        confident_labels(logits[1:2], 1.0)
    with refused("bad-value"):
        confident_labels(logits, 0.0)


def test_rolling_normalisation_sees_no_later_sample_and_brings_the_variance_to_the_targets():
    random = np.random.default_rng(1)
    emg = random.normal(size=(4000, 32)) * np.linspace(0.5, 4.0, 32) + 3.0
    start, target = Moments(np.zeros(32), np.ones(32)), Moments(np.full(32, 0.5), np.full(32, 4.0))
    later = emg.copy()
    later[1000:] *= 50.0

    def rolled(signal: np.ndarray) -> np.ndarray:
        made = roll_normalised(signal_of(session_of_array(signal)), start, target, 0.05)
        return read_emg(made, 0, made.samples)

    before, after = rolled(emg), rolled(later)
    np.testing.assert_array_equal(before[:1000], after[:1000])
    assert (before[1000:] != after[1000:]).any()
    np.testing.assert_allclose(before[1000:].std(axis=0), 2.0, rtol=0.1)
    np.testing.assert_allclose(before[1000:].mean(axis=0), 0.5, atol=0.2)


def test_pooled_moments_are_those_of_the_joined_signal():
    parts = [np.random.default_rng(seed).normal(seed, 1 + seed, (500, 32)) for seed in (0, 1)]
    found = pooled([channel_moments(signal_of(session_of_array(part))) for part in parts])
    np.testing.assert_allclose(found.mean, np.concatenate(parts).mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.variance, np.concatenate(parts).var(axis=0), rtol=1e-5)


def test_a_matched_head_reads_a_persons_frames_as_those_of_training():
    random = np.random.default_rng(2)
    own = Moments(random.normal(size=4), random.uniform(0.5, 2.0, 4))
    target = Moments(random.normal(size=4), random.uniform(0.5, 2.0, 4))
    frames = random.normal(size=(6, 4))
    params = {"head": {"kernel": random.normal(size=(4, 3)), "bias": random.normal(size=3)}}
    moved = (frames - own.mean) * np.sqrt(target.variance / own.variance) + target.mean
    head = match_head(params, own, target)["head"]
    wanted = moved @ params["head"]["kernel"] + params["head"]["bias"]
    np.testing.assert_allclose(frames @ head["kernel"] + head["bias"], wanted, rtol=1e-5, atol=1e-5)


def test_one_class_everywhere_and_silence_both_cost_more_than_two_sure_classes():
    def logits(rows: list[list[float]]) -> jax.Array:
        return jnp.array([rows])

    base = logits([[8.0, 0.0, 0.0], [0.0, 8.0, 0.0], [0.0, 0.0, 8.0]])
    sure = float(entropy_loss(base, base, 1.0))
    one_class = float(entropy_loss(logits([[8.0, 0.0, 0.0], [8.0, 0.0, 0.0], [0.0, 0.0, 8.0]]), base, 1.0))
    silent = float(entropy_loss(logits([[0.0, 0.0, 8.0]] * 3), base, 1.0))
    assert sure == pytest.approx(-np.log(2), abs=0.01)
    assert one_class == pytest.approx(0.0, abs=0.01) and silent > 1.0


def test_no_steps_leave_every_bit_and_steps_move_scales_and_biases_alone():
    params = network.init(SMALL, jax.random.key(0))
    windows = windows_of(signal_of(labelled()), SPEC)
    still = make_adapters(SMALL, SPEC, Descent(steps=0, rate=1e-2, batch=2))
    for found in (still.minimise_entropy(params, windows, (0,)), still.learn_labels(params, windows, PSEUDO, (0,))):
        jax.tree.map(np.testing.assert_array_equal, found, params)
    adapters = make_adapters(SMALL, SPEC, Descent(steps=1, rate=1e-2, batch=2))
    for found in (
        adapters.minimise_entropy(params, windows, (0,)),
        adapters.learn_labels(params, windows, PSEUDO, (0,)),
    ):
        pairs = zip(
            jax.tree_util.tree_leaves_with_path(found), jax.tree_util.tree_leaves_with_path(params), strict=True
        )
        moved = {path[-1].key for (path, new), (_, old) in pairs if (np.asarray(new) != np.asarray(old)).any()}
        assert moved and moved <= set(MOVED)
