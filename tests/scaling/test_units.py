"""Errors in fractions under "%", and single rows in another unit."""

import numpy as np
import pytest

from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import law_named
from semgjax.scaling.table import table_of
from semgjax.scaling.units import look_like_fractions, rows_in_another_unit

SIZES = np.geomspace(1e5, 1e7, 8)
CER = 8 + 40 * (SIZES / 1e5) ** -0.4


def codes(table, law="floor_power") -> dict[str, str]:
    return {found.code: found.severity for found in diagnose(fit_law(table, law_named(law)), None)}


def test_fractions_called_percent_withhold_the_number():
    assert codes(table_of(SIZES, CER / 100, "%"))["fractions"] == "error"
    assert "fractions" not in codes(table_of(SIZES, CER / 100, ""))
    assert "fractions" not in codes(table_of(SIZES, CER, "%"))
    assert not look_like_fractions(table_of(SIZES, np.append(CER[:-1] / 100, 1.0), "%"))


@pytest.mark.parametrize("row", range(8))
@pytest.mark.parametrize("factor", [0.01, 0.001, 100.0])
def test_one_row_in_another_unit_is_named_wherever_it_is(row, factor):
    y = CER.copy()
    y[row] *= factor
    table = table_of(SIZES, y, "")
    assert rows_in_another_unit(table, ["N"]) == [row]
    assert codes(table)["mixed-units"] == "error"


@pytest.mark.parametrize("row", [0, 5, 11])
def test_over_two_inputs_too(row):
    n, d = (v.ravel() for v in np.meshgrid(np.geomspace(1e5, 1e7, 4), np.geomspace(1, 30, 3)))
    y = 5 + 30 * (n / 1e5) ** -0.4 + 20 * d**-0.5
    y[row] /= 100
    assert rows_in_another_unit(table_of({"N": n, "D": d}, y), ["N", "D"]) == [row]


@pytest.mark.parametrize("seed", range(20))
def test_a_noisy_sweep_or_a_failed_run_is_no_other_unit(seed):
    rng = np.random.default_rng(seed)
    y = CER * np.exp(rng.normal(0, 0.1, 8))
    y[rng.integers(8)] *= 3
    assert rows_in_another_unit(table_of(SIZES, y), ["N"]) == []


def test_a_steep_power_law_is_no_other_unit():
    assert rows_in_another_unit(table_of(SIZES, 1e3 * (SIZES / 1e5) ** -2.0), ["N"]) == []
