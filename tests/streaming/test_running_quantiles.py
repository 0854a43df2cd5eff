"""Quantiles in little memory."""

import numpy as np
import pytest

from semgjax.streaming.running_quantiles import Quantiles


def test_quantiles_are_right_within_one_percent():
    numbers, found = np.random.default_rng(0).lognormal(size=5000), Quantiles()
    for number in numbers:
        found.add(float(number))
    found.add(np.nan)
    assert found.count == 5000 and found.total == pytest.approx(numbers.sum())
    for share in (0.01, 0.5, 0.99):
        assert found.at(share) == pytest.approx(np.quantile(numbers, share), rel=0.02)


def test_none_have_no_quantile():
    assert Quantiles().at(0.5) is None
