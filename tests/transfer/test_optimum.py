"""The best rate from a few tried ones."""

import math

import numpy as np
import pytest

from semgjax.transfer.optimum import drift, optimum

RATES = [1e-3 * 2**step for step in range(5)]


def losses(best: float, noise: float = 0.0) -> dict[float, float]:
    return {rate: 1.0 + math.log(rate / best) ** 2 + noise for rate in RATES}


def test_a_parabola_gives_its_own_minimum():
    found = optimum([losses(5e-3)])
    assert found.rate == pytest.approx(5e-3) and found.interval is None and not found.edge


def test_the_interval_is_over_seeds():
    found = optimum([losses(4e-3), losses(5e-3), losses(6.25e-3)])
    assert found.rate == pytest.approx(5e-3)
    low, high = found.interval
    assert low < 4e-3 and high > 6.25e-3  # three seeds: wider than their range
    assert low * high == pytest.approx(found.rate**2)


@pytest.mark.parametrize("best", [1e-5, 1.0])
def test_a_minimum_beyond_the_rates_is_an_edge(best):
    found = optimum([losses(best)])
    assert found.edge and found.rate == pytest.approx(RATES[0] if best < 1e-3 else RATES[-1])


def test_beside_a_run_that_diverged_the_lowest_rate_itself_is_taken():
    found = optimum([{1e-3: 2.0, 2e-3: 1.0, 4e-3: math.inf}])
    assert found.rate == pytest.approx(2e-3) and not found.edge


def test_drift_is_the_largest_ratio():
    assert drift([optimum([losses(best)]) for best in (4e-3, 2e-3, 8e-3)]) == pytest.approx(4.0)


def test_a_flat_line_gives_the_lowest_loss():
    found = optimum([dict(zip(RATES, [1.0, 1.0, np.nextafter(1.0, 0.0), 1.0, 1.0], strict=True))])
    assert RATES[1] <= found.rate <= RATES[3]
