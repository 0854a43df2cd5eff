"""Two groups of test users are found at the rate stated, and not in users of one kind."""

import numpy as np
import pytest

from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.table import Table
from semgjax.scaling.user_groups import user_groups

SIZES = np.geomspace(2e4, 2e6, 6)


def table(effects, seed=0, noise=0.05):
    """Errors of users with log effects [m] in six runs."""
    random = np.random.default_rng(seed)
    curve = 8.0 + 60.0 * (SIZES / 2e4) ** -0.45
    users_y = curve[:, None] * np.exp(np.array(effects) + noise * random.standard_normal((6, len(effects))))
    names = tuple(f"u{i}" for i in range(len(effects)))
    return Table({"N": SIZES}, users_y.mean(axis=1), users=names, users_y=users_y)


def test_three_bad_users_of_eight_are_a_finding_with_the_median_beside_the_mean():
    points = table([-0.1, 0.0, 0.1, 0.05, -0.05, 1.1, 1.2, 1.0])
    groups = user_groups(points)
    assert groups.found and (groups.low, groups.high) == (5, 3)
    assert groups.ratio == pytest.approx(3.0, rel=0.1)
    median = np.median(np.exp([-0.1, 0.0, 0.1, 0.05, -0.05, 1.1, 1.2, 1.0]))
    mean = np.mean(np.exp([-0.1, 0.0, 0.1, 0.05, -0.05, 1.1, 1.2, 1.0]))
    assert groups.median_to_mean == pytest.approx(median / mean, rel=0.05)
    assert "users-bimodal" in [found.code for found in diagnose(fit_law(points), None)]


@pytest.mark.parametrize("kind", ["normal", "uniform"])
@pytest.mark.parametrize("m", [5, 8, 20])
def test_users_of_one_kind_are_rarely_called_two_groups(kind, m):
    random = np.random.default_rng(0)
    draws = [random.standard_normal(m) if kind == "normal" else random.uniform(-1.5, 1.5, m) for _ in range(300)]
    # 1 % is stated; 8 of 300 is 3 standard deviations above.
    assert sum(user_groups(table(0.3 * effects)).found for effects in draws) <= 8


def test_one_bad_user_is_no_group():
    assert not user_groups(table([0.0, 0.1, -0.1, 0.05, -0.05, 0.15, -0.15, 1.5])).found


def test_few_users_or_equal_ones_are_not_tested():
    assert user_groups(table([0.0, 0.0, 1.0, 1.0])) is None
    assert user_groups(table(np.zeros(8), noise=0.0)) is None
    assert user_groups(Table({"N": SIZES}, SIZES)) is None
