"""A clock's speed from times of arrival that are late by a random amount."""

import numpy as np
import pytest

from semgjax.streaming.clock_drift import Drift


@pytest.mark.parametrize("speed", [1.0, 1.00005, 0.995])
def test_the_speed_is_found_through_the_jitter(speed):
    random, drift = np.random.default_rng(0), Drift()
    device = np.arange(0, 120, 0.02)
    for moment, late in zip(device, random.exponential(0.01, len(device)), strict=True):
        drift.add(moment, 1000 + moment * speed + 0.005 + late)
    assert drift.slope == pytest.approx(speed - 1, abs=1e-5)
    assert drift.doubt < 1e-5
    assert drift.host_time(60.0) == pytest.approx(1000 + 60 * speed + 0.005, abs=0.003)


def test_a_few_seconds_tell_nothing():
    drift = Drift()
    for moment in range(5):
        drift.add(moment, moment)
    assert drift.slope is None and drift.host_time(1.0) is None and drift.doubt == np.inf
