"""The turn of a session's rings, chosen by the decoder's confidence and never by labels."""

import dataclasses

import numpy as np
import pytest

from semgjax.data.batching.windows import WindowSpec, fill_window
from semgjax.data.keys import BLANK, NUM_CLASSES
from semgjax.data.sessions import session_of_array
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.stitched import core_frames, evaluate_greedy
from semgjax.evaluate.turns import confidence, decode_turned, evaluate_turned, turn_order, turns_to_try
from tests.model.small import SMALL
from tests.refused import refused

SPEC = WindowSpec(length=80, stride=80, left=40, right=16)
STRIDE = SMALL.stride
WRISTS = (16, 16)


def reads_two_channels(_, emg, __):
    """A decoder: class 0 where channel 0 is positive, class 1 where channel 5 is, else the blank, as sure as they are
    large.
    """
    signal = np.asarray(emg)[:, STRIDE - 1 :: STRIDE, [0, 5]][:, core_frames(SMALL, SPEC)]
    logits = np.zeros((*signal.shape[:2], NUM_CLASSES), np.float32)
    logits[..., [0, 1]] = 10 * signal
    logits[..., BLANK] = 8
    return logits


def session(turn: int, user: str = "u", labels: tuple[int, ...] = (0, 1, 0)):
    """Classes 0, 1 and 0 at full strength, of a left band that lies turned by `turn` places."""
    emg = np.zeros((320, 32), np.float32)
    for frame, place in {3: 0, 12: 5, 30: 0}.items():
        end = frame * STRIDE + SMALL.emission_delay + STRIDE - 1
        emg[end, (place + turn) % 16] = 2.0
    made = session_of_array(emg, name=f"turned by {turn}")
    places = np.arange(1, len(labels) + 1)
    return dataclasses.replace(
        made, user=user, labels=np.array(labels, np.int32), key_first=places, key_last=places - 1
    )


def test_the_smallest_turns_are_tried_first_and_rings_turn_by_themselves():
    assert turns_to_try((8,), 2) == [(0,), (-1,), (1,), (-2,), (2,)]
    both = turns_to_try(WRISTS, 1)
    assert len(both) == len(set(both)) == 9 and both[0] == (0, 0)
    assert turns_to_try((2,), 0) == [(0,)]


@pytest.mark.parametrize(("rings", "most"), [((8,), -1), ((8,), 4), ((4,), 2), ((16, 3), 2), ((16, 16, 16), 3)])
def test_turns_that_rings_do_not_have_or_that_are_too_many_are_refused(rings, most):
    with refused("bad-value", f"turns {most}"):
        turns_to_try(rings, most)


def test_a_turn_reads_the_channels_where_the_augmentations_roll_of_as_many_places_puts_them():
    emg = np.random.default_rng(0).normal(size=(16, 32)).astype(np.float32)
    wanted = np.empty_like(emg)
    fill_window(wanted, session_of_array(emg), 0, WindowSpec(16, 16, 0, 0), rolls=(2, -3))
    np.testing.assert_array_equal(emg[:, turn_order(WRISTS, (2, -3))], wanted)
    assert turn_order((3, 2), (1, 0)).tolist() == [2, 0, 1, 3, 4]


def logits_of(frames: list[dict[int, float]], classes: int = 4) -> np.ndarray:
    """Logits of frames with these log odds."""
    logits = np.zeros((len(frames), classes), np.float32)
    for row, values in zip(logits, frames, strict=True):
        row[list(values)] = list(values.values())
    return logits


def test_confidence_is_the_information_between_frames_and_classes():
    sure = logits_of([{0: 50}, {1: 50}, {2: 50}])
    assert confidence(sure) == pytest.approx(np.log(3))
    assert confidence(logits_of([{0: 50}, {0: 50}, {0: 50}])) == pytest.approx(0)
    assert confidence(logits_of([{0: 50, 1: 50}, {0: 50, 1: 50}])) == pytest.approx(0)
    blanks = np.concatenate([sure, logits_of([{3: 50}] * 20)])
    assert confidence(blanks) == pytest.approx(np.log(3))  # frames without an event say nothing
    assert confidence(sure + 1000.0) == pytest.approx(np.log(3))
    assert confidence(logits_of([{3: 1000}])) == pytest.approx(0)


@pytest.mark.parametrize("turn", [0, 1, -2])
def test_a_turned_band_is_found_and_turned_back(turn):
    logits, choice = decode_turned(reads_two_channels, SMALL, {}, session(turn), SPEC, batch=2, most=2)
    assert choice.turn == (-turn, 0)
    best = turns_to_try(WRISTS, 2).index(choice.turn)
    assert len(choice.confidence) == 25 and max(choice.confidence) == choice.confidence[best]
    assert np.flatnonzero(logits.argmax(-1) != BLANK).tolist() == [3, 12, 30]


def test_labels_take_no_part_in_the_choice_and_errors_are_those_of_the_chosen_turn():
    made = [session(-1, "u"), session(2, "v", labels=(1, 1)), session(2, "w", labels=())]
    counts, choices = evaluate_turned(reads_two_channels, SMALL, {}, made, SPEC, 2, most=2)
    assert [choice.turn for choice in choices] == [(1, 0), (-2, 0), (-2, 0)]
    assert [choice.session for choice in choices] == [one.name for one in made]
    unturned = [dataclasses.replace(session(0), user=one.user, labels=one.labels) for one in made]
    assert counts == evaluate_greedy(reads_two_channels, SMALL, {}, unturned, SPEC, 2)
    assert counts["u"] == Counts(3, 0, 0, 0)


def test_of_equally_confident_turns_the_smallest_is_chosen():
    silent = session_of_array(np.zeros((160, 32), np.float32))
    _, choice = decode_turned(reads_two_channels, SMALL, {}, silent, SPEC, batch=2, most=1)
    assert choice.turn == (0, 0)
