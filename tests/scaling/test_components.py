"""Variance components: against one-way formulas, and against simulated truth."""

import numpy as np
import pytest

from semgjax.scaling.components import components


def test_a_balanced_one_way_layout_has_the_textbook_components():
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(6), 5)
    y = 2.0 * random.standard_normal(6)[group] + random.standard_normal(30)
    means = y.reshape(6, 5).mean(axis=1)
    within = np.sum((y.reshape(6, 5) - means[:, None]) ** 2) / 24
    between = np.sum((means - means.mean()) ** 2) * 5 / 5
    found = components(y, np.ones((30, 1)), {"group": group})
    assert found.names == ("group", "rest")
    assert found.variances == pytest.approx([(between - within) / 5, within], rel=1e-6)
    # A new member of a new group, about the estimated mean: one-way analysis has 5 degrees of freedom for the groups.
    variance, freedom = found.variance_of(np.ones(1), np.ones(2))
    assert variance == pytest.approx((between - within) / 5 * (1 + 1 / 6) + within * (1 + 1 / 30), rel=1e-6)
    assert 4.9 < freedom < 12.0
    assert found.fixed[0] == pytest.approx(y.mean())


def test_a_component_that_would_be_negative_is_zero():
    group = np.repeat(np.arange(4), 3)
    y = np.tile([-1.0, 0.0, 1.0], 4)
    found = components(y, np.ones((12, 1)), {"group": group})
    assert found.variances[0] == 0.0
    assert found.variances[1] == pytest.approx(8 / 11, rel=1e-6)


def test_crossed_components_of_simulated_tables_are_recovered_within_their_standard_errors():
    truth = np.array([0.3, 0.04, 0.03, 0.06]) ** 2
    estimates = []
    runs, users = np.divmod(np.arange(240), 10)
    x = np.linspace(-1.0, 1.0, 8)[runs // 3]
    slopes = np.column_stack([np.ones(240), x, x**2])
    for seed in range(60):
        random = np.random.default_rng(seed)
        effects = [random.standard_normal(size) for size in (10, 8, 24, 240)]
        sd = np.sqrt(truth)
        y = sd[0] * effects[0][users] + sd[1] * effects[1][runs // 3] + sd[2] * effects[2][runs] + sd[3] * effects[3]
        found = components(y + x, slopes, {"user": users, "configuration": runs // 3, "run": runs})
        estimates.append(found.variances)
    error = np.std(estimates, axis=0) / np.sqrt(60)
    assert np.all(np.abs(np.mean(estimates, axis=0) - truth) < 3.0 * error)


def test_a_table_without_repeats_has_no_components():
    assert components(np.arange(4.0), np.ones((4, 1)), {"row": np.arange(4)}) is None


def test_cells_may_be_missing():
    random = np.random.default_rng(0)
    kept = np.sort(random.permutation(80)[:60])
    runs, users = np.divmod(kept, 8)
    y = 0.3 * random.standard_normal(8)[users] + 0.05 * random.standard_normal(60)
    found = components(y, np.ones((60, 1)), {"user": users, "run": runs})
    assert 0.15 < found.sd["user"] < 0.5 and found.sd["rest"] == pytest.approx(0.05, rel=0.3)
