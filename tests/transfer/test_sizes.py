"""The spread of activations between networks, from made-up sizes."""

import numpy as np
import pytest

from semgjax.transfer.sizes import HIDDEN, ROWS, Sizes, spread


def sizes(width: int, rows: dict[str, list[float]]) -> Sizes:
    table = np.array([rows.get(row, [1.0, 1.0]) for row in ROWS])
    return Sizes(width, 3, table, np.zeros_like(table))


def test_the_spread_is_the_largest_ratio_over_steps():
    members = [sizes(16, {"last layer": [1.0, 2.0]}), sizes(64, {"last layer": [1.1, 6.0]})]
    assert spread(members, "last layer") == pytest.approx(3.0)
    assert spread(members, HIDDEN[0]) == 1.0
