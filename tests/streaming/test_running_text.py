"""A text that grows with the frames is that of all frames together."""

import numpy as np
import pytest

from semgjax.data.band import TYPING, Band
from semgjax.decode.beam import beam_search, make_beam_search
from semgjax.decode.beam_options import BeamOptions, glyphs_of
from semgjax.decode.greedy import greedy
from semgjax.decode.log_softmax import log_softmax
from semgjax.streaming.running_text import BeamText, GreedyText

GESTURES = Band((8,), 200.0, ("fist", "open", "pinch"))


def emissions(frames, classes, seed=0):
    random = np.random.default_rng(seed)
    logits = 3 * random.normal(size=(frames, classes))
    logits[:, -1] += 4
    return log_softmax(logits)


def grown(text, log_probs, chunk):
    found = ""
    for at in range(0, len(log_probs), chunk):
        found += text.add(log_probs[at : at + chunk])
    return found + text.finish()


@pytest.mark.parametrize("chunk", [1, 3, 50, 400])
@pytest.mark.parametrize("band", [TYPING, GESTURES], ids=["keys", "gestures"])
def test_greedy_text_is_that_of_the_whole(band, chunk):
    log_probs = emissions(400, band.num_classes)
    text = GreedyText(band)
    assert grown(text, log_probs, chunk) == band.text(greedy(log_probs)) != ""
    assert text.keys == len(greedy(log_probs)) and text.tentative() == ""


@pytest.mark.parametrize("band", [TYPING, GESTURES], ids=["keys", "gestures"])
def test_beam_text_is_that_of_the_whole(band):
    log_probs = emissions(200, band.num_classes)
    search = make_beam_search(BeamOptions(beam=8), None, glyphs_of(band))
    text = BeamText(band, search, 1000)
    best = beam_search(search, log_probs)[0].labels
    assert grown(text, log_probs, 7) == band.text(best) != ""
    assert (text.keys, text.forced) == (len(best), 0)


def test_what_is_open_and_what_is_final_are_together_the_best_so_far():
    log_probs, search = emissions(60, TYPING.num_classes), make_beam_search(BeamOptions(beam=8))
    text, final = BeamText(TYPING, search, 1000), ""
    for end in range(1, 61):
        final += text.add(log_probs[end - 1 : end])
        assert final + text.tentative() == TYPING.text(beam_search(search, log_probs[:end])[0].labels)


def test_no_more_keys_stay_open_than_may():
    text = BeamText(TYPING, make_beam_search(BeamOptions(beam=8)), 2)
    for frame in emissions(100, TYPING.num_classes):
        text.add(frame[None])
        assert len(text.tentative()) <= 2
    assert text.forced > 0


def test_after_its_end_a_text_goes_on_with_another_signal():
    log_probs = emissions(50, GESTURES.num_classes)
    text = GreedyText(GESTURES)
    once = text.add(log_probs) + text.finish()
    assert text.add(log_probs) + text.finish() == f" {once}"
