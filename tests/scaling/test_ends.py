"""Interval ends: what nothing bounds says so, in text and in JSON."""

import math

import numpy as np
import pytest

from semgjax.scaling.ends import Limits, amount, amount_json, amount_span, ends_json, listed, number, opened, span
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.profile import parameter_intervals
from semgjax.scaling.store import fit_document


@pytest.mark.parametrize("high", [math.inf, 8.2e307, 1.7976931348623157e308, 1e100, 3e45])
def test_an_upper_end_beyond_any_number_is_none(high):
    assert span((5.8, high)) == "[5.8, no upper end]"
    assert ends_json((5.8, high)) == {"low": 5.8, "high": None, "unbounded": ["high"]}


@pytest.mark.parametrize("low", [-math.inf, -1e308, -1e31])
def test_a_lower_end_beyond_any_number_is_none(low):
    assert span((low, 2.0)) == "[no lower end, 2]"
    assert ends_json((low, 2.0)) == {"low": None, "high": 2.0, "unbounded": ["low"]}


@pytest.mark.parametrize("ends", [(0.0, 3.0), (1e-300, 2.0), (1e31, 1e38), (1.5, 8e9), (-3.0, -1.0), (2.0, 2.0)])
def test_ends_that_are_numbers_stay(ends):
    assert ends_json(ends) == {"low": ends[0], "high": ends[1], "unbounded": []}
    assert "end" not in span(ends)


def test_no_interval_is_no_unbounded_one():
    assert span(None) == "-" and listed(None) is None
    assert ends_json(None) == {"low": None, "high": None, "unbounded": []}


def test_ends_a_factor_of_a_thousand_million_from_the_value_say_nothing():
    assert opened((1e-12, 1e12), 1.0) == (0.0, math.inf)
    assert opened((0.5, 2.0), 1.0) == (0.5, 2.0)


COUNTED = Limits(1.0, 1e-6, 1.6e7, 1.0, 16.0)
MEASURED = Limits(0.0, 1e-6, 1.6e7, 1.0, 16.0)


@pytest.mark.parametrize("ends", [(-math.inf, math.inf), (0.0, math.inf), (-math.inf, 1e200), (0.0, 8.2e307)])
def test_an_interval_without_any_end_is_given_in_words(ends):
    assert span(ends) == "not determined by the data"
    assert amount_span(ends, MEASURED) == "not determined by the data"


def test_a_number_beyond_any_unit_is_given_in_words():
    for value in (8.2e307, 1e100, math.inf, -math.inf):
        assert number(value).startswith("beyond")
    assert number(math.nan) == number(None) == "-"


@pytest.mark.parametrize(
    ("value", "limits", "words", "side"),
    [
        (1e-6, COUNTED, "less than one", "low"),
        (0.4, COUNTED, "less than one", "low"),
        (0.4, MEASURED, "0.4", None),
        (1e-6, MEASURED, "less than 1/1,000,000 of the smallest of the sweep", "low"),
        (math.inf, COUNTED, "out of reach: not within 1,000,000 times the largest of the sweep", "high"),
        (1.6e7, COUNTED, "out of reach: not within 1,000,000 times the largest of the sweep", "high"),
        (58.2, COUNTED, "58.2", None),
        (math.inf, None, "out of reach", "high"),
    ],
)
def test_an_amount_out_of_range_is_given_in_words(value, limits, words, side):
    assert amount(value, limits) == words
    found = amount_json((value, value), limits)
    assert (side in found["unbounded"]) == (side is not None)


@pytest.mark.parametrize(
    ("ends", "words", "low", "high", "unbounded"),
    [
        ((1e-6, 40.0), "[less than one, 40]", None, 40.0, ["low"]),
        ((0.0, 40.0), "[less than one, 40]", None, 40.0, ["low"]),
        ((3.0, math.inf), "[3, no upper end]", 3.0, None, ["high"]),
        ((0.2, math.inf), "not determined by the data", None, None, ["low", "high"]),
        ((0.0, 0.5), "less than one", None, 1.0, ["low"]),
        ((math.inf, math.inf), "out of reach", None, None, ["low", "high"]),
        (None, "-", None, None, []),
    ],
)
def test_an_interval_of_what_is_counted_ends_at_one(ends, words, low, high, unbounded):
    assert amount_span(ends, COUNTED) == words
    assert amount_json(ends, COUNTED) == {"low": low, "high": high, "unbounded": unbounded}


def test_a_limit_of_the_search_is_no_upper_end():
    sizes = np.geomspace(1e4, 1e6, 6)
    y = np.array([90.0, 21.0, 19.5, 20.5, 19.8, 20.3])  # a step: any large exponent will do
    fit = fit_law((sizes, y), LAWS["floor_power"])
    intervals = parameter_intervals(fit)
    assert intervals["alpha"][1] == math.inf and intervals["A"][1] == math.inf
    assert math.isfinite(intervals["E"][1])
    rows = {p["name"]: p for p in fit_document(fit)["parameters"]}
    assert rows["alpha"]["high"] is None and rows["alpha"]["unbounded"] == ["high"]
    assert rows["A"]["high"] is None and rows["A"]["unbounded"] == ["high"]
    assert rows["E"]["unbounded"] == []


def test_an_exponent_ends_at_zero_below_and_one_that_may_be_negative_has_no_lower_end():
    sizes = np.linspace(1e5, 1.3e5, 6)
    noise = np.exp(0.02 * np.random.default_rng(2).standard_normal(6))
    short = parameter_intervals(fit_law((sizes, (8.0 + 60.0 * (sizes / 2e4) ** -0.45) * noise), LAWS["floor_power"]))
    assert short["alpha"] == (0.0, math.inf) and short["A"] == (0.0, math.inf)
    sizes = np.geomspace(2e4, 2e6, 9)
    noise = np.exp(0.02 * np.random.default_rng(3).standard_normal(9))
    broken = parameter_intervals(fit_law((sizes, (8.0 + 60.0 * (sizes / 2e4) ** -0.45) * noise), LAWS["broken"]))
    assert broken["c0"][0] == 0.0 and broken["c1"] == (-math.inf, math.inf)
