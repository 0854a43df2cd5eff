"""Decoders: options that nothing would read are refused, and a model that lacks letters of the band is noticed."""

import pytest

from semgjax.data.band import TYPING, Band
from semgjax.decode.beam_options import BeamOptions
from semgjax.evaluate.decoders import OF_MODEL, Decoder, letters_outside
from tests.decode.random_models import random_model
from tests.refused import refused

GIVEN = {"lm_weight": 1.0, "insertion_bonus": 0.0, "finish": True, "proper": True, "undo": 3}


@pytest.mark.parametrize("name", OF_MODEL)
def test_an_option_of_the_model_without_a_model_is_refused(name):
    options = BeamOptions(**{name: GIVEN[name]})
    with refused("conflict", f"beam.{name}", GIVEN[name]):
        Decoder("beam", beam=options)
    assert Decoder("beam", "words.arpa", options).beam == options


def test_greedy_decoding_takes_no_model_and_no_options():
    with refused("conflict", "beam.beam 4"):
        Decoder("greedy", beam=BeamOptions(beam=4))
    with refused("conflict", "words.arpa"):
        Decoder("greedy", "words.arpa")
    with refused("unknown-name", "best"):
        Decoder("best")


def test_letters_that_a_model_lacks_are_those_of_the_bands_keys():
    assert letters_outside(TYPING, random_model(vocabulary="abcdefghijklmnopqrstuvwxyz")) == ()
    assert letters_outside(TYPING, random_model(vocabulary="abcdefghijklmnopqrstuvw ")) == ("x", "y", "z")
    assert letters_outside(Band((8,), 1000.0, ("fist", "a", "z", "Key.space")), random_model(vocabulary="az")) == ()
