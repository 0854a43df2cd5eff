"""`semgjax.stress`: a decoder that reads something reads something else under stress, and the same when left alone."""

import dataclasses

import pytest

import semgjax
from semgjax.decode.beam_options import BeamOptions
from semgjax.evaluate.decoders import Decoder
from tests.refused import refused
from tests.runs import WINDOW


@pytest.fixture(scope="module")
def model():
    """It is not trained, and emits keys all the time, since the blank is made improbable."""
    model = semgjax.init("ladder-16", seed=1)
    head = {**model.params["head"], "bias": model.params["head"]["bias"].at[-1].set(-20.0)}
    return dataclasses.replace(model, window=WINDOW, params={**model.params, "head": head})


def test_the_clean_error_is_that_of_evaluate_and_stress_changes_what_is_read(model, sessions):
    found = semgjax.stress(model, sessions, "train", kinds=["lost-electrodes"])
    plain = model.evaluate(sessions, "train")
    assert (found.clean.scores, found.clean.users_scores) == (plain.scores, plain.users_scores)
    assert found.start.error == plain.cer and found.start.difference.mean == 0.0
    (curve,) = found.curves
    assert curve.points[-1].difference.mean != 0.0
    assert semgjax.stress(model, sessions, "train", kinds=["lost-electrodes"]).as_json() == found.as_json()
    other = semgjax.stress(model, sessions, "train", kinds=["lost-electrodes"], seed=1)
    assert other.clean.scores == plain.scores
    assert [point.error for point in other.curves[0].points] != [point.error for point in curve.points]
    assert "train" in repr(found) and "lost-electrodes" in found._repr_html_()


def test_a_beam_search_is_put_under_stress_as_greedy_decoding_is(model, sessions):
    beam = Decoder("beam", beam=BeamOptions(beam=3, top=3))
    found = semgjax.stress(model, sessions, "test", kinds=["lost-electrodes"], decoder=beam)
    plain = model.evaluate(sessions, "test", decoder=beam)
    assert found.clean.scores == plain.scores and found.start.error == plain.cer
    assert found.as_json()["decoder"] == beam.as_json()
    greedy = semgjax.stress(model, sessions, "test", kinds=["lost-electrodes"])
    errors = [[point.error for point in one.curves[0].points] for one in (found, greedy)]
    assert errors[0] != errors[1] and errors[0][-1] != found.start.error


def test_a_part_a_batch_or_a_kind_that_does_not_exist_is_refused(model, sessions):
    with refused("unknown-name", "tests"):
        semgjax.stress(model, sessions, "tests")
    with refused("bad-value", 0):
        semgjax.stress(model, sessions, batch=0)
    with refused("unknown-name", "nose"):
        semgjax.stress(model, sessions, kinds=["nose"])
