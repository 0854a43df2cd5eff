"""The compiled beam search against the plain one, cut and padded in any way."""

import numpy as np
import pytest

from semgjax.data.keys import NUM_CLASSES, text_to_labels
from semgjax.decode.beam import CHUNK, advance, beam_search, beam_search_batch, begin, hypotheses, make_beam_search
from semgjax.decode.beam_options import BeamOptions
from semgjax.decode.beam_reference import beam_search_reference
from tests.decode.random_models import BLANK, GLYPHS, forced, random_emissions, random_model
from tests.refused import refused

SMALL = BeamOptions(beam=8, top=5)


def values_of(found):
    return [(one.labels.tolist(), one.frames.tolist()) for one in found]


def same(found, expected, tolerance=1e-3):
    assert values_of(found) == values_of(expected)
    assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=tolerance)


@pytest.mark.parametrize(
    ("options", "rows", "with_model"),
    [
        (SMALL, 250, True),
        (SMALL, 150, False),
        (BeamOptions(beam=8, top=12, finish=True), 40, True),
        (BeamOptions(beam=20, top=6, proper=True, lm_weight=0.5, undo=2), 40, True),
        (BeamOptions(), 20, True),
        (BeamOptions(beam=1, top=1), 20, True),
        (BeamOptions(beam=1, top=99), 20, True),
        (BeamOptions(beam=500, top=3), 2, True),
    ],
)
def test_the_best_hypotheses_are_those_of_the_plain_search(options, rows, with_model):
    model = random_model(rows) if with_model else None
    emissions = random_emissions(rows, rows, 30, BLANK + 1)
    frames_B = np.random.default_rng(rows).integers(0, 31, rows)
    found = beam_search_batch(make_beam_search(options, model, GLYPHS), emissions, frames_B, best=3)
    assert len(found) == rows
    for row, frames in enumerate(frames_B):
        same(found[row], beam_search_reference(emissions[row, :frames], options, model, GLYPHS, best=3))


def test_impossible_classes_are_searched_as_by_the_plain_search():
    emissions = random_emissions(5, 30, 20, BLANK + 1)
    emissions[np.random.default_rng(5).random(emissions.shape) < 0.8] = -np.inf
    emissions[..., 0] = -1.0
    search = make_beam_search(SMALL, random_model(), GLYPHS)
    for row, found in enumerate(beam_search_batch(search, emissions, best=9)):
        same(found, beam_search_reference(emissions[row], SMALL, random_model(), GLYPHS, best=9))


def test_equal_scores_keep_the_order_of_expansion():
    emissions = np.log(np.full((4, 6), 1 / 6))
    for options in (SMALL, BeamOptions(beam=3, top=2)):
        search = make_beam_search(options, glyphs=GLYPHS[:5])
        assert values_of(beam_search(search, emissions[:1], best=8)) == values_of(
            beam_search_reference(emissions[:1], options, best=8)
        )
    emissions[1:, 2] += 1.0
    search = make_beam_search(SMALL, glyphs=GLYPHS[:5])
    assert values_of(beam_search(search, emissions)) == values_of(beam_search_reference(emissions, SMALL))


@pytest.mark.parametrize("classes", [1, 2, 3, 300])
def test_alphabets_of_any_size_are_searched_without_a_model(classes):
    emissions = random_emissions(classes, 12, classes)
    search = make_beam_search(SMALL, glyphs=(None,) * (classes - 1))
    same(beam_search(search, emissions, best=8), beam_search_reference(emissions, SMALL, best=8))


def test_a_model_changes_nothing_for_classes_that_are_no_keys():
    emissions, glyphs = random_emissions(0, 15, 5), (None,) * 4
    options = BeamOptions(beam=8, finish=True)
    same(
        beam_search(make_beam_search(options, random_model(), glyphs), emissions, best=5),
        beam_search(make_beam_search(options, glyphs=glyphs), emissions, best=5),
    )


@pytest.mark.parametrize("seed", range(3))
def test_any_cuts_give_the_hypotheses_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    length, rows = 40, 3
    emissions = random_emissions(seed, rows, length, BLANK + 1)
    search = make_beam_search(SMALL, random_model(), GLYPHS)
    whole = beam_search_batch(search, emissions, best=8)
    cuts = [0, *sorted(rng.integers(0, length + 1, 5)), length]
    state, history = begin(search, rows), []
    shapes = [part.shape for part in state]
    for start, end in zip(cuts, cuts[1:], strict=False):
        state, chosen = advance(search, state, emissions[:, start:end])
        history.append(chosen)
    assert [part.shape for part in state] == shapes
    assert np.asarray(state.frames).tolist() == [length] * rows
    for found, expected in zip(hypotheses(search, state, np.concatenate(history), 8), whole, strict=True):
        same(found, expected, 1e-5)


def test_a_session_longer_than_a_call_of_the_loop_is_that_of_the_plain_search():
    emissions = random_emissions(9, CHUNK + 20, BLANK + 1) * 3
    emissions -= np.log(np.exp(emissions).sum(-1, keepdims=True))
    search = make_beam_search(SMALL, random_model(), GLYPHS)
    (expected,) = beam_search_reference(emissions, SMALL, random_model(), GLYPHS)
    same(beam_search(search, emissions), [expected])


