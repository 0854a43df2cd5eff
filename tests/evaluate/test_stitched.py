"""Whole sessions: stitched emissions frame by frame, and errors per user."""

import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.keys import BLANK, NUM_CLASSES
from semgjax.data.sessions import open_session
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.stitched import (
    core_frames,
    evaluate_greedy,
    make_forward,
    session_logits,
    valid_samples,
)
from semgjax.model import encoder
from semgjax.model.presets import preset
from semgjax.training.run_config import recipe
from tests.data.fixtures import START, random_emg, write_session
from tests.model.small import SMALL, quick_jit, random_params, small

SPEC = WindowSpec(length=80, stride=80, left=40, right=16)
STRIDE = SMALL.stride


@pytest.fixture(scope="module")
def params():
    return random_params(SMALL)


@pytest.fixture(scope="module")
def forward():
    return make_forward(SMALL, SPEC)


@pytest.fixture(scope="module")
def one_window(params):
    """emg of one window, with its mask -> logits of all its frames."""
    decode = quick_jit(lambda emg, valid: encoder.apply(SMALL, params, emg[None], valid[None])[0])
    return lambda emg, valid: np.asarray(decode(emg, valid))


def by_hand(emg: np.ndarray, one_window) -> np.ndarray:
    """Every frame of a session from the window whose core it lies in, which is cut here sample by sample."""
    rows = []
    for frame in range(-(-len(emg) // STRIDE)):
        core = frame * STRIDE // SPEC.length * SPEC.length
        place = np.arange(core - SPEC.left, core + SPEC.length + SPEC.right)
        valid = (place >= 0) & (place < len(emg))
        window = np.where(valid[:, None], emg[np.clip(place, 0, len(emg) - 1)], 0).astype(np.float32)
        # A key's emission is asked for `emission_delay` samples after the key.
        end = frame * STRIDE + SMALL.emission_delay + STRIDE - 1
        rows.append((window, valid, (end - place[0]) // STRIDE))
    return np.stack([one_window(window, valid)[index] for window, valid, index in rows])


# A part of a window, whole windows, one frame short of a window, one sample more, and many windows.
@pytest.mark.parametrize("samples", [13, 80, 160, 152, 161, 403])
def test_a_sessions_emissions_are_those_of_its_windows_frame_by_frame(tmp_path, forward, params, one_window, samples):
    emg = random_emg(samples)
    session = open_session(write_session(tmp_path / "a.hdf5", emg=emg))
    found = session_logits(forward, SMALL, params, session, SPEC, batch=2)
    assert found.shape == (-(-samples // STRIDE), NUM_CLASSES) and found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(emg, one_window), rtol=1e-5, atol=1e-5)


def test_the_batch_size_does_not_matter(tmp_path, forward, params):
    session = open_session(write_session(tmp_path / "a.hdf5", 403))
    two, seven = (session_logits(forward, SMALL, params, session, SPEC, batch) for batch in (2, 7))
    np.testing.assert_allclose(two, seven, rtol=1e-5, atol=1e-5)


def test_a_causal_models_emissions_do_not_depend_on_what_is_recorded_after_them(tmp_path, forward, params):
    emg = random_emg(400)
    whole, part = (
        session_logits(forward, SMALL, params, open_session(write_session(path, emg=signal)), SPEC, 2)
        for path, signal in ((tmp_path / "whole.hdf5", emg), (tmp_path / "part.hdf5", emg[:240]))
    )
    known = (240 - SMALL.emission_delay) // STRIDE
    np.testing.assert_allclose(part[:known], whole[:known], rtol=1e-5, atol=1e-5)
    assert not np.allclose(part[known:], whole[known : 240 // STRIDE], atol=1e-3)


@pytest.mark.parametrize("delay", [0, 8, 16])
def test_the_core_is_read_as_much_later_as_emissions_come(delay):
    core = core_frames(small(emission_delay=delay), SPEC)
    assert (core.start, core.stop) == ((40 + delay) // 8, (40 + delay) // 8 + 10)


def test_the_papers_core_is_four_hundred_frames_within_the_window():
    config, spec = preset("tiny"), recipe("tiny").window
    core = core_frames(config, spec)
    assert (core.start, core.stop, spec.total // config.stride) == (100, 500, 500)


def test_valid_samples_are_those_from_the_first_to_the_last():
    mask = valid_samples(np.array([[0, 4], [1, 3], [2, 2]]), 4)
    assert mask.tolist() == [[True] * 4, [False, True, True, False], [False] * 4]


def reads_channel_0(_, emg, __):
    """A decoder whose emission is in channel 0 at the frame's last sample: 0 is the blank, 1 the first class."""
    number = np.asarray(emg)[:, STRIDE - 1 :: STRIDE, 0].astype(int)[:, core_frames(SMALL, SPEC)]
    return np.eye(NUM_CLASSES, dtype=np.float32)[np.where(number == 0, BLANK, number - 1)]


def session_that_emits(path, user: str, typed: list[int], emitted: dict[int, int]):
    """A session of 320 samples with keys `typed`, whose signal asks for class `emitted[frame]`, else the blank."""
    emg = np.zeros((320, 32), np.float32)
    for frame, label in emitted.items():
        end = frame * STRIDE + SMALL.emission_delay + STRIDE - 1
        emg[end, 0] = label + 1
    keys = [{"key": chr(ord("a") + label), "start": START + 0.01 * (i + 1)} for i, label in enumerate(typed)]
    return open_session(write_session(path, user=user, keystrokes=keys, emg=emg))


def test_sessions_are_decoded_whole_and_pooled_per_user(tmp_path):
    # Frames 9 and 10 meet at a border of windows: one key over both is one key.
    sessions = [
        session_that_emits(tmp_path / "a.hdf5", "u", [0, 1, 2], {0: 0, 9: 1, 10: 1, 37: 2}),
        session_that_emits(tmp_path / "b.hdf5", "v", [3, 4], {5: 3, 6: 3}),
        session_that_emits(tmp_path / "c.hdf5", "u", [5], {5: 6, 7: 5, 30: 5}),
    ]
    found = evaluate_greedy(reads_channel_0, SMALL, {}, sessions, SPEC, batch=3)
    assert found == {"u": Counts(4, 0, 0, 2), "v": Counts(2, 0, 1, 0)}
    assert evaluate_greedy(reads_channel_0, SMALL, {}, [], SPEC, batch=3) == {}
