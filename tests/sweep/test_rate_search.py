"""Which learning rates a search tries, and how few."""

import math

import pytest

from semgjax.sweep.rate_search import DIVERGED, Search, best_of, next_rates, state_of
from tests.refused import refused

DEFAULT = Search()


def search_for(best, options=DEFAULT, start=1e-3, diverges=math.inf):
    """All that is tried on a parabola of the log rate."""
    tried: dict[float, float] = {}
    while rates := next_rates(tried, options, start):
        assert not set(rates) & set(tried)
        for rate in rates:
            tried[rate] = DIVERGED if rate > diverges else 10.0 + math.log(rate / best) ** 2
    return tried


def test_three_runs_bracket_where_the_start_is_right():
    assert sorted(search_for(1.1e-3)) == [5e-4, 1e-3, 2e-3]


@pytest.mark.parametrize(("off", "most"), [(2.0, 4), (0.5, 4), (4.0, 5), (0.25, 5), (16.0, 6), (1 / 16, 7), (64.0, 7)])
def test_far_starts_take_few_more_and_end_within_the_tolerance(off, most):
    tried = search_for(1e-3 * off)
    best, rates = best_of(tried), sorted(tried)
    place = rates.index(best)
    assert len(tried) <= most and state_of(tried, DEFAULT, 1e-3) == "bracketed"
    assert rates[place + 1] / best <= 2.03 and best / rates[place - 1] <= 2.03
    assert abs(math.log(best / (1e-3 * off))) < math.log(2.0)


def test_a_smaller_tolerance_narrows_the_bracket_by_golden_sections():
    options = Search(tolerance=1.2, most=20)
    tried = search_for(1.3e-3, options)
    rates, best = sorted(tried), best_of(tried)
    assert rates[rates.index(best) + 1] / rates[rates.index(best) - 1] <= 1.2**2 * 1.02
    assert abs(math.log(best / 1.3e-3)) < math.log(1.1) and len(tried) <= 8


def test_what_diverges_is_worse_than_all():
    tried = search_for(1e-3, start=4e-3, diverges=1.5e-3)
    assert best_of(tried) <= 1.5e-3 and state_of(tried, Search(), 4e-3) == "bracketed"
    only = search_for(1e-3, Search(most=3), diverges=0.0)
    assert set(only.values()) == {DIVERGED} and state_of(only, Search(most=3), 1e-3) == "edge"
    assert max(only) == 1e-3 and min(only) < 5e-4


def test_a_search_that_runs_out_of_runs_says_that_the_best_is_at_the_edge():
    options = Search(most=3)
    tried = search_for(1e3, options)
    assert len(tried) == 3 and state_of(tried, options, 1e-3) == "edge"
    assert state_of({1e-3: 1.0}, options, 1e-3) == "searching"


def test_three_rates_begin_together_and_equal_errors_bracket():
    options = Search(together=True, factor=3.0, tolerance=3.0)
    assert next_rates({}, options, 1.23456e-3) == (0.00041, 0.00123, 0.00369)
    assert next_rates({1e-3: 9.0, 3e-3: 9.0, 9e-3: 9.0}, options, 3e-3) == ()
    assert best_of({1e-3: 9.0, 3e-3: 9.0, 9e-3: 9.0}) == 3e-3
    assert best_of({1e-3: 9.0, 3e-3: 9.0}) == 1e-3 and best_of({1e-3: 9.5, 3e-3: 9.0, 9e-3: 9.0}) == 3e-3


def test_the_order_of_the_results_changes_nothing():
    tried = {1e-3: 10.0, 2e-3: 9.0, 6.14e-3: 8.0}
    assert next_rates(tried, DEFAULT, 1e-3) == next_rates(dict(reversed(tried.items())), DEFAULT, 1e-3)


@pytest.mark.parametrize(
    "options",
    [{"factor": 1.0}, {"factor": math.nan}, {"tolerance": 1.0}, {"tolerance": 1e9}, {"most": 2}, {"shorten": 0}],
)
def test_options_out_of_range_are_one_line(options):
    with refused("bad-value", next(iter(options))):
        Search(**options)
