"""A stream in chunks of any length gives what the whole signal gives, in a state whose size never changes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model import network, streaming
from semgjax.model.presets import preset
from semgjax.model.running import rolling_sum
from semgjax.streaming.feed import advance, begin, feed_of_steps, make_feed
from tests.guides.toy_network import PowerNetwork
from tests.refused import refused

NETWORKS = {
    "convolutions": dataclasses.replace(preset("tiny"), dim=32, layers=2, attention_window=24, position_kernel=16),
    "power": preset("keys-16"),
    "odd strides": dataclasses.replace(preset("ladder-16"), conv_kernels=(10, 7, 3), rate=1000.0),
    "toy": PowerNetwork(),
}
SAMPLES = 4_600


@pytest.fixture(scope="module", params=NETWORKS)
def case(request):
    """A network's feed, a signal with a lost stretch, and what the whole of it gives."""
    config = NETWORKS[request.param]
    params = network.init(config, jax.random.key(0))
    random = np.random.default_rng(0)
    emg_TxC = random.normal(size=(SAMPLES, config.channels)).astype(np.float32)
    valid_T = np.ones(SAMPLES, bool)
    valid_T[:35] = valid_T[1_999:2_333] = False
    frames = SAMPLES // config.stride
    whole = slice(frames * config.stride)
    logits = jax.jit(lambda p, x, ok: network.apply(config, p, x, ok))(
        params, emg_TxC[None, whole], valid_T[None, whole]
    )
    return make_feed(config, params), emg_TxC, valid_T, np.asarray(jax.nn.log_softmax(logits))[0], (config, params)


@pytest.mark.parametrize("chunk", [1, 7, 20, 33, 2000])
def test_chunks_of_any_length_give_what_the_whole_signal_gives(case, chunk):
    feed, emg_TxC, valid_T, whole, _ = case
    first = begin(feed)
    end = 400 if chunk == 1 else SAMPLES
    state, found = first, []
    for at in range(0, end, chunk):
        part = slice(at, min(at + chunk, end))
        state, log_probs = advance(feed, state, emg_TxC[part], valid_T[part])
        found.append(log_probs)
        assert jax.tree.map(np.shape, state) == jax.tree.map(np.shape, first)
    found = np.concatenate(found)
    assert len(found) == end // feed.stride
    np.testing.assert_allclose(found, whole[: len(found)], atol=1e-5)
    assert int(state.held) == end % feed.stride


def test_frames_that_are_decoded_together_give_the_same_and_wait_for_each_other():
    config = NETWORKS["power"]
    params = network.init(config, jax.random.key(0))
    emg_TxC = np.random.default_rng(3).normal(size=(71 * config.stride, 32)).astype(np.float32)
    one, two = make_feed(config, params), make_feed(config, params, 2)
    expected = advance(one, begin(one), emg_TxC)[1]
    state, found = begin(two), []
    for at in range(0, len(emg_TxC), 55):
        state, log_probs = advance(two, state, emg_TxC[at : at + 55])
        assert len(log_probs) % 2 == 0
        found.append(log_probs)
    found = np.concatenate(found)
    assert len(found) == 70 and int(state.held) == config.stride
    np.testing.assert_allclose(found, expected[:70], atol=1e-5)
    with refused("bad-value", 3):
        make_feed(config, params, 3)


def test_a_stream_that_begins_anew_has_forgotten_the_last_one(case):
    feed, emg_TxC = case[:2]
    fresh = advance(feed, begin(feed), emg_TxC[:500])[1]
    used, _ = advance(feed, begin(feed), emg_TxC[500:])
    assert not np.array_equal(advance(feed, used, emg_TxC[:500])[1], fresh)
    np.testing.assert_array_equal(advance(feed, begin(feed), emg_TxC[:500])[1], fresh)


def test_lost_samples_do_not_count_whatever_they_hold(case):
    feed, emg_TxC, valid_T = case[:3]
    spoilt = np.where(valid_T[:, None], emg_TxC, np.nan)[:2_500]
    one, other = (advance(feed, begin(feed), emg, valid_T[:2_500])[1] for emg in (emg_TxC[:2_500], spoilt))
    np.testing.assert_array_equal(one, other)


