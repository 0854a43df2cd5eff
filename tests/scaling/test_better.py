"""Another law is named where the points show it, and hardly ever where the fitted law is true."""

import numpy as np
import pytest

from semgjax.scaling.answer import predict_at
from semgjax.scaling.better import about_law, as_json, better_law, rivals
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS

SIZES = np.geomspace(2e4, 2e6, 8)


def floor_power(n):
    return 8.0 + 60.0 * (n / 2e4) ** -0.45


def saturating(n):
    return 100.0 * -np.expm1(-4.0 * (n / 2e4) ** -0.25)


def fitted(truth, noise, seed, law="floor_power"):
    y = truth(SIZES) * np.exp(noise * np.random.default_rng(seed).standard_normal(8))
    return fit_law((SIZES, y), LAWS[law], starts=16)


@pytest.mark.slow
def test_a_saturating_truth_under_the_default_law_is_named_with_a_better_one():
    fits = [fitted(saturating, 0.01, seed) for seed in range(8)]
    named = [better_law(rivals(fit)) for fit in fits]
    assert sum(rival is not None and rival.law in ("saturating", "rational") for rival in named) >= 6
    fit, rival = next((f, r) for f, r in zip(fits, named, strict=True) if r is not None)
    assert rival.ratio < 1.0 and rival.p < 0.05 and rival.rolling_error < rival.own_rolling_error
    (finding,) = about_law(fit, rivals(fit))
    assert (finding.code, finding.severity) == ("better-law", "warning")
    assert as_json(rivals(fit))["better"] == rival.law
    assert "better-law" in [d.code for d in predict_at(fit, {"N": 2e7}).diagnostics]


def test_where_the_fitted_law_is_true_no_other_is_named():
    named = [better_law(rivals(fitted(floor_power, 0.02, seed))) for seed in range(15)]
    assert sum(rival is not None for rival in named) <= 1
    named = [better_law(rivals(fitted(saturating, 0.02, seed, "saturating"))) for seed in range(8)]
    assert sum(rival is not None for rival in named) <= 1


def test_a_power_law_is_named_worse_where_there_is_a_floor():
    rival = better_law(rivals(fitted(floor_power, 0.01, 0, "power")))
    assert rival.law == "floor_power"


@pytest.mark.parametrize("count", [3, 4])
def test_too_few_sizes_have_no_verdict(count):
    sizes = SIZES[:count]
    found = rivals(fit_law((sizes, floor_power(sizes) * (1.0 + 0.01 * (-1.0) ** np.arange(count)))))
    assert better_law(found) is None


def test_points_that_the_law_meets_exactly_have_no_rival():
    assert rivals(fitted(floor_power, 0.0, 0)) == ()


def test_the_same_fit_has_the_same_verdict():
    fit = fitted(saturating, 0.02, 3)
    assert rivals(fit) == rivals(fit)
