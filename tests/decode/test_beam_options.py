"""What both beam searches take: options, emissions and classes, and what they refuse."""

import ml_dtypes
import numpy as np
import pytest

from semgjax.data.band import Band
from semgjax.data.keys import NUM_KEYS
from semgjax.decode.beam_options import BACKSPACE, NO_KEY, BeamOptions, check_emissions, columns_of, glyphs_of
from tests.decode.random_models import GLYPHS, random_model
from tests.refused import refused


@pytest.mark.parametrize("name", ["beam", "top", "undo"])
@pytest.mark.parametrize("value", [0, -3, 2.0, True])
def test_counts_below_one_or_not_whole_are_refused(name, value):
    with refused("bad-value", name, value):
        BeamOptions(**{name: value})


@pytest.mark.parametrize("name", ["lm_weight", "insertion_bonus"])
def test_weights_that_are_not_finite_are_refused(name):
    with refused("bad-value", name, "nan"):
        BeamOptions(**{name: float("nan")})


def test_the_default_options_are_emg2qwertys():
    options = BeamOptions()
    assert (options.beam, options.top, options.lm_weight, options.insertion_bonus) == (50, 10, 2.0, 2.0)
    assert not options.scores_end and options.factor == 2.0


def test_proper_weights_are_nats_and_the_end_is_scored():
    options = BeamOptions(lm_weight=0.5, proper=True)
    assert options.factor == pytest.approx(0.5 * np.log(10))
    assert options.scores_end


def test_the_key_set_has_a_glyph_for_each_class():
    glyphs = glyphs_of()
    assert len(glyphs) == NUM_KEYS
    assert (glyphs[0], glyphs[26], glyphs[94], glyphs[96]) == ("a", "A", "\u232b", " ")


def test_gestures_are_no_keys_and_keys_of_another_band_are():
    assert glyphs_of(Band((8,), 1000.0, ("fist", "a", "Key.backspace"))) == (None, "a", "\u232b")


def test_each_class_has_a_column_or_a_part_of_its_own():
    outside = 5
    expected = [0, 1, 2, outside, BACKSPACE, outside, 3, NO_KEY, 4, outside, outside, NO_KEY]
    assert columns_of(GLYPHS, random_model()).tolist() == expected


def test_space_is_a_character_of_a_model_that_has_it():
    assert columns_of((" ", "a"), random_model(vocabulary="a ")).tolist() == [1, 0, NO_KEY]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_emissions_that_are_no_logs_of_probabilities_are_refused(value):
    emissions = np.zeros((3, 4))
    emissions[1, 2] = value
    with refused("not-finite"):
        check_emissions(emissions)


def test_a_frame_in_which_no_class_can_be_is_refused():
    emissions = np.zeros((3, 4))
    emissions[1] = -np.inf
    with refused("not-finite"):
        check_emissions(emissions)


@pytest.mark.parametrize("emissions", [np.zeros(4), np.zeros((2, 0)), np.array([["a"]]), np.zeros((2, 3), complex)])
def test_emissions_of_another_shape_or_kind_are_refused(emissions):
    with refused("bad-shape"):
        check_emissions(emissions)


def test_emissions_of_other_classes_are_refused():
    with refused("bad-shape", 4, 5):
        check_emissions(np.zeros((3, 4)), 5)


def test_half_precision_and_huge_negative_emissions_are_taken():
    found = check_emissions(np.array([[-1.0, -1e9, -1e30, -1e300, -np.inf]]))
    assert found.dtype == np.float64
    assert found.tolist() == [[-1.0, -1e9, -np.inf, -np.inf, -np.inf]]
    assert check_emissions(np.zeros((2, 3), ml_dtypes.bfloat16)).dtype == np.float32
    assert check_emissions(np.zeros((0, 3))).shape == (0, 3)
