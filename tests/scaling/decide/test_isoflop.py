"""The best size for a budget, by parabolas and by a law."""

import json

import numpy as np
import pytest

from semgjax.scaling.decide.isoflop import as_json, isoflop, lines
from semgjax.scaling.table import table_of
from tests.refused import refused

TRUTH = {"E": 1.7, "A": 480.0, "alpha": 0.34, "B": 2000.0, "beta": 0.37}
EXPONENT = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])


def best(compute):
    scale = (TRUTH["alpha"] * TRUTH["A"] / (TRUTH["beta"] * TRUTH["B"])) ** (1.0 / (TRUTH["alpha"] + TRUTH["beta"]))
    return scale * (np.asarray(compute) / 6.0) ** EXPONENT


def sweep(noise=0.002, budgets=5, sizes=7, below=6.0, above=6.0, seed=0):
    """Runs at several budgets, from `below` times less to `above` times more than the best size."""
    c = np.repeat(np.geomspace(1e18, 1e20, budgets), sizes)
    n = best(c) * np.tile(np.geomspace(1.0 / below, above, sizes), budgets)
    d = c / 6.0 / n
    y = TRUTH["E"] + TRUTH["A"] * n ** -TRUTH["alpha"] + TRUTH["B"] * d ** -TRUTH["beta"]
    return table_of({"N": n, "D": d}, y * np.exp(noise * np.random.default_rng(seed).standard_normal(len(y))))


def test_both_approaches_hold_the_true_exponent_and_the_true_size():
    found = isoflop(sweep(), [1e21, 1e22])
    for approach in (found.parabolas, found.parametric):
        low, high = approach.interval
        assert low < EXPONENT < high
        for budget, size, ends in approach.optima:
            assert ends[0] < best(budget) < ends[1] and ends[0] < size < ends[1]
    assert len(found.valleys) == 5 and all(valley.runs == 7 for valley in found.valleys)
    assert found.blocked == (False, False) and found.flops == pytest.approx(6.0)


def test_without_noise_the_law_is_exact_and_a_lopsided_sweep_biases_the_parabolas():
    even, lopsided = (
        isoflop(sweep(1e-5, below=below, above=above), [1e22]) for below, above in ((6.0, 6.0), (1.5, 20.0))
    )
    for found in (even, lopsided):
        assert found.parametric.optima[0][1] == pytest.approx(best(1e22), rel=0.01)
    assert even.parametric.size_exact == 0.0
    bias = lopsided.parabolas.size_exact
    assert abs(bias) > 2.0 * abs(even.parabolas.size_exact)
    # What is said of the fitted law is what the parabolas really miss by here.
    missed = lopsided.parabolas.optima[0][1] / best(1e22) - 1.0
    assert bias == pytest.approx(missed, abs=0.02)


def test_the_noise_of_the_sweep_is_part_of_the_bias_table():
    found = isoflop(sweep(0.004), [1e22])
    for approach in (found.parabolas, found.parametric):
        middle, low, high = approach.size_noisy
        assert low < middle < high and low < 0.0 < high
        assert 0.0 <= approach.failed < 0.2
    json.dumps(as_json(found), allow_nan=False)
    assert len(lines(found)) > 8


def test_budgets_without_a_vertex_are_left_out_with_the_reason():
    table = sweep(1e-4)
    c = 6.0 * table.x["N"] * table.x["D"]
    largest = c > 9e19
    # Of the largest budget only the small models were trained: the loss still falls.
    table = table.rows(np.flatnonzero(~largest | (table.x["N"] < 0.5 * best(c))))
    found = isoflop(table, [1e22])
    assert found.valleys[-1].optimum is None and found.valleys[-1].reason
    assert sum(valley.optimum is not None for valley in found.valleys) == 4
    assert found.parabolas.exponent == pytest.approx(EXPONENT, abs=0.02)


def test_one_budget_gives_no_power_of_compute():
    found = isoflop(sweep(0.001, budgets=2).rows(np.arange(7)), [1e21], force=True)
    assert found.blocked[0] and found.parabolas.exponent is None
    assert "few-valleys" in [d.code for d in found.diagnostics]
    unforced = isoflop(sweep(0.001, budgets=2).rows(np.arange(7)), [1e21])
    assert unforced.blocked == (True, True) and unforced.parametric.exponent is None
    assert as_json(unforced)["approaches"][1]["optima"][0]["N"] is None


def test_a_measured_compute_defines_the_budgets_and_its_own_flops():
    table = sweep()
    compute = 7.5 * table.x["N"] * table.x["D"]
    found = isoflop(table, [1e21], compute)
    assert found.flops == pytest.approx(7.5)
    assert found.valleys[0].compute == pytest.approx(1.25e18, rel=1e-6)
    with refused("bad-shape"):
        isoflop(table, [1e21], compute[:3])
    with refused("bad-value"):
        isoflop(table, [-1.0])


def test_three_published_kinds_of_objective_can_be_asked_for():
    from semgjax.scaling.objective import Objective

    found = isoflop(sweep(0.001), [1e21], objective=Objective("huber_linear", 1e-3))
    assert found.fit.objective.kind == "huber_linear" and found.fit.delta == 1e-3
    assert found.parametric.exponent == pytest.approx(EXPONENT, abs=0.03)
