"""From size to error by way of the loss."""

import numpy as np
import pytest

from semgjax.scaling.laws import LAWS
from semgjax.scaling.table import Table
from semgjax.scaling.twostep import fit_two_step, predict_two_step, two_step_interval
from tests.refused import refused

SIZES = np.geomspace(1e5, 1e7, 8)
LOSSES = 1.5 + 3.0 * (SIZES / 1e5) ** -0.4
LOSS = Table({"N": SIZES}, LOSSES)


def error(loss, link):
    if link == "gadre_error":
        return 80.0 - 150.0 * np.exp(-0.8 * loss)
    return 5.0 + 80.0 / (1.0 + np.exp(-2.0 * (loss - 2.5)))


@pytest.mark.parametrize("link", ["sigmoid", "gadre_error"])
def test_both_links_lead_to_the_error_of_a_larger_run(link):
    random = np.random.default_rng(0)
    losses = LOSSES * np.exp(0.003 * random.standard_normal(8))
    measured = error(losses, link) * np.exp(0.003 * random.standard_normal(8))
    fit = fit_two_step(Table({"N": SIZES}, losses), measured, LAWS["floor_power"], "%", link=link)
    assert fit.second.law.name == link
    truth = error(1.5 + 3.0 * 200.0**-0.4, link)
    low, high = two_step_interval(fit, 2e7, count=200)
    assert low < truth < high
    assert predict_two_step(fit, 2e7) == pytest.approx(truth, rel=0.1)


def test_another_link_and_errors_of_other_runs_are_refused():
    with refused("unknown-name", "probit"):
        fit_two_step(LOSS, LOSSES, LAWS["floor_power"], link="probit")
    with refused("bad-shape"):
        fit_two_step(LOSS, LOSSES[:3], LAWS["floor_power"])
