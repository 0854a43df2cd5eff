"""Under-trained and untuned runs are named, where they are, and healthy sweeps are left alone."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from semgjax.scaling.about_curve import about_curve
from semgjax.scaling.covariates import dependences, shorter_training
from semgjax.scaling.fit import fit_law
from semgjax.scaling.largest import largest_level
from semgjax.scaling.read import read_table
from semgjax.scaling.table import table_of

SIZES = np.geomspace(2e4, 2e6, 8)


def sweep(noise=0.02, seed=0, seeds=1, largest=1.0, columns=None):
    sizes = np.repeat(SIZES, seeds)
    y = (8.0 + 60.0 * (sizes / 2e4) ** -0.45) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(sizes)))
    y = np.where(sizes > 1.9e6, largest * y, y)
    return replace(table_of(sizes, y), covariates=columns or {})


@functools.cache
def healthy_fit(seed):
    return fit_law(sweep(seed=seed), starts=8)


def codes(fit):
    return {(d.code, d.severity) for d in about_curve(fit)}


def test_a_healthy_sweep_is_not_named():
    assert codes(healthy_fit(0)) == set()


@pytest.mark.slow
def test_healthy_sweeps_are_seldom_named():
    named = [codes(healthy_fit(seed)) for seed in range(100)]
    assert sum(bool(found) for found in named) <= 8
    assert sum(any(severity == "error" for _, severity in found) for found in named) <= 3


@pytest.mark.parametrize(("largest", "seeds"), [(1.5, 1), (1.3, 3), (0.7, 3)])
def test_largest_runs_off_the_others_curve_are_an_error(largest, seeds):
    fit = fit_law(sweep(largest=largest, seeds=seeds), starts=8)
    found = largest_level(fit)
    assert list(fit.table.sizes[found.rows]) == [2e6] * seeds
    assert np.exp(found.log_error) == pytest.approx(largest, rel=0.1)
    assert not found.low <= found.measured <= found.high
    assert ("largest-run-off", "error") in codes(fit)


@pytest.mark.slow
def test_the_prediction_interval_of_the_largest_level_holds_it_as_often_as_it_says():
    found = [largest_level(healthy_fit(seed)) for seed in range(200)]
    inside = np.mean([one.low <= one.measured <= one.high for one in found])
    # 95 % of 200, three standard errors
    assert 0.90 <= inside <= 0.995
    assert all((one.p > 0.05) == (one.low <= one.measured <= one.high) for one in found)


def test_too_few_others_say_nothing_of_the_largest():
    sizes = SIZES[:5]
    assert (
        largest_level(fit_law((sizes, 8.0 + 60.0 * (sizes / 2e4) ** -0.45 * (1.0 + 0.01 * (-1.0) ** np.arange(5)))))
        is None
    )


def test_largest_runs_of_fewer_steps_that_lie_above_are_undertrained():
    steps = np.where(SIZES > 1.9e6, 2e4, 1e5)
    fit = fit_law(sweep(largest=1.25, columns={"steps": steps}), starts=8)
    assert "undertrained" in {code for code, _ in codes(fit)}
    assert [(s.column, s.ratio) for s in shorter_training(fit)] == [("steps", pytest.approx(0.2))]
    same = fit_law(sweep(columns={"steps": np.full(8, 1e5)}), starts=8)
    assert [s.column for s in shorter_training(same)] == ["steps per parameter"]
    assert "undertrained" not in {code for code, _ in codes(same)}


def test_residuals_that_move_with_a_rate_are_named_with_the_exponent():
    rate = np.tile([1e-4, 1e-3, 3e-4, 1e-3, 1e-4, 3e-4], 4)[:24]
    table = sweep(noise=0.01, seeds=3)
    table = replace(table, y=table.y * (rate / 3e-4) ** 0.05, covariates={"rate": rate})
    fit = fit_law(table, starts=8)
    (one,) = dependences(fit)
    assert one.exponent == pytest.approx(0.05, abs=0.01) and one.p < 1e-4
    assert ("residual-trend", "warning") in codes(fit)


def test_a_column_that_moves_with_the_size_alone_is_not_asked():
    assert dependences(fit_law(sweep(columns={"tokens": 20.0 * SIZES}), starts=8)) == []


def test_known_columns_are_read_along_unless_they_are_inputs():
    rows = {
        "params": [1e5, 2e5, 4e5], "cer": [30.0, 20.0, 15.0], "steps": [10, 20, 30], "Rate": [0.1, 0.1, 0.2],
        "hours": [1, 2, ""], "note": ["a", "b", "c"],
    }  # fmt: skip
    table = read_table(rows, {"N": "params", "y": "cer"}, {})
    assert {name: list(v) for name, v in table.covariates.items()} == {"steps": [10, 20, 30], "Rate": [0.1, 0.1, 0.2]}
    assert list(table.rows(np.array([2])).covariates["steps"]) == [30]
    assert "steps" not in read_table(rows, {"N": "steps", "y": "cer"}, {}).covariates
