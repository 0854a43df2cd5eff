"""Two recipes compared with paired draws."""

from dataclasses import replace

import numpy as np

from semgjax.scaling.bootstrap import draw
from semgjax.scaling.decide.versus import versus
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import POWER
from semgjax.scaling.table import table_of
from tests.refused import refused
from tests.scaling.decide.made import SIZES, error, size_fit


def with_users(factor: float, seed: int):
    """A fit whose test users differ widely, but alike for every recipe."""
    skill = np.exp(0.6 * np.random.default_rng(9).standard_normal(5))
    y = factor * error(SIZES) * np.exp(0.01 * np.random.default_rng(seed).standard_normal(len(SIZES)))
    users_y = y[:, None] * skill / skill.mean()
    return fit_law(replace(table_of(SIZES, y, "%"), users=tuple("abcde"), users_y=users_y))


def test_a_recipe_that_is_a_tenth_better_is_seen_and_valued_in_size():
    found = versus(size_fit(0), size_fit(1, 0.9), {"N": 1e6})
    low, high = found.ratio.interval
    assert low < 0.9 < high < 1.0 and found.b_better > 0.99
    assert found.multiple.value > 1.3 and not found.paired


def test_noise_of_shared_test_users_falls_out_of_the_ratio():
    a, b = with_users(1.0, 1), with_users(0.97, 2)
    found = versus(a, b, {"N": 1e6})
    assert found.paired and found.b_better > 0.95
    low, high = found.ratio.interval
    assert high / low < 1.05  # the users alone, unpaired, would move it by tens of per cent


def test_refits_that_found_no_minimum_leave_the_others_paired(monkeypatch):
    def lossy(fit, count, kind, seed):
        found = draw(fit, count, kind, seed)
        kept = found.numbers % (3 if kind == "users" and fit is b else 7) != 0
        return replace(found, thetas=found.thetas[kept], numbers=found.numbers[kept])

    a, b = with_users(1.0, 1), with_users(0.97, 2)
    monkeypatch.setattr("semgjax.scaling.decide.versus.draw", lossy)
    found = versus(a, b, {"N": 1e6})
    low, high = found.ratio.interval
    assert found.paired and high / low < 1.05


def test_recipes_of_two_laws_are_refused():
    with refused("conflict", "floor_power", "power (%)"):
        versus(size_fit(), fit_law(table_of(SIZES, error(SIZES), "%"), POWER), {"N": 1e6})
