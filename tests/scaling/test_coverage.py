"""Intervals hold the truth as often as they say; the whole table is printed by `python -m analysis.coverage`."""

import numpy as np
import pytest

from analysis.coverage import cells, coverage, table
from semgjax.scaling.fit import fit_law
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import prediction_interval, profile_f
from semgjax.scaling.table import table_of


def one(text):
    return next(cell for cell in cells() if text in cell.name)


@pytest.mark.slow
@pytest.mark.parametrize("objective", [Objective(), Objective("log_ls")], ids=str)
@pytest.mark.parametrize(
    "name", ["power + floor, CER 68 -> 15 %, 6 sizes x 1, noise 5 %", "near the ceiling, CER 98 -> 72 %, 5 sizes x 1"]
)
def test_95_percent_intervals_far_beyond_the_sweep_hold_the_truth(name, objective):
    # 400 sweeps: 91 and 99 % are 3.6 standard deviations from 95 %.
    assert 0.91 <= coverage(one(name), objective, 400) <= 0.99


@pytest.mark.slow
def test_the_statistic_that_is_counted_decides_as_the_interval_does():
    cell = one("power + floor, CER 68 -> 15 %, 5 sizes x 1, noise 5 %")
    truth = float(cell.truth({"N": np.array(2e7)}))
    agree = 0
    for seed in range(20):
        noise = np.exp(cell.noise * np.random.default_rng(seed).standard_normal(5))
        fit = fit_law(table_of(cell.points, cell.truth(cell.points) * noise), cell.law)
        low, high = prediction_interval(fit, 2e7, 0.8)
        statistic = profile_f(fit, 2e7, [truth])[0]
        # F(1, 2) at 80 %
        agree += (low <= truth <= high) == (statistic <= 3.5556)
    assert agree == 20


@pytest.mark.slow
def test_the_table_has_a_row_for_each_setting():
    text = table((Objective("log_ls"),), 8, "users x hours")
    assert text.count("| users x hours, star of 9") == 2


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("8 sizes x 1", 0.90), ("6 sizes x 3", 0.90)])
def test_intervals_hold_the_truth_where_the_noise_grows_six_fold(name, least):
    cell = one(f"moving noise, {name}, 1 to 6 %")
    widened, plain = (coverage(cell, Objective(), 400, allow=allow) for allow in (True, False))
    assert least <= widened <= 0.99 and widened > plain + 0.03
    assert coverage(one(f"moving noise, {name}, 3 to 3 %"), Objective(), 400) <= 0.985
