"""Teachers of another frame length or emission delay in the loss: which frames are compared, and which count."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec
from semgjax.evaluate.stitched import core_frames, valid_samples
from semgjax.losses.align import at_student_frames
from semgjax.losses.distillation import frame_kl
from semgjax.model import network
from semgjax.model.presets import preset
from semgjax.training.criterion import loss_and_sums
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig
from tests.model.small import quick_jit

MODEL = dataclasses.replace(preset("ladder-16"), layers=1, dropout=0.0, mask_share=0.0)
OTHERS = {
    "later": dataclasses.replace(MODEL, emission_delay=120),
    "shorter": dataclasses.replace(MODEL, conv_strides=(5, 2, 2), emission_delay=160),
    "longer": dataclasses.replace(MODEL, conv_strides=(5, 4, 4), emission_delay=0),
}
WINDOWS = WindowSpec(length=1200, stride=1200, left=400, right=240)
CONFIG = RunConfig("ladder-16", MODEL, "d", WINDOWS, distill=DistillConfig("t", key_boost=0.0, weight=1.0))


@pytest.fixture(scope="module")
def batch():
    """Two rows, one of which ends within its core."""
    rng = np.random.default_rng(0)
    return {
        "emg": jnp.asarray(rng.normal(size=(2, WINDOWS.total, 32)), jnp.float32),
        "valid": jnp.array([[0, WINDOWS.total], [0, WINDOWS.left + 700]], jnp.int32),
        "labels": jnp.zeros((2, 4), jnp.int32),
        "label_count": jnp.array([2, 1], jnp.int32),
    }


def params_of(model, seed: int):
    return jax.jit(lambda: network.init(model, jax.random.key(seed)))()


@pytest.mark.parametrize("name", OTHERS)
def test_frames_are_compared_at_the_times_of_the_keys_and_count_where_both_lie_on_signal(batch, name):
    teacher = OTHERS[name]
    params, theirs = params_of(MODEL, 0), params_of(teacher, 1)
    pair = ((teacher, theirs),)
    _, sums = quick_jit(lambda params: loss_and_sums(CONFIG, params, batch, None, pair))(params)
    valid = valid_samples(batch["valid"], WINDOWS.total)
    outputs = [
        quick_jit(lambda params, model=model: network.apply(model, params, batch["emg"], valid))(own)
        for model, own in ((MODEL, params), (teacher, theirs))
    ]
    logits, known = (x[:, core_frames(m, WINDOWS)] for x, m in zip(outputs, (MODEL, teacher), strict=True))
    # A student's frame of 40 samples emits the keys 40 t to 40 t + 40 of the core.
    frames = WINDOWS.length // MODEL.stride
    ends = {m: np.array([-(-40 * (t + 1) // m.stride) * m.stride + m.emission_delay for t in range(frames)])
            for m in (MODEL, teacher)}  # fmt: skip
    counted = jnp.stack([
        jnp.asarray((ends[MODEL] <= last - WINDOWS.left) & (ends[teacher] <= last - WINDOWS.left))
        for _, last in batch["valid"].tolist()
    ])  # fmt: skip
    expected = frame_kl(logits, at_student_frames(known, frames), counted, 1.0)
    np.testing.assert_allclose(sums["kl"], expected, rtol=1e-5)
    assert 0 < counted[1].sum() < frames
