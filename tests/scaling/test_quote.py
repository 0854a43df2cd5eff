"""One interval to quote, from the laws that the points do not reject, by their weight."""

import json

import numpy as np
import pytest

from semgjax.scaling.answer import as_json, predict_at, ratio_distance
from semgjax.scaling.choices import choice_fits, laws_beside
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.quote import quote_interval, weighted
from semgjax.scaling.table import table_of

SIZES = np.geomspace(2e4, 2e6, 8)


def healthy(n):
    return 8.0 + 60.0 * (n / 2e4) ** -0.45


def saturating(n):
    return 100.0 * -np.expm1(-4.0 * (n / 2e4) ** -0.25)


def fitted(truth=healthy, noise=0.02, seed=0, seeds=1, law="floor_power", unit=""):
    sizes = np.repeat(SIZES, seeds)
    y = truth(sizes) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(sizes)))
    return fit_law(table_of(sizes, y, unit), LAWS[law], starts=16)


def grid(noise=0.003):
    n, d = (v.reshape(-1) for v in np.meshgrid(np.geomspace(1e6, 1e8, 4), 20.0 * np.geomspace(0.5, 2.0, 3)))
    d = n * d
    y = (1.7 + 20.0 * n**-0.3 + 100.0 * d**-0.3) * np.exp(noise * np.random.default_rng(0).standard_normal(12))
    return fit_law(table_of({"N": n, "D": d}, y), LAWS["chinchilla"], starts=16)


def test_weights_sum_to_one_and_follow_the_points():
    fit = fitted(saturating, 0.005, 1, 3)
    fits = [fit, *(one.fit for one in laws_beside(fit))]
    laws = weighted(fits)
    assert sum(law.weight for law in laws) == pytest.approx(1.0)
    assert laws[0].fit is fit and laws[0].weight < 0.2


def test_laws_that_the_points_reject_are_no_choice():
    fit = fitted(healthy, 0.003, 0, 3)
    rejected = [one.fit.law.name for one in laws_beside(fit) if one.rejected]
    assert "saturating" in rejected
    labels = [label for label, _ in choice_fits(fit)]
    assert not any(label.startswith("saturating") for label in labels)
    assert any(label.startswith("floor_power, log_ls") for label in labels)


def test_the_quote_holds_the_value_and_is_marked_in_every_form():
    answer = predict_at(fitted(), 2e7)
    low, high = answer.quote
    assert low < answer.value < high
    assert f"quote [{low:.4g}, {high:.4g}]" in repr(answer)
    assert "quote (95%)" in answer._repr_html_()
    body = json.loads(json.dumps(as_json(answer)))
    assert (body["quote"]["low"], body["quote"]["high"], body["quote"]["unbounded"]) == (low, high, [])
    assert (body["low"], body["high"]) == answer.interval
    assert body["weights"] == answer.weights


def test_other_laws_widen_the_quote_beyond_the_sampling_interval_where_they_differ():
    answer = predict_at(fitted(saturating, 0.02, 0, unit="%"), 2e7, force=True)
    truth = saturating(2e7)
    assert answer.quote[0] <= truth <= answer.quote[1]
    assert not answer.interval[0] <= truth <= answer.interval[1]


def test_users_widen_the_quote():
    fit = fitted()
    laws = weighted([fit])
    plain = quote_interval(laws, {"N": 2e7}, 0.95)
    wide = quote_interval(laws, {"N": 2e7}, 0.95, (5.0, 20.0))
    assert wide[0] < plain[0] < plain[1] < wide[1]


def test_a_quote_at_a_lower_level_lies_within():
    fit = fitted()
    narrow, wide = (predict_at(fit, 2e7, level).quote for level in (0.5, 0.95))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_no_quote_without_an_interval():
    sizes = np.repeat(SIZES[:3], 2)
    fit = fit_law((sizes, healthy(sizes) * (1.0 + 0.01 * (-1.0) ** np.arange(6))))
    assert weighted([fit]) == ()
    assert predict_at(fit, 2e7, force=True).quote is None


def test_tokens_per_parameter_that_no_run_had_are_beyond_the_sweep():
    fit = grid()
    inside = {"N": 1e8, "D": 2e9}
    assert ratio_distance(fit, {k: np.array([v]) for k, v in inside.items()}) == 1.0
    # within the ranges of N and of D, at 0.2 tokens per parameter instead of 10 to 40
    answer = predict_at(fit, {"N": 1e8, "D": 2e7})
    found = {d.code: d.severity for d in answer.diagnostics}
    assert answer.beyond == pytest.approx(50.0) and found["extrapolating"] == "warning"


def test_too_far_beyond_the_sweep_gives_no_number():
    fit = fitted()
    answer = predict_at(fit, 2e6 * 101)
    assert answer.value is None and answer.quote is None and answer.blocked
    assert ("extrapolating", "error") in {(d.code, d.severity) for d in answer.diagnostics}
    assert predict_at(fit, 2e6 * 99).value is not None
    assert predict_at(fit, 2e6 * 101, force=True).quote is not None
