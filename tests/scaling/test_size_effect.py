"""Misfit of replicates' means: a bend that the law lacks, or effects that the runs of a size share."""

import numpy as np

from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.size_effect import size_effect
from semgjax.scaling.table import Table


def random_effects(seed, sizes=6, effect=0.03, own=0.01):
    random = np.random.default_rng(seed)
    n = np.repeat(np.geomspace(2e4, 2e6, sizes), 3)
    noise = np.repeat(effect * random.standard_normal(sizes), 3) + own * random.standard_normal(len(n))
    return n, (8.0 + 60.0 * (n / 2e4) ** -0.45) * np.exp(noise)


def bent(seed, sizes=8, own=0.01):
    """A slope that flattens within the sweep."""
    n = np.repeat(np.geomspace(2e4, 2e6, sizes), 3)
    y = 60.0 * np.where(n < 2e5, (n / 2e4) ** -0.5, 10.0**-0.5 * (n / 2e5) ** -0.1)
    return n, y * np.exp(own * np.random.default_rng(seed).standard_normal(len(n)))


def codes(points, law=LAWS["floor_power"], clusters=None):
    table = Table({"N": points[0]}, points[1], clusters=clusters)
    return {found.code: found.severity for found in diagnose(fit_law(table, law, starts=16), None)}


def test_a_misfit_is_withheld_until_the_table_says_that_the_runs_of_a_size_share_an_effect():
    sizes = np.repeat(np.arange(8), 3)
    plain = [codes(random_effects(seed, 8)) for seed in range(12)]
    named = [codes(random_effects(seed, 8), clusters=sizes) for seed in range(12)]
    assert sum(one.get("lack-of-fit") == "error" for one in plain) >= 10
    assert not any("size-effect" in one for one in plain)
    assert sum(one.get("size-effect") == "warning" and "lack-of-fit" not in one for one in named) >= 7


def test_a_wrong_law_remains_a_lack_of_fit():
    found = [codes(bent(seed)) for seed in range(20)]
    assert sum(one.get("lack-of-fit") == "error" for one in found) >= 19


def test_clusters_that_cross_the_sizes_explain_no_misfit():
    found = codes(random_effects(3, 8), clusters=np.tile(np.arange(3), 8))
    assert "lack-of-fit" in found and "size-effect" not in found


def test_a_missing_floor_is_a_lack_of_fit():
    n = np.repeat(np.geomspace(2e4, 2e6, 6), 3)
    y = (20.0 + 60.0 * (n / 2e4) ** -0.6) * np.exp(0.01 * np.random.default_rng(0).standard_normal(18))
    assert codes((n, y), LAWS["power"])["lack-of-fit"] == "error"


def test_the_effects_size_is_estimated():
    found = [size_effect(fit_law(random_effects(seed, 12), starts=16)) for seed in range(12)]
    assert 0.02 < np.sqrt(np.mean([one.effect**2 for one in found])) < 0.04
    assert 0.008 < np.sqrt(np.mean([one.seeds**2 for one in found])) < 0.012


def test_single_runs_and_few_sizes_cannot_tell():
    n, y = random_effects(0)
    assert size_effect(fit_law((n[::3], y[::3]))) is None
    few = np.flatnonzero(n < 1e6)[:12]
    assert size_effect(fit_law((n[few], y[few]))) is None
