"""The study of rungs off their best rate: the truth that it simulates, and its rows."""

import pytest

from analysis.untuned_rungs import SIZES, around, best_error, best_rate, error, fitted, law_row, search_row
from semgjax.scaling.fit import predict


def test_the_truth_is_lowest_at_the_best_rate_and_found_by_the_best_rates_alone():
    assert error(1e5, best_rate(1e5)) == best_error(1e5) < error(1e5, 1.1 * best_rate(1e5))
    rates = {size: around(size) for size in SIZES}
    assert float(predict(fitted(rates, 0.0, 0), 1e7)) == pytest.approx(best_error(1e7), rel=1e-3)
    assert len(fitted(rates, 0.0, 0, every_rate=True).table.y) == 18


def test_a_row_has_its_cells_and_proposed_rates_mend_an_untuned_largest_size():
    cells = law_row(8.0, False, 0.003, 1).split(" | ")
    misses = [float(cell.removesuffix(" %")) for cell in cells[:3]]
    assert len(cells) == 6 and misses[2] < 0.3 * min(misses[:2])


def test_a_search_without_noise_ends_within_a_percent_of_the_best_on_average():
    runs, left = search_row(0.0, 0.1, 50).split(" | ")
    assert float(left.split(";")[0]) < 1.0 and 3.0 <= float(runs.split(";")[0]) < 6.0
