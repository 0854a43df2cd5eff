"""Errors by key, finger and row, latency and calibration, of stretches whose edit scripts were written by hand."""

import numpy as np
import pytest

from semgjax.data.band import TYPING, Band
from semgjax.data.keys import NUM_CLASSES, text_to_labels
from semgjax.data.simulate import typist
from semgjax.evaluate.alignment import NONE, align, joined
from semgjax.evaluate.breakdown import break_down
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.keyboard import places_of
from semgjax.evaluate.reading import Reading


def reading(typed: str, read: str, late=0.0, sure=0.9, user="u", start=4000) -> Reading:
    """A stretch with a key every 0.2 s from its start on, each read `late` seconds after its press."""
    labels, output = text_to_labels(typed), text_to_labels(read)
    samples = start + 400 * np.arange(len(labels))
    frames = np.round((400 * np.arange(len(output)) + 2000 * late) / 40).astype(int)
    log_probs = np.full((len(output) * 10 + 40, NUM_CLASSES), np.log((1 - sure) / (NUM_CLASSES - 1)), np.float32)
    log_probs[frames, output] = np.log(sure)
    return Reading("s", user, start, 2000.0, 40, labels, samples, output, frames, log_probs)


def broken_down(readings, *how):
    return break_down(joined([align(one) for one in readings]), *how)


def by_name(shares):
    return {share.name: share for share in shares}


def test_pairs_are_those_of_the_edit_script():
    pairs = joined([align(one) for one in (reading("abc", "axc"), reading("ab", "abb", user="v"), reading("ab", "a"))])
    a, b, c, x = text_to_labels("abcx")
    assert pairs.reference[:3].tolist() == [a, b, c] and pairs.output[:3].tolist() == [a, x, c]
    assert sorted(pairs.reference[3:6].tolist()) == [NONE, *sorted([a, b])]
    assert pairs.output[6:].tolist() == [a, NONE]
    assert np.isnan(pairs.emitted[-1]) and np.isnan(pairs.confidence[-1])
    assert pairs.pressed[:3].tolist() == [2.0, 2.2, 2.4]


def test_pairs_hold_the_operations_that_are_counted_of_a_stretch():
    draw = np.random.default_rng(0)
    for _ in range(200):
        typed, read = ("".join(draw.choice(list("abcd"), draw.integers(0, 12))) for _ in range(2))
        one = reading(typed, read)
        assert align(one).counts == one.counts
    assert joined([]).counts == Counts()


def test_errors_are_counted_by_key_finger_hand_and_row():
    found = broken_down([reading("fad fad ", "fsd fa "), reading("ju", "juk")], TYPING, 200, 40)
    keys = by_name(found.keys)
    assert (keys["a"].reference, keys["a"].substitutions, keys["a"].rate) == (2, 1, 50.0)
    assert (keys["d"].reference, keys["d"].deletions, keys["d"].rate) == (2, 1, 50.0)
    assert (keys["k"].reference, keys["k"].insertions, keys["k"].rate) == (0, 1, None)
    fingers = by_name(found.fingers)
    assert fingers["left little"].rate == 50.0 and fingers["left index"].rate == 0.0
    assert [share.name for share in found.fingers] == ["left little", "left middle", "left index", "thumb",
                                                       "right index", "right middle"]  # fmt: skip
    assert by_name(found.hands)["left"].reference == 6 and by_name(found.hands)["right"].insertions == 1
    assert [share.name for share in found.rows] == ["top", "home", "space"]
    assert found.confusions == (("a", "s", 1),)
    wrong = [row for row in found.matrix if row[0] != row[1]]
    assert ("a", "s", 1) in wrong and ("d", None, 1) in wrong and wrong[-1] == (None, "k", 1)
    assert sum(times for typed, _, times in found.matrix if typed is not None) == 10
    assert found.row_confusion["home"] == {"numbers": 0, "top": 0, "home": 6, "bottom": 0, "space": 0}


def test_latency_is_from_the_press_to_the_end_of_the_frame_that_emits_it():
    found = broken_down([reading("abcd", "abcd", late=0.1)], TYPING, 200, 40).latency
    # 0.1 s, the network's delay of 0.1 s, and the frame of 0.02 s.
    assert found.keys == 4 and found.quartiles == pytest.approx((220.0, 220.0, 220.0))
    assert sum(found.counts) == 4 and len(found.edges) == len(found.counts) + 1


def test_calibration_compares_probabilities_with_shares_of_right_symbols():
    right, wrong = reading("abcd", "abcd", sure=0.75), reading("abcd", "abcx", sure=0.95)
    found = broken_down([right, wrong], TYPING, 200, 40).calibration
    assert found.symbols[7] == 4 and found.symbols[9] == 4 and sum(found.symbols) == 8
    assert found.right[7] == 1.0 and found.right[9] == 0.75
    assert found.error == pytest.approx((0.25 + 0.2) / 2, abs=1e-6)


@pytest.mark.parametrize(("typed", "read"), [("", ""), ("abc", ""), ("", "abc")])
def test_stretches_with_nothing_typed_or_read_leave_numbers_unknown(typed, read):
    found = broken_down([reading(typed, read)], TYPING, 200, 40)
    assert found.latency.quartiles is None and found.latency.keys == 0
    assert (found.calibration.error is None) == (not read)
    assert sum(share.reference for share in found.keys) == len(typed)
    assert broken_down([], TYPING, 200, 40).keys == ()


def test_other_classes_have_no_fingers():
    band = Band((8,), 200.0, ("fist", "open"))
    one = Reading(
        "s", "u", 0, 200.0, 20, np.array([0, 1]), np.array([5, 90]), np.array([0, 0]), np.array([0, 4]),
        np.log(np.full((10, 3), 1 / 3, np.float32)),
    )  # fmt: skip
    found = broken_down([one], band, 0, 20)
    assert by_name(found.keys)["open"].substitutions == 1
    assert found.fingers == found.hands == found.rows == () and found.row_confusion == {}


def test_the_keyboard_is_the_one_that_simulated_people_type_on():
    rows = {2: "numbers", 1: "top", 0: "home", -1: "bottom"}
    fingers = {typist.INDEX: "index", typist.MIDDLE: "middle", typist.RING: "ring", typist.PINKY: "little"}
    places = places_of(TYPING)
    for glyph, place in typist.PLACES.items():
        if glyph != " ":
            hand = "left" if place.hand == typist.LEFT else "right"
            (label,) = text_to_labels(glyph)
            assert places[int(label)] == (rows[place.row], f"{hand} {fingers[place.finger]}"), glyph


def test_every_key_but_shift_has_a_row_and_a_finger():
    places = places_of(TYPING)
    assert len(places) == NUM_CLASSES - 2
    q, p = text_to_labels("qP")[:1][0], text_to_labels("p")[0]
    assert places[int(q)] == ("top", "left little") and places[int(p)] == ("top", "right little")
