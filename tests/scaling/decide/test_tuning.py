"""Rates before sizes where that shrinks the interval more, on tables whose truth is known."""

import numpy as np
import pytest

import semgjax
from semgjax.scaling.decide.suggest import as_json, lines
from semgjax.scaling.decide.tuning import CURVATURE, curvature_of, tuning_of
from tests.scaling import rated
from tests.scaling.rated import SIZES, around, best_error, best_rate

FAR = {"N": 1e7}
FLAT = {"cost": "1*N", "rate": 1e30, "overhead": 1.0, "at": FAR}  # all runs take an hour
DEAR = {"cost": "1*N^2", "rate": 1e12, "overhead": 1.0, "at": FAR}  # hours as the square of the size


def fitted(rates, noise=0.003):
    return semgjax.fit(rated.table(rates, noise), N="params", y="cer", unit="%")


def at_the_edge(shift=12.0):
    """All sizes bracketed, but the largest: its rates are too high."""
    return {size: around(size) for size in SIZES} | {SIZES[-1]: around(SIZES[-1], shift)}


def test_the_gap_of_a_rung_at_the_edge_is_that_of_the_parabola():
    law = fitted(at_the_edge(), noise=0.0)
    found = tuning_of(law.result)
    assert curvature_of(law.table) == pytest.approx(rated.CURVATURE, rel=1e-6)
    lowest = around(SIZES[-1], 12.0)[0]
    assert list(np.flatnonzero(found.gaps)) == [5]
    assert found.gaps[5] == pytest.approx(0.5 * rated.CURVATURE * np.log(lowest / best_rate(SIZES[-1])) ** 2, rel=1e-6)
    vertex, beyond = found.rates[5]
    assert vertex == pytest.approx(best_rate(SIZES[-1]), rel=0.01) and beyond == pytest.approx(vertex / 2.0, rel=0.01)


def test_rates_come_before_sizes_where_the_largest_rung_is_untuned_and_trying_them_mends_the_prediction():
    rates = at_the_edge(4.0)
    law = fitted(rates)
    found = law.suggest(runs=2, **DEAR)
    (step,) = found.steps
    assert step.kind == "rate" and step.x == {"N": SIZES[-1]} and len(step.rates) == 2 and step.new == ()
    assert found.tuning > 1.5 and step.half_width == pytest.approx(found.now / found.tuning, rel=0.01)
    assert as_json(found)["steps"][0]["rates"] == step.rates and any(str(step.rates[0]) in s for s in lines(found))
    # The next size that is proposed without it costs more hours, and is trained at its best rate.
    size = next(s for s in law.suggest(runs=3, **FLAT).steps if s.kind == "beyond")
    assert size.rates == pytest.approx((best_rate(size.x["N"]),), rel=0.02)
    tuned = fitted({**rates, SIZES[-1]: (*rates[SIZES[-1]], *step.rates)})
    larger = fitted({**rates, size.x["N"]: size.rates})
    off = [abs(np.log(one.predict(FAR, force=True).value / best_error(1e7))) for one in (law, tuned, larger)]
    assert off[1] < 0.25 * off[0] and off[1] < off[2] and step.hours < 1.0 + size.x["N"] ** 2 / 1e12
    assert tuned.suggest(runs=1, **DEAR).tuning == 1.0


def test_a_rung_that_is_left_out_as_far_off_counts_again_once_its_rates_are_right():
    law = fitted(at_the_edge(12.0), noise=0.005)
    assert law.result.run_weights[-1] == 0.0
    found = law.suggest(runs=2, vary={"N": [SIZES[0]]}, **FLAT)
    assert [step.kind for step in found.steps] == ["rate"] and found.steps[0].half_width < found.now
    assert "outlier" in {finding.code for finding in found.diagnostics}


def test_sizes_come_first_where_all_rungs_are_bracketed_or_their_gaps_are_small():
    tuned = fitted({size: around(size) for size in SIZES}, noise=0.005).suggest(runs=3, **FLAT)
    assert tuned.tuning == 1.0 and "rate" not in {step.kind for step in tuned.steps}
    near = fitted(at_the_edge(1.9), noise=0.005).suggest(runs=1, **FLAT)
    assert near.tuning < 1.1 and near.steps[0].kind != "rate"


def test_rates_that_are_dear_give_way_to_what_shrinks_more_per_hour():
    rates = {size: around(size) for size in SIZES} | {SIZES[-1]: around(SIZES[-1], 3.0)}
    law = fitted(rates, noise=0.01)
    ask = {"shrink": "prediction", "at": {"N": 1.2e4}, "rate": 1e4, "overhead": 0.1, "cost": "1*N"}
    assert law.suggest(runs=1, **ask).steps[0].x["N"] < SIZES[-1]


def test_without_any_bracketed_rung_a_factor_of_two_and_a_usual_curvature_are_assumed():
    law = fitted({size: (2e-3,) for size in SIZES}, noise=0.01)
    found = tuning_of(law.result)
    assert found.gaps == pytest.approx(np.full(6, 0.5 * CURVATURE * np.log(2.0) ** 2))
    assert found.rates[0] == (1e-3, 4e-3)
    assert law.suggest(runs=1, **FLAT).tuning > 1.0


def test_a_table_without_rates_is_suggested_for_as_before():
    rows = {
        "params": list(SIZES),
        "cer": [best_error(size) * k for size, k in zip(SIZES, (1.01, 0.99) * 3, strict=True)],
    }
    found = semgjax.fit(rows, N="params", y="cer", unit="%").suggest(runs=2, **FLAT)
    assert found.tuning is None and {step.rates for step in found.steps} == {()}


def test_a_budget_that_does_not_buy_all_rates_of_a_rung_buys_none_of_them():
    found = fitted(at_the_edge()).suggest(runs=2, hours=1.5, **FLAT)
    assert "rate" not in {step.kind for step in found.steps}
