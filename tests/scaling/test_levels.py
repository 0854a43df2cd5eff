"""Which sizes count as one: a level is 1 % wide from its smallest value."""

import numpy as np
import pytest

from semgjax.scaling.fit import fit_law
from semgjax.scaling.rolling import rolling_origin
from semgjax.scaling.table import count_levels, table_of


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([100, 100, 100], 1),
        ([100, 101, 102], 2),  # not chained from neighbour to neighbour
        ([100, 100.5, 101, 101.5], 2),
        ([1e6, 1.0001e6, 2e6], 2),
        ([0, 0, 1, 1.005], 2),
        ([0, 1e-9], 2),
        ([3, 1, 2, 1], 3),
        (np.geomspace(1, 33, 400).tolist(), 200),
    ],
)
def test_levels_do_not_chain(values, levels):
    assert abs(count_levels(np.array(values, float)) - levels) <= (2 if len(values) > 9 else 0)


@pytest.mark.parametrize("seed", range(3))
def test_groups_do_not_depend_on_the_order_of_rows(seed):
    values = np.geomspace(1e5, 2e5, 60)
    order = np.random.default_rng(seed).permutation(60)
    straight = table_of(values, values**-0.5).groups
    mixed = table_of(values[order], values[order] ** -0.5).groups
    assert np.array_equal(straight[order], mixed)


def test_a_dense_ladder_is_fitted():
    sizes = np.geomspace(1e5, 3.3e6, 400)
    fit = fit_law(table_of(sizes, 5 + 40 * (sizes / 1e5) ** -0.5))
    assert fit.parameters["E"] == pytest.approx(5, rel=1e-3)


def test_a_dense_top_does_not_spoil_the_record_of_an_exact_law():
    sizes = np.concatenate([[1e5, 2e5, 4e5, 8e5], 1.6e6 * 1.009 ** np.arange(6)])
    record = rolling_origin(fit_law(table_of(sizes, 5 + 40 * (sizes / 1e5) ** -0.5)))
    assert record.error is not None and record.error < 1e-6