def test_a_score_of_a_long_session_keeps_its_precision():
    emissions = random_emissions(0, 4096, 3) - 1.0
    options = BeamOptions(beam=4, top=3)
    search = make_beam_search(options, glyphs=(None, None))
    (expected,) = beam_search_reference(emissions, options)
    (found,) = beam_search(search, emissions)
    assert found.labels.tolist() == expected.labels.tolist()
    assert found.score == pytest.approx(expected.score, abs=1e-3)


def test_padded_frames_and_padded_rows_change_nothing():
    emissions = random_emissions(2, 4, 20, BLANK + 1)
    search = make_beam_search(SMALL, random_model(), GLYPHS)
    frames_B = np.array([20, 13, 0, 7])
    padded = np.where((np.arange(20) < frames_B[:, None])[..., None], emissions, np.nan)
    for row, found in enumerate(beam_search_batch(search, padded, frames_B, best=8)):
        same(found, beam_search(search, emissions[row, : frames_B[row]], best=8), 1e-5)


def test_rows_of_different_lengths_can_be_continued():
    emissions = random_emissions(4, 2, 24, BLANK + 1)
    search = make_beam_search(SMALL, random_model(), GLYPHS)
    state, first = advance(search, begin(search, 2), emissions[:, :16], np.array([16, 5]))
    shifted = np.stack([emissions[0, 16:24], emissions[1, 5:13]])
    state, second = advance(search, state, shifted)
    assert np.asarray(state.frames).tolist() == [24, 13]
    found = hypotheses(search, state, np.concatenate([first, second]), 8)
    for row, length in enumerate([24, 13]):
        expected = beam_search(search, emissions[row, :length], best=8)
        same(found[row], expected, 1e-5)


def test_a_state_can_be_continued_twice():
    emissions = random_emissions(6, 1, 16, BLANK + 1)
    search = make_beam_search(SMALL, random_model(), GLYPHS)
    state, history = advance(search, begin(search, 1), emissions[:, :8])
    (before,) = hypotheses(search, state, history)
    for _ in range(2):
        later, more = advance(search, state, emissions[:, 8:])
        (found,) = hypotheses(search, later, np.concatenate([history, more]))
        same(found, beam_search(search, emissions[0]), 1e-5)
    same(hypotheses(search, state, history)[0], before, 0)


def test_hypotheses_are_distinct_and_sorted():
    emissions = random_emissions(7, 20, BLANK + 1)
    found = beam_search(make_beam_search(BeamOptions(), random_model(), GLYPHS), emissions, best=50)
    assert len({tuple(one.labels) for one in found}) == len(found) == 50
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all((np.diff(one.frames) > 0).all() for one in found)


def test_typing_errors_that_are_removed_leave_the_score_of_the_words():
    rng = np.random.default_rng(0)
    typed, clean = [], []
    for _ in range(20):
        words = "".join(rng.choice(list("abcdeXY 7"), 6))
        wrong = ["".join(rng.choice(list("abcdeQ ,"), rng.integers(0, 4))) for _ in words]
        clean.append(words)
        typed.append("".join(error + "\b" * len(error) + key for error, key in zip(wrong, words, strict=True)))
    search = make_beam_search(BeamOptions(beam=4, finish=True), random_model())

    def found_of(texts):
        emissions = [forced(list(text_to_labels(text)), NUM_CLASSES) for text in texts]
        frames_B = np.array([len(values) for values in emissions])
        padded = [np.pad(values, ((0, 96 - len(values)), (0, 0))) for values in emissions]
        return [found for (found,) in beam_search_batch(search, np.stack(padded), frames_B)]

    for text, noisy, expected in zip(typed, found_of(typed), found_of(clean), strict=True):
        assert noisy.labels.tolist() == text_to_labels(text).tolist()
        assert noisy.score == pytest.approx(expected.score, abs=1e-4)


@pytest.mark.parametrize("rows", [0, 2])
def test_no_frame_gives_the_empty_sequence(rows):
    found = beam_search_batch(make_beam_search(SMALL, random_model(), GLYPHS), np.zeros((rows, 0, BLANK + 1)), best=3)
    assert [values_of(row) for row in found] == [[([], [])]] * rows


def test_what_cannot_be_searched_is_refused():
    search = make_beam_search(SMALL, random_model(), GLYPHS)
    emissions = random_emissions(0, 2, 6, BLANK + 1)
    state, history = advance(search, begin(search, 2), emissions)
    broken = emissions.copy()
    broken[1, 3, 2] = np.nan
    with refused("not-finite"):
        beam_search_batch(search, broken)
    with refused("bad-shape", 5, BLANK + 1):
        beam_search(search, emissions[0, :, :5])
    with refused("bad-shape"):
        beam_search(search, emissions)
    with refused("bad-shape"):
        beam_search_batch(search, emissions[0])
    with refused("bad-shape", 1, 2):
        advance(search, state, emissions[:1])
    with refused("bad-value", "frames", 7):
        beam_search_batch(search, emissions, np.array([7, 2]))
    with refused("bad-value", "frames", -1):
        beam_search_batch(search, emissions, np.array([-1, 2]))
    with refused("bad-shape", "frames"):
        beam_search_batch(search, emissions, np.array([1]))
    with refused("bad-value", "best"):
        beam_search_batch(search, emissions, best=0)
    with refused("bad-shape", "history"):
        hypotheses(search, state, history[1:])
