"""The best mix for a budget, against the closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import f as f_distribution

from semgjax.errors import InputError
from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.decide.decision import as_json, decide, lines, profile_of
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.decide.frontier import frontier, questions
from semgjax.scaling.decide.inverse import invert
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import CHINCHILLA
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.table import table_of
from tests.refused import refused
from tests.scaling.decide.made import joint_evidence, joint_fit, size_fit


def test_the_optimum_of_a_sum_of_powers_is_that_of_the_closed_form():
    fit = joint_fit()
    (row,) = frontier(fit, read_cost("6*N*D"), [6e6], evidence=joint_evidence())
    p = fit.parameters
    # Hoffmann et al. 2022, eq. 4.
    g = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1.0 / (p["alpha"] + p["beta"]))
    best = g * (6e6 / 6.0) ** (p["beta"] / (p["alpha"] + p["beta"]))
    assert row.first.value == pytest.approx(best, rel=1e-6)
    assert row.second.value == pytest.approx(1e6 / best, rel=1e-6)
    low, high = row.first.interval
    assert low < row.first.value < high
    assert row.first.method == row.second.method == row.error.method == "profile likelihood"
    assert row.first.choice is not None and row.first.extrapolation is not None


def test_more_budget_gives_less_error():
    rows = frontier(joint_fit(), read_cost("6*N*D"), [6e5, 6e6, 6e7], evidence=joint_evidence())
    assert (np.diff([r.error.value for r in rows]) < 0).all()


@pytest.mark.parametrize(("cost", "budget"), [("6*N", 1e6), ("6*N*D", -1.0), ("6*N*D", 1e-300)])
def test_a_free_input_and_a_budget_that_buys_nothing_are_refused(cost, budget):
    with pytest.raises(InputError):
        frontier(joint_fit(), read_cost(cost), [budget], evidence=joint_evidence())


def test_one_input_has_no_mix():
    with refused("wrong-law", "floor_power"):
        frontier(size_fit(), read_cost("6*N"), [1e6])


COST = read_cost("6*N*D")


def grid(sizes, levels, noise=0.02, seed=0, objective=None):
    """A fit of every size with every amount of data."""
    mesh = np.meshgrid(np.geomspace(2e5, 2e6, sizes), np.geomspace(1e6, 1e8, levels), indexing="ij")
    x = {"N": mesh[0].ravel(), "D": mesh[1].ravel()}
    y = 5.0 + 20.0 * (x["N"] / 2e5) ** -0.4 + 15.0 * (x["D"] / 1e6) ** -0.35
    return fit_law(table_of(x, y * np.exp(noise * np.random.default_rng(seed).standard_normal(len(y)))), CHINCHILLA,
                   objective)  # fmt: skip


def test_at_an_end_of_the_interval_the_best_law_with_its_optimum_there_is_just_rejected(monkeypatch):
    monkeypatch.setattr("semgjax.scaling.noise.noise_models", lambda fit: None)  # they widen intervals on purpose
    fit = grid(5, 5, 0.005, 0, Objective("log_ls"))
    budget = 6e13
    first, _, _ = questions(fit, COST, budget, ("N", "D"), {})
    squares, freedom = float(np.sum(fit.residuals**2)), fit.degrees_of_freedom
    allowed = squares * (1.0 + f_distribution.ppf(0.95, 1, freedom) / freedom)
    p, x, y = fit.parameters, fit.table.x, fit.table.y

    def least(size):
        data = budget / 6.0 / size

        def excess(v):
            # alpha A N^-alpha = beta B D^-beta at the optimum gives B.
            floor, top, alpha, beta = np.exp(v)
            power = top * (x["N"] / size) ** -alpha
            curve = floor + power + alpha * top / beta * (x["D"] / data) ** -beta
            return float(np.sum((np.log(y) - np.log(curve)) ** 2))

        start = np.log([p["E"], p["A"] * size ** -p["alpha"], p["alpha"], p["beta"]])
        options = {"xatol": 1e-10, "fatol": 1e-13 * squares, "maxiter": 8000, "maxfev": 8000}
        for _ in range(2):
            found = minimize(excess, start, method="Nelder-Mead", options=options)
            start = found.x
        return found.fun

    ends = first.profile(fit, first.of(fit), 0.95)
    assert 0.0 < ends[0] < first.of(fit) < ends[1] < np.inf
    for end in ends:
        assert least(end) == pytest.approx(allowed, rel=2e-3)


def test_the_second_inputs_ends_spend_the_budget_with_the_firsts():
    fit = grid(4, 4)
    first, second, error = questions(fit, COST, 6e13, ("N", "D"), {})
    low, high = first.profile(fit, first.of(fit), 0.95)
    least, most = second.profile(fit, second.of(fit), 0.95)
    assert least == pytest.approx(1e13 / high) and most == pytest.approx(1e13 / low)
    best = {"N": first.of(fit), "D": second.of(fit)}
    bound = prediction_interval(fit, best)
    ends = error.profile(fit, error.of(fit), 0.95)
    assert bound[0] * 0.9 < ends[0] <= bound[0] * 1.0001 and ends[1] <= bound[1] * 1.0001
    assert ends[0] < error.of(fit) < ends[1]


def test_two_sizes_have_no_optimum_and_the_message_names_a_third():
    fit = grid(2, 5)
    evidence = gather(fit)
    (row,) = frontier(fit, COST, [6e13], evidence=evidence)
    for answer in (row.first, row.second, row.error):
        assert answer.blocked and answer.value is None and answer.interval is None
        (found,) = [d for d in answer.diagnostics if d.code == "not-identified"]
        assert found.severity == "error" and "N = 6.3e+05" in found.message
        assert as_json(answer)["value"] is None
    (forced,) = frontier(fit, COST, [6e13], force=True, evidence=evidence)
    assert forced.first.value is not None


def test_two_amounts_of_data_are_refused_alike_and_other_answers_are_given():
    mesh = np.meshgrid(np.geomspace(2e5, 2e7, 5), [1e6, 1e8], indexing="ij")
    x = {"N": mesh[0].ravel(), "D": mesh[1].ravel()}
    y = 5.0 + 20.0 * (x["N"] / 2e5) ** -0.4 + 15.0 * (x["D"] / 1e6) ** -0.35
    fit = fit_law(table_of(x, y * np.exp(0.02 * np.random.default_rng(1).standard_normal(10))), CHINCHILLA)
    evidence = gather(fit)
    (row,) = frontier(fit, COST, [6e13], evidence=evidence)
    assert row.first.blocked
    assert not invert(fit, "N", 12.0, {"D": 1e8}, evidence=evidence).blocked
    assert invert(fit, "N", 12.0, {"D": 1e7}, evidence=evidence).blocked


def test_an_answer_of_which_no_value_is_rejected_is_not_determined():
    fit = joint_fit()
    asked = questions(fit, COST, 6e6, ("N", "D"), {})[0]
    for ends, open_ended in (((0.0, np.inf), True), ((0.0, 3e5), False), ((3e4, np.inf), False)):
        interval, reason = profile_of(replace(asked, profile=lambda *_, ends=ends: ends), fit, asked.of(fit), 0.95)
        assert interval == ends and (reason is not None) == open_ended
    nothing = decide(replace(asked, profile=lambda *_: (0.0, np.inf)), joint_evidence())
    assert nothing.blocked and [d.code for d in nothing.diagnostics if d.severity == "error"] == ["not-identified"]
    forced = decide(replace(asked, profile=lambda *_: (0.0, np.inf)), joint_evidence(), force=True)
    assert "not determined by the data" in "\n".join(lines(forced))
    assert as_json(forced)["sampling"]["unbounded"] == ["low", "high"]
