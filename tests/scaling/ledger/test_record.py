"""Scores of settled forecasts, and what they say of the next one."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from semgjax.scaling.drift import MODEL
from semgjax.scaling.ledger.ledger_file import Entry
from semgjax.scaling.ledger.record import as_json, crps, record_of
from semgjax.scaling.quantiles import binomial_interval

LEVELS = (np.arange(20) + 0.5) / 20
TIME = datetime(2026, 1, 2, tzinfo=UTC)


def settled(*results: float, reach: float = 0.5, own_sd: float = 0.01, beyond: float = 10.0):
    """Entries of forecasts of 10 [9, 11] with these results."""
    entries = []
    for result in results:
        ends = [10.0 * math.exp(stats.norm.ppf(level) * 0.05) for level in LEVELS]
        layers = dict.fromkeys(("users", "choice", "extrapolation"))
        body = {"value": 10.0, "quote": [9.0, 11.0], "sampling": [9.8, None], **layers, "quantiles": ends, "unit": "%"}
        body |= {"beyond": beyond, "reach": reach, "own_sd": own_sd, "at": {"N": 1.0}}
        number = len(entries)
        entries.append(Entry(number, "forecast", TIME, body, ""))
        entries.append(
            Entry(number + 1, "result", TIME, {"forecast": number, "value": result, "log_sd": None, "runs": 1}, "")
        )
    return tuple(entries)


@pytest.mark.parametrize("value", [-2.0, 0.0, 0.7, 3.0])
def test_the_score_of_a_normal_forecast_is_that_of_its_formula(value):
    ends = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    known = value * (2 * stats.norm.cdf(value) - 1) + 2 * stats.norm.pdf(value) - 1 / math.sqrt(math.pi)
    assert crps(ends, value) == pytest.approx(known, abs=2e-3)


def test_each_layer_counts_where_a_forecast_has_it():
    record = record_of(settled(9.5, 10.5, 12.0))
    assert [one.inside for one in record.scores] == [
        {"sampling": False, "quote": True},
        {"sampling": True, "quote": True},
        {"sampling": True, "quote": False},
    ]
    assert record.cover["quote"][:2] == (2, 3)
    assert record.scores[2].log_error == pytest.approx(math.log(1.2))
    assert record.scores[2].per_distance == pytest.approx(math.log(1.2) / math.log(10.0))
    assert as_json(record)["cover"]["sampling"]["inside"] == 2


def test_a_forecast_without_result_is_open():
    entries = settled(10.0, 10.0)
    record = record_of(entries[:3])
    assert [entry.number for entry in record.open] == [2] and len(record.scores) == 1


def test_good_forecasts_narrow_and_bad_ones_widen_what_the_next_one_allows_for():
    assert record_of(()).model == MODEL
    good = record_of(settled(*[10.0 * math.exp(0.01 * s) for s in (-1, 1, 0.5, -0.5, 0, 1)])).model
    bad = record_of(settled(*[10.0 * math.exp(0.2 * s) for s in (-1, 1, 1.5, -0.5, 1, 1)])).model
    assert good < 0.7 * MODEL and bad > 2.0 * MODEL
    assert bad == pytest.approx(0.2 / 0.5, rel=0.35)


def test_forecasts_within_their_sweep_say_nothing_of_what_lies_beyond():
    assert record_of(settled(13.0, 8.0, reach=0.0, beyond=1.0)).model == MODEL


@pytest.mark.parametrize(("inside", "of"), [(0, 5), (3, 10), (10, 10)])
def test_the_share_has_the_exact_interval(inside, of):
    known = stats.binomtest(inside, of).proportion_ci(0.95, "exact")
    assert binomial_interval(inside, of, 0.95) == pytest.approx((known.low, known.high))
