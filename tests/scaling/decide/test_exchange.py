"""What one input is worth in another, against the made law."""

import pytest

from semgjax.errors import InputError
from semgjax.scaling.decide.exchange import exchange
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
