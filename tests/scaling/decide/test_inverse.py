"""What reaches a target, and what it says where nothing does."""

import math
from dataclasses import replace

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.decide.decision import as_json, lines
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.decide.inverse import invert, reach
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import POWER
from semgjax.scaling.table import table_of
from tests.scaling.decide.made import size_evidence, size_fit

# Mean absolute error of force decoding against training subjects (ViSaReVe/emg-force-scaling, zero shot).
SUBJECTS, FORCE_ERROR = [1, 2, 4, 8, 16], [19.19856, 15.56899, 13.5868, 12.04104, 11.21538]


def test_the_inverse_undoes_the_prediction_and_the_interval_holds_the_truth():
    fit = size_fit()
    found = invert(fit, "N", 12.0, evidence=size_evidence())
    assert predict(fit, found.value) == pytest.approx(12.0, rel=1e-6)
    truth = 1e5 * (20.0 / 4.0) ** (1 / 0.45)
    low, high = found.interval
    assert low < truth < high and low < found.value < high
    assert found.method == "profile likelihood" and found.out_of_reach < 0.05
    assert found.choice[0] <= found.value <= found.choice[1]


def test_a_target_below_the_floor_is_out_of_reach_and_the_layers_have_no_end():
    found = invert(size_fit(), "N", 7.2, evidence=size_evidence())
    assert found.value == math.inf and found.interval[1] == math.inf
    assert found.out_of_reach > 0.3
    assert "out-of-reach" in [d.code for d in found.diagnostics]
    assert as_json(found)["value"] is None and as_json(found)["sampling"]["high"] is None
    assert "out of reach" in lines(found)[0]


def test_a_limit_makes_what_needs_more_out_of_reach():
    found = invert(size_fit(), "N", 12.0, most=3e6, evidence=size_evidence())
    assert found.value == math.inf


def test_users_for_a_force_error_beyond_the_data_come_with_the_chance_that_there_are_none():
    fit = fit_law(table_of({"N": SUBJECTS}, FORCE_ERROR), POWER)
    found = invert(fit, "N", 8.4)
    assert found.value == pytest.approx(58.2, rel=0.01)  # what the published power law gives
    assert found.interval[0] < 30 and found.interval[1] > 200
    assert 0.2 < found.out_of_reach < 0.8
    assert found.choice[1] == math.inf
    assert {"may-be-out-of-reach", "choice-exceeds-sampling", "extrapolating"} <= {d.code for d in found.diagnostics}


def test_an_error_level_finding_blocks_the_number_unless_forced():
    x = np.array([1e4, 1e5, 1e6])
    fit = fit_law(table_of(x, [40.0, 20.0, 12.0]))
    found = invert(fit, "N", 11.0)
    assert found.blocked and found.value is None and found.interval is None and found.members == ()
    assert "no answer" in lines(found)[0]
    assert invert(fit, "N", 11.0, force=True).value > 1e6


@pytest.mark.parametrize(
    ("name", "target", "at", "code"),
    [
        ("U", 12.0, {}, "unknown-name"),
        ("N", -1.0, {}, "bad-value"),
        ("N", 12.0, {"D": 3.0}, "unknown-name"),
    ],
)
def test_questions_that_make_no_sense_are_refused(name, target, at, code):
    with pytest.raises(InputError) as caught:
        invert(size_fit(), name, target, at, evidence=size_evidence())
    assert caught.value.code == code


def test_reach_is_found_for_every_curve_at_once():
    fit = size_fit()
    thetas = np.stack([fit.theta, fit.theta])
    found = reach(fit, thetas, "N", np.array([20.0, 7.0]), {}, (1.0, 1e12))
    assert predict(fit, found[0]) == pytest.approx(20.0, rel=1e-3)
    assert found[1] == math.inf


def test_fewer_than_one_subject_and_none_at_all_are_given_in_words():
    fit = fit_law(table_of({"N": SUBJECTS}, FORCE_ERROR), POWER)
    evidence = gather(fit)
    few = invert(fit, "N", 40.0, evidence=evidence)
    assert 0.0 < few.value < 1.0
    assert lines(few)[0].endswith("less than one")
    assert as_json(few)["value"] is None and as_json(few)["unbounded"] == ["low"]
    assert as_json(few)["sampling"]["low"] is None and "low" in as_json(few)["sampling"]["unbounded"]
    far = invert(fit, "N", 1.0, evidence=evidence)
    assert as_json(far)["value"] is None and as_json(far)["unbounded"] == ["high"]
    for answer in (few, far):
        text = "\n".join(lines(answer))
        assert "e-0" not in text.split("\n")[0] and "no end" not in text and "[less than one, no upper end]" not in text


def test_hours_may_be_fewer_than_one():
    table = replace(table_of({"N": SUBJECTS}, FORCE_ERROR), columns={"N": "hours"})
    few = invert(fit_law(table, POWER), "N", 25.0)
    assert 0.0 < few.value < 1.0
    assert as_json(few)["value"] == few.value and as_json(few)["unbounded"] == []
