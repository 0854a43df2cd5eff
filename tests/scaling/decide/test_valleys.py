"""Parabolas of single budgets, and the line through their vertices."""

import numpy as np
import pytest

from semgjax.scaling.decide.valleys import budget_groups, lines_through, valley_of, vertices
from semgjax.scaling.table import table_of


def test_runs_of_nearly_equal_compute_are_one_budget():
    compute = np.array([1.00e18, 3.1e18, 1.04e18, 2.9e18, 0.97e18, 1e19])
    groups = [sorted(group.tolist()) for group in budget_groups(compute)]
    assert groups == [[0, 2, 4], [1, 3], [5]]


def test_the_vertex_of_a_parabola_is_found_exactly():
    logs = np.array([1.0, 2.0, 3.5, 5.0])
    y = 2.0 + 0.3 * (logs - 2.7) ** 2
    place, least = vertices(logs, np.stack([y, -y, 2.0 + 0.3 * (logs - 9.0) ** 2]))
    assert place[0] == pytest.approx(2.7) and least[0] == pytest.approx(2.0)
    assert np.isnan(place[1:]).all()


def test_a_valley_without_a_vertex_says_why():
    table = table_of({"N": [1e6, 1e7, 1e8], "D": [1e9, 1e8, 1e7]}, [3.0, 2.5, 2.6])
    compute = np.full(3, 6e15)
    assert 1e7 < valley_of(table, compute, np.arange(3)).optimum < 1e8
    assert "2 sizes" in valley_of(table, compute, np.arange(2)).reason
    falling = table_of({"N": [1e6, 1e7, 1e8], "D": [1e9, 1e8, 1e7]}, [3.0, 2.5, 2.3])
    assert valley_of(falling, compute, np.arange(3)).optimum is None


def test_a_line_leaves_out_budgets_without_a_vertex():
    logs_c = np.array([0.0, 1.0, 2.0, 3.0])
    slope, _, _ = lines_through(logs_c, np.array([[1.0, 1.5, np.nan, 2.5], [1.0, np.nan, np.nan, np.nan]]))
    assert slope[0] == pytest.approx(0.5) and np.isnan(slope[1])
