"""The plain beam search against all paths counted one by one, and its rules on emissions that are easy to read."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semgjax.data.keys import NUM_CLASSES, text_to_labels
from semgjax.decode.automaton import Automaton
from semgjax.decode.beam_options import BeamOptions
from semgjax.decode.beam_reference import beam_search_reference
from tests.decode.random_models import BLANK, GLYPHS, forced, random_emissions, random_model
from tests.refused import refused

EVERYTHING = BeamOptions(beam=10_000, top=99)


def score_by_definition(labels, glyphs, model: Automaton, options: BeamOptions) -> float:
    """The model's part of a sequence: what is typed is scored, what backspace removes is not."""
    stack = [(model.start, 0.0)]
    for label in labels:
        glyph, state = glyphs[label], stack[-1][0]
        if glyph is None:
            continue
        if glyph == "\u232b":
            stack = stack[:-1] or stack
            continue
        if glyph in model.vocabulary:
            column = model.vocabulary.index(glyph)
            score, after = model.log10p[state, column], model.next_state[state, column]
        else:
            score = model.unknown_log10p if state == model.start else model.end_log10p[state]
            after = model.start
        stack.append((after, options.factor * float(score) + options.insertion_bonus))
    total = sum(gain for _, gain in stack)
    if options.scores_end and stack[-1][0] != model.start:
        total += options.factor * float(model.end_log10p[stack[-1][0]])
    return total


def all_paths(emissions_TxK, glyphs=None, model=None, options=EVERYTHING) -> dict[tuple[int, ...], float]:
    """Log probability of every sequence, from all K**T paths."""
    mass: dict[tuple[int, ...], float] = defaultdict(float)
    frames, classes = emissions_TxK.shape
    for path in itertools.product(range(classes), repeat=frames):
        merged = [label for label, _ in itertools.groupby(path)]
        labels = tuple(label for label in merged if label != classes - 1)
        mass[labels] += np.exp(sum(emissions_TxK[t, label] for t, label in enumerate(path)))
    return {
        labels: float(np.log(probability))
        + (0.0 if model is None else score_by_definition(labels, glyphs, model, options))
        for labels, probability in mass.items()
        if probability > 0
    }


@pytest.mark.parametrize(
    ("glyphs", "frames"), [(("a", "b", "\u232b"), 6), (("a", " ", "\u232b"), 5), (("a", None), 6), (("b",), 6)]
)
@pytest.mark.parametrize("options", [EVERYTHING, BeamOptions(beam=10_000, proper=True, lm_weight=0.7)])
@pytest.mark.parametrize("with_model", [True, False])
def test_a_beam_that_holds_everything_finds_the_score_of_every_sequence(glyphs, frames, options, with_model):
    emissions = random_emissions(frames, frames, len(glyphs) + 1)
    model = random_model(vocabulary="abc") if with_model else None
    expected = all_paths(emissions, glyphs, model, options)
    found = beam_search_reference(emissions, options, model, glyphs, best=10_000)
    assert {tuple(one.labels): one.score for one in found} == pytest.approx(expected, abs=1e-6)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)


def test_only_paths_through_the_best_classes_of_each_frame_have_mass():
    emissions = random_emissions(3, 5, 4)
    pruned = np.where(emissions >= np.sort(emissions, -1)[:, -2:-1], emissions, -np.inf)
    found = beam_search_reference(emissions, BeamOptions(beam=10_000, top=2), best=10_000)
    assert {tuple(one.labels): one.score for one in found} == pytest.approx(all_paths(pruned), abs=1e-6)


def test_without_blank_among_the_best_classes_its_paths_have_no_mass():
    emissions = np.log(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]))
    (only,) = beam_search_reference(emissions, BeamOptions(top=1), best=9)
    assert only.labels.tolist() == [0]
    assert only.score == pytest.approx(2 * np.log(0.5))


