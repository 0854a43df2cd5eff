"""What one input is worth in another, against the made law."""

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.decide.exchange import exchange
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import CHINCHILLA
from semgjax.scaling.table import table_of
from tests.scaling.decide.made import joint_evidence, joint_fit

AT = {"N": 1e5, "D": 1.0}


def test_twice_the_data_is_worth_the_size_that_takes_off_the_same():
    found = exchange(joint_fit(), "D", "N", AT, evidence=joint_evidence())
    off = 3.0 * (1.0 - 2.0**-0.4)
    truth = (1.0 - off / 5.0) ** (-1.0 / 0.3)
    low, high = found.rate.interval
    assert low < truth < high and low < found.rate.value < high


def test_the_elasticities_are_those_of_the_curve():
    found = exchange(joint_fit(), "D", "N", AT, evidence=joint_evidence())
    assert found.given.value == pytest.approx(3.0 * 0.4 / 9.0, rel=0.1)
    assert found.other.value == pytest.approx(5.0 * 0.3 / 9.0, rel=0.1)


def test_what_no_amount_of_the_other_can_do_is_out_of_reach():
    found = exchange(joint_fit(), "D", "N", {"N": 1e9, "D": 0.1}, factor=100.0, evidence=joint_evidence())
    assert found.rate.value == float("inf")


@pytest.mark.parametrize(("give", "get", "factor"), [("U", "N", 2.0), ("N", "N", 2.0), ("D", "N", 0.5)])
def test_an_exchange_that_makes_no_sense_is_refused(give, get, factor):
    with pytest.raises(InputError):
        exchange(joint_fit(), give, get, AT, factor, evidence=joint_evidence())


def test_what_two_sizes_are_worth_is_answered_between_them_alone():
    mesh = np.meshgrid([1e5, 1e6], np.geomspace(0.1, 10.0, 5), indexing="ij")
    x = {"N": mesh[0].ravel(), "D": mesh[1].ravel()}
    y = 1.0 + 5.0 * (x["N"] / 1e5) ** -0.3 + 3.0 * x["D"] ** -0.4
    noise = np.exp(0.005 * np.random.default_rng(1).standard_normal(10))
    fit = fit_law(table_of(x, y * noise), CHINCHILLA)
    evidence = gather(fit)
    found = exchange(fit, "D", "N", AT, evidence=evidence)
    assert found.rate.blocked and found.other.blocked and not found.given.blocked
    assert "not-identified" in [d.code for d in found.rate.diagnostics]
    between = exchange(fit, "N", "D", {"N": 1e5, "D": 0.5}, factor=10.0, evidence=evidence).rate
    assert not between.blocked
    gain = 5.0 * (1.0 - 10.0**-0.3)
    truth = ((3.0 * 0.5**-0.4 - gain) / 3.0) ** (-1.0 / 0.4) / 0.5
    assert between.interval[0] < truth < between.interval[1]
