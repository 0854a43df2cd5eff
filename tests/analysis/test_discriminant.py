"""The baseline reads people whose classes are plain, ignores a gain, and finds a turn of the band without labels."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.discriminant import align, fit_discriminant, frames_of, likeliest_turn, read_events, turned
from semgjax.evaluate.error_rates import Counts, count_errors
from tests.analysis.spliced_people import CHANNELS, CLASSES, spliced
from tests.refused import refused


@pytest.fixture(scope="module")
def model():
    return fit_discriminant([frames_of(spliced(p, 0, order)) for p in range(4) for order in range(2)], len(CLASSES))


def errors(model, sessions, turn=0):
    return sum((count_errors(s.labels, read_events(model, frames_of(s), turn)) for s in sessions), Counts()).rate


def test_events_of_unseen_people_are_read(model):
    assert errors(model, [spliced(p, 0, 0) for p in (10, 11)]) < 15.0


def test_a_gain_of_the_whole_band_changes_nothing(model):
    session = spliced(10, 0, 0)
    louder = replace(session, array=8.0 * session.array)
    assert np.array_equal(read_events(model, frames_of(session)), read_events(model, frames_of(louder)))


@pytest.mark.parametrize("turn", [1, 3, -2])
def test_a_turned_band_is_found_without_labels(model, turn):
    sessions = [spliced(10, 0, order, turn) for order in range(2)]
    found = likeliest_turn(model, [frames_of(s) for s in sessions], range(-3, 5))
    assert found == -turn
    assert errors(model, sessions, found) < 15.0 < errors(model, sessions)


def test_frames_lie_in_the_event_that_they_are_labelled_with():
    session = spliced(1, 0, 0)
    frames = frames_of(session)
    assert frames.features.shape == (session.samples // 8, 2, CHANNELS)
    held = int((session.key_end - session.key_first + 1).sum())
    assert np.mean(frames.classes < len(CLASSES)) == pytest.approx(held / session.samples, abs=0.01)


def test_sessions_without_ends_or_classes_are_refused(model):
    session = spliced(1, 0, 0)
    for change in ({"key_end": None}, {"classes": None}):
        with refused("bad-value", session.name):
            frames_of(replace(session, **change))
    with refused("no-keys", "3"):
        fit_discriminant([replace(frames_of(session), classes=np.arange(len(frames_of(session).classes)) % 3)], 3)


def test_parameters_are_means_covariance_and_priors(model):
    assert model.params == 4 * 16 + 16 * 17 // 2 + 4


def test_training_sessions_are_turned_to_each_other_and_the_turned_model_finds_the_rest():
    turns = {f"{p}-{s}": (p + s) % 3 - 1 for p in range(4) for s in range(2)}
    recorded = {
        name: [frames_of(spliced(int(name[0]), int(name[2]), order, turn)) for order in range(2)]
        for name, turn in turns.items()
    }
    found, model = align(recorded, len(CLASSES), (0, 1, -1, 2, -2))
    assert len({found[name] + turn for name, turn in turns.items()}) == 1
    shift = found["0-0"] + turns["0-0"]
    assert likeliest_turn(model, [frames_of(spliced(9, 0, 0, 1))], range(-3, 4)) == shift - 1


def test_a_turned_session_has_its_electrodes_moved():
    session = frames_of(spliced(1, 0, 0))
    assert np.array_equal(turned(session, 1).features[:, :, 0], session.features[:, :, -1])
    assert turned(turned(session, 3), -3).features == pytest.approx(session.features)