def test_equal_classes_and_equal_prefixes_keep_the_order_of_expansion():
    emissions = np.log(np.full((1, 4), 0.25))
    found = beam_search_reference(emissions, best=9)
    assert [one.labels.tolist() for one in found] == [[], [0], [1], [2]]
    assert beam_search_reference(emissions, BeamOptions(top=2), best=9)[1].labels.tolist() == [1]


@pytest.mark.parametrize("finish", [False, True])
def test_the_end_of_the_last_word_is_scored_only_when_asked(finish):
    model = random_model()
    (found,) = beam_search_reference(forced([0, 1]), BeamOptions(finish=finish), model, GLYPHS)
    second = model.next_state[model.start, 0]
    expected = 2 * (model.log10p[model.start, 0] + model.log10p[second, 1]) + 2 * 2
    expected += 2 * model.end_log10p[model.next_state[second, 1]] if finish else 0
    assert found.score == pytest.approx(expected, abs=1e-5)


def test_a_key_outside_of_the_vocabulary_ends_the_word_and_at_its_beginning_costs_the_unknown_unigram():
    model, options = random_model(), BeamOptions(finish=True)
    space, capital = 3, 5
    second = model.next_state[model.start, 0]
    expected = 2 * (model.log10p[model.start, 0] + model.end_log10p[second] + model.unknown_log10p) + 3 * 2
    (found,) = beam_search_reference(forced([0, space, capital]), options, model, GLYPHS)
    assert found.score == pytest.approx(expected, abs=1e-5)


def test_backspaces_at_the_root_and_classes_that_are_no_keys_change_no_score():
    back, gesture = 4, 7
    for labels in ([back], [back, back, gesture], [0, back, back], [gesture]):
        (found,) = beam_search_reference(forced(labels), BeamOptions(finish=True), random_model(), GLYPHS)
        assert found.labels.tolist() == labels
        assert found.score == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from("abcdeXY 7"), st.text("abcdeQ ,", max_size=4)), max_size=6))
def test_typing_errors_that_are_removed_leave_the_score_of_the_words(pairs):
    words = "".join(key for key, _ in pairs)
    typed = "".join(wrong + "\b" * len(wrong) + key for key, wrong in pairs)
    model, options = random_model(), BeamOptions(finish=True)
    clean, noisy = (
        beam_search_reference(forced(list(text_to_labels(text)), NUM_CLASSES), options, model)[0]
        for text in (words, typed)
    )
    assert noisy.labels.tolist() == text_to_labels(typed).tolist()
    assert noisy.score == pytest.approx(clean.score, abs=1e-9)


def test_backspaces_beyond_the_keys_that_can_be_undone_change_no_score():
    model, back = random_model(), 4
    scores = [
        beam_search_reference(forced([0, 1, 2] + [back] * n), BeamOptions(undo=2), model, GLYPHS)[0].score
        for n in range(5)
    ]
    assert scores[2] == pytest.approx(2 * model.log10p[model.start, 0] + 2, abs=1e-5)
    assert scores[2] == scores[3] == scores[4]


def test_the_frame_of_a_label_is_where_it_was_added():
    values = np.full((7, BLANK + 1), -9.0)
    values[np.arange(7), [BLANK, 2, 2, BLANK, 2, 0, BLANK]] = -0.01
    (found,) = beam_search_reference(values)
    assert found.labels.tolist() == [2, 2, 0]
    assert found.frames.tolist() == [1, 4, 5]
    assert found.labels.dtype == found.frames.dtype == np.int32


def test_no_frame_gives_the_empty_sequence():
    (found,) = beam_search_reference(np.zeros((0, 5)), BeamOptions(finish=True), random_model(), ("a",) * 4, best=3)
    assert (found.labels.tolist(), found.score, found.frames.tolist()) == ([], 0.0, [])


def test_fewer_than_one_hypothesis_is_refused():
    with refused("bad-value", "best", 0):
        beam_search_reference(np.zeros((2, 3)), best=0)


def test_emissions_of_other_classes_than_the_models_are_refused():
    with refused("bad-shape", 3, 99):
        beam_search_reference(np.zeros((2, 3)), model=random_model())