def test_no_output_depends_on_a_later_sample(case):
    (config, params), emg_TxC = case[4], case[1]
    stop = 6 * config.stride

    def frame(emg_TxC):
        state, log_probs = streaming.step(config, params, streaming.begin(config), emg_TxC[None, :stop])
        return log_probs[0, 2].sum() + 0.0 * sum(jnp.sum(part) for part in state)

    slope = np.abs(np.asarray(jax.jit(jax.grad(lambda x: frame(x)))(jnp.asarray(emg_TxC[:stop])))).max(axis=1)
    assert slope[: 3 * config.stride].max() > 0 and slope[3 * config.stride :].max() == 0


@pytest.mark.parametrize(
    "change", [{"causal": False}, {"norm": "window"}, {"attention_window": None}, {"causal": False, "layers": 1}]
)
def test_networks_that_cannot_stream_are_refused(change):
    with refused("conflict"):
        make_feed(dataclasses.replace(NETWORKS["convolutions"], **change), {})


def test_the_baseline_is_refused():
    with refused("conflict"):
        make_feed(preset("tds"), {})


@pytest.mark.parametrize(
    ("emg", "valid", "code"),
    [
        (np.zeros((5, 31)), None, "channel-count"),
        (np.zeros(32), None, "bad-shape"),
        (np.full((5, 32), np.nan), None, "not-finite"),
        (np.zeros((5, 32)), np.ones(4, bool), "bad-shape"),
    ],
)
def test_samples_that_do_not_fit_are_refused(emg, valid, code):
    config = NETWORKS["power"]
    feed = make_feed(config, network.init(config, jax.random.key(0)))
    with refused(code):
        advance(feed, begin(feed), emg, valid)


def test_a_runtime_that_takes_one_frame_a_call_gives_the_same():
    config = NETWORKS["power"]
    params = network.init(config, jax.random.key(0))
    emg_TxC = np.random.default_rng(3).normal(size=(70 * config.stride + 3, 32)).astype(np.float32)
    about = {"frame_samples": config.stride, "band": {"rings": [16, 16]}, "blank": config.classes - 1}
    compiled = jax.jit(lambda *given: streaming.step(config, params, *given))

    def step(state, emg_1xTxC, valid_1xT):
        after, log_probs = compiled(state, emg_1xTxC, valid_1xT)
        return tuple(map(np.asarray, after)), np.asarray(log_probs)

    one = make_feed(config, params)
    other = feed_of_steps(about, lambda: tuple(map(np.asarray, streaming.begin(config))), step)
    expected, found = (advance(feed, begin(feed), emg_TxC)[1] for feed in (one, other))
    assert found.shape == (70, config.classes)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("together", [1, 3, 100])
def test_running_sums_of_minutes_are_as_exact_as_those_of_the_whole_signal(together):
    """One float32 that is rounded at every frame is off by 1e-5 from a minute on, and log-probabilities by more."""
    decay, frames = 0.995, 21_000
    x_TxD = np.random.default_rng(0).normal((-5.0, 1.0), (0.5, 0.0), (frames, 2)).astype(np.float32)
    expected, now = np.zeros((frames, 2)), np.zeros(2)
    for at, x in enumerate(x_TxD):
        now = decay * now + x
        expected[at] = now

    def step(state, x_TxD):
        memory = streaming._Memory(state)
        total = streaming._operations(memory).rolling_sum(x_TxD[None], decay)
        return tuple(memory.after), total[0]

    state = tuple(jnp.zeros(part.shape, part.dtype) for part in jax.eval_shape(step, None, x_TxD[:1])[0])
    _, found = jax.lax.scan(step, state, x_TxD.reshape(-1, together, 2))
    assert np.abs(np.asarray(found).reshape(-1, 2) / expected - 1).max() < 1.5e-6
    np.testing.assert_allclose(rolling_sum(x_TxD[None], decay)[0], expected, rtol=1.5e-6)
