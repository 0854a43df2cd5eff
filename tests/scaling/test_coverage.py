"""Intervals hold the truth as often as they say; the whole table is printed by `python -m analysis.coverage`."""

from math import log

import numpy as np
import pytest

from analysis.coverage import Cell, cells, coverage, study
from analysis.simulated import Simulations
from semgjax.scaling.fit import fit_law
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import prediction_interval, profile_f
from semgjax.scaling.table import table_of


def one(text):
    return next(cell for cell in cells() if text in cell.name)


def judged(cell: Cell, objective: Objective | None, holds: float, fails: float) -> tuple[bool, float]:
    """Whether intervals hold the truth in a share `holds` of simulated sweeps and not in `fails`; their mean width.

    Wald's sequential test (1945, "Sequential tests of statistical hypotheses"), ten sweeps at a time until it is
    decided: intervals that hold are accused less than once in a thousand times, others are found out more than nine
    times in ten, after 36 sweeps on average where they hold. 60 sweeps against a limit of three standard deviations
    find out 87 in 100 (20,000 draws).
    """
    accept, accuse = log(0.1), log(0.9 / 0.001)
    evidence, widths = 0.0, []
    while accept < evidence < accuse:
        found = coverage(cell, objective, 10, seed=len(widths))
        held = round(10 * found.held)
        evidence += held * log(fails / holds) + (10 - held) * log((1 - fails) / (1 - holds))
        widths.append(found.width)
    return evidence <= accept, float(np.mean(widths))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("power + floor, CER 68 -> 15 %, 6 sizes x 1, noise 5 %", Objective()),
        ("power + floor, CER 68 -> 15 %, 6 sizes x 1, noise 5 %", Objective("log_ls")),
        ("near the ceiling, CER 98 -> 72 %, 5 sizes x 1", Objective()),
    ],
)
def test_95_percent_intervals_far_beyond_the_sweep_hold_the_truth(name, objective):
    assert judged(one(name), objective, 0.95, 0.8)[0]


@pytest.mark.slow
def test_the_profiles_statistic_decides_as_the_interval_does():
    cell = one("power + floor, CER 68 -> 15 %, 5 sizes x 1, noise 5 %")
    truth = float(cell.truth({"N": np.array(2e7)}))
    agree = 0
    for seed in range(20):
        noise = np.exp(0.05 * np.random.default_rng(seed).standard_normal(5))
        fit = fit_law(table_of(cell.points, cell.truth(cell.points) * noise), cell.law)
        low, high = prediction_interval(fit, 2e7, 0.8)
        statistic = profile_f(fit, 2e7, [truth], 0.8)[0]
        # F(1, 2) at 80 %
        agree += (low <= truth <= high) == (statistic <= 3.5556)
    assert agree == 20


@pytest.mark.slow
def test_the_table_has_a_row_for_each_setting():
    text = study(Simulations(simulations=2, only="users x hours"))
    assert text.count("| users x hours, star of 9") == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "moving noise, 8 sizes x 1, 1 to 6 %",
        "moving noise, 6 sizes x 3, 1 to 6 %",
        "additive noise, 6 sizes x 3",
        "few keys, 8 sizes x 1",
        "size effect, 6 sizes x 3, 3 % shared, 1 % own",
        "clusters, 12 sizes, 6 clusters of 2",
    ],
)
def test_intervals_hold_the_truth_and_are_not_much_too_wide_where_the_noise_is_no_plain_one(name):
    held, width = judged(one(name), None, 0.92, 0.75)
    assert held and width <= 1.6
