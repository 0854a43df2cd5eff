"""The star that the repository ships: its shape, where it comes from, and that every study answers from it."""

import csv

import numpy as np
import pytest
from scipy.stats import f as f_distribution

from analysis.compute_optimal import compute_optimal
from analysis.distillation_table import distillation_table
from analysis.next_runs import next_runs
from analysis.report import report
from analysis.size_scaling import size_scaling
from analysis.study import STAR, STAR_COLUMNS, Study, centre
from analysis.users_hours import users_hours
from semgjax.measures import CER
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import law_named
from semgjax.scaling.profile import prediction_interval, profile_f
from semgjax.sweep.collect import columns_for
from semgjax.sweep.planfile import read_plan_file, shipped_plans


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Study(out=tmp_path_factory.mktemp("studies"))


def test_the_table_is_that_of_the_shipped_plan_three_seeds_of_each_point():
    with open(STAR, newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert tuple(reader.fieldnames) == tuple(columns_for(CER))
    runs = {row["run"]: row for row in rows}
    plan = read_plan_file(shipped_plans()["cpu-star"])
    assert len(runs) == len(plan.points)
    for (_, row), point in zip(sorted(runs.items()), plan.points, strict=True):
        assert row["preset"] == point.options["preset"]
        assert int(row["users"]) == point.options["data.users"]
        assert int(row["seed"]) == point.options["train.seed"]
        assert int(row["steps"]) == point.options["train.steps"]
        assert row["kind"] == ("supervised" if point.teacher is None else "distilled")


def test_one_middle_and_three_arms_around_it(study):
    table = study.read(STAR_COLUMNS)
    assert (np.bincount(table.groups) == 3).all() and len(np.bincount(table.groups)) >= 11
    middle = centre(study)
    assert middle["U"] == 16 and middle["H"] == pytest.approx(0.8, rel=0.02)
    assert len(table.users) == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [size_scaling, users_hours, distillation_table, compute_optimal, next_runs, report],
    ids=lambda f: f.__name__,
)
def test_every_study_runs_on_it(study, name):
    path = name(study)
    text = path.read_text()
    assert "star.csv" in text and "Simulated data. " in text and len(text) > 300


def test_the_interval_reaches_to_both_sides_of_a_fit_whose_floor_is_zero(study):
    table = study.read({"U": "users", "H": "hours/users"}, {"preset": "keys-24"})
    fit = fit_law(table, law_named("users_hours", ("U", "H")))
    assert fit.theta[0] == 0.0
    at = {"U": 10 * float(table.x["U"].max()), "H": 0.05}
    value = predict(fit, at)
    interval = prediction_interval(fit, at)
    assert interval is not None
    # Users reach ten times beyond the sweep: an end closer than 3 % would be a search that got lost.
    assert interval[0] < 0.97 * value and interval[1] > 1.03 * value
    cut = f_distribution.ppf(0.95, 1, fit.degrees_of_freedom)
    np.testing.assert_allclose(profile_f(fit, at, interval), cut, rtol=0.1)
