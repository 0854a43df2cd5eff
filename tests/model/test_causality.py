"""No logit depends on samples past the look-ahead that the configuration states, seen by gradient."""

import jax
import numpy as np
import pytest

from semgjax.model import encoder
from semgjax.model.config import ModelConfig
from tests.model.small import SMALL, quick_jit, random_emg, random_params, small

STRIDE = SMALL.stride


def influence(config: ModelConfig, frames: int) -> np.ndarray:
    """Size of d (sum of frame t's logits) / d (sample s), float32 [frames, frames * stride]."""
    params = random_params(config)
    emg = random_emg(1, frames, config)
    valid = np.ones(emg.shape[:2], bool)

    def frame_sum(emg, frame):
        return encoder.apply(config, params, emg, valid)[0, frame].sum()

    gradient = quick_jit(jax.vmap(jax.grad(frame_sum), (None, 0)))(emg, np.arange(frames))
    return np.abs(np.asarray(gradient)[:, 0]).sum(axis=-1)


# Attention works in blocks from 4 windows on: 12 frames and more of window 3, but not of window 5.
@pytest.mark.parametrize(
    "config",
    [
        pytest.param(small(attention_window=None), id="full attention"),
        pytest.param(small(attention_window=5), id="bounded window, one product"),
        pytest.param(small(attention_window=3), id="bounded window, in blocks"),
    ],
)
def test_a_causal_frame_depends_on_its_own_and_earlier_samples_only(config):
    assert config.look_ahead == 0
    size = influence(config, 13)
    for frame in range(13):
        end = (frame + 1) * STRIDE
        assert not size[frame, end:].any()
        assert size[frame, end - STRIDE : end].all()
        assert size[frame, : end - STRIDE].all()  # the rolling norm remembers them all


# Blocks with an even number of taps, one product with an odd one.
@pytest.mark.parametrize(
    ("config", "frames_ahead"),
    [
        pytest.param(small(causal=False, attention_window=3, position_kernel=4), 5, id="in blocks"),
        pytest.param(small(causal=False, attention_window=4, position_kernel=5), 8, id="one product"),
    ],
)
def test_a_frame_of_a_model_that_looks_ahead_depends_on_the_samples_up_to_its_bound(config, frames_ahead):
    assert config.look_ahead == frames_ahead * STRIDE
    size = influence(config, 14)
    for frame in range(14):
        end = (frame + 1) * STRIDE + config.look_ahead
        assert not size[frame, end:].any()
        assert size[frame, :end].all()


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(small(norm="window"), id="statistics of the whole window"),
        pytest.param(small(causal=False, attention_window=None), id="attention over everything"),
    ],
)
def test_a_model_without_a_bound_sees_the_last_sample_in_its_first_frame(config):
    assert config.look_ahead is None
    assert influence(config, 13)[0, -1] > 0
