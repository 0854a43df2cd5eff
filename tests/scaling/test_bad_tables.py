"""Tables that cannot answer: the right code, and no number."""

import numpy as np
import pytest

from semgjax.scaling.diagnose import blocks, diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS, law_named
from semgjax.scaling.profile import parameter_intervals
from semgjax.scaling.store import fit_document
from semgjax.scaling.table import Table, table_of
from tests.refused import refused

N = np.geomspace(2e4, 2e6, 8)
Y = (8.0 + 60.0 * (N / 2e4) ** -0.45) * np.exp(0.01 * np.random.default_rng(0).standard_normal(8))


def errors(table, law="floor_power"):
    """Codes of severity error; the document of such a fit has no number."""
    fit = fit_law(table, LAWS[law], starts=16)
    found = diagnose(fit, parameter_intervals(fit))
    if blocks(found):
        document = fit_document(fit, force=False)
        assert document["blocked"]
        assert all(p["value"] is None and p["low"] is None for p in document["parameters"])
    return {d.code for d in found if d.severity == "error"}


def named(x, y, columns=None, y_name="y", unit=""):
    return Table({k: np.array(v, float) for k, v in x.items()}, np.array(y, float), unit, y_name, columns or {})


def test_a_sound_table_has_no_error():
    assert errors(table_of(N, Y)) == set()


def test_a_constant_error_is_no_law():
    assert "constant-y" in errors(table_of(N, np.full(8, 50.0)))


def test_error_rates_above_a_hundred_percent_are_told():
    assert "above-100" in errors(table_of(N, 2.0 * Y, unit="%"))


def test_a_run_that_is_there_twice_is_told():
    assert "duplicated-run" in errors(table_of([*N, N[3]], [*Y, Y[3]]))


def test_swapped_columns_are_told_by_their_names():
    assert "swapped-columns" in errors(named({"N": Y}, N, {"N": "cer"}, "params"))
    assert "swapped-columns" in errors(named({"N": Y}, N, {"N": "a"}, "b", "%"))


def test_an_error_that_rises_is_told():
    assert "rising" in errors(table_of(N, Y[::-1].copy()))


def test_replicates_that_agree_on_another_curve_are_a_lack_of_fit():
    bumps = np.where(np.arange(8) % 2 == 0, 1.1, 0.9)
    noise = 1 + 0.002 * np.random.default_rng(0).standard_normal(24)
    assert "lack-of-fit" in errors(table_of(np.repeat(N, 3), np.repeat(Y * bumps, 3) * noise))


def test_users_and_hours_that_grow_together_cannot_be_told_apart():
    u = np.array([2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    table = table_of({"U": u, "H": u / 4}, 5 + 40 * u**-0.5)
    assert "collinear-axes" in errors(table, "users_hours_product")


@pytest.mark.parametrize(
    ("x", "law", "code"),
    [
        ({"N": [1e4, 1e6]}, "floor_power", "too-few-levels"),
        ({"N": [1e4, 1e5, 1e6]}, "broken", "too-few-levels"),
        ({"N": [1e4, 1e5, 1e6], "D": [1.0, 2.0, 3.0]}, "chinchilla", "too-few-levels"),
        ({"N": np.geomspace(1e4, 1e6, 6), "D": np.full(6, 3.0)}, "chinchilla", "one-level"),
        ({"U": np.full(6, 8.0), "H": np.geomspace(1, 9, 6)}, "users_hours_product", "one-level"),
    ],
)
def test_what_cannot_be_determined_is_refused_with_its_code(x, law, code):
    count = len(next(iter(x.values())))
    with refused("too-few-levels", code):
        fit_law(table_of(x, np.linspace(60, 20, count)), LAWS[law])


def test_a_run_without_a_number_is_refused():
    with refused("bad-number", "y[2]", "nan"):
        table_of(N, np.where(np.arange(8) == 2, np.nan, Y))


def star(hours_slope, noise=0.05, seed=0):
    """Sizes, users and hours varied one at a time, three seeds of each; sizes and users bend by much."""
    rows = [(n, 16.0, 0.05) for n in (4e4, 6e4, 1e5, 2e5, 4e5)]
    rows += [(1e5, u, 0.05) for u in (2.0, 4.0, 8.0, 32.0)] + [(1e5, 16.0, h) for h in (0.0125, 0.025, 0.1)]
    n, u, h = np.repeat(np.array(rows), 3, axis=0).T
    y = 9.0 + 4e4 * (n / 1e2) ** -1.4 + 20.0 * u**-1.2 + 4.0 * (h / 0.05) ** hours_slope
    y *= np.exp(noise * np.random.default_rng(seed).standard_normal(len(n)))
    return table_of({"N": n, "U": u, "H": h}, y)


def of_the_star(table):
    fit = fit_law(table, law_named("additive", ("N", "U", "H")))
    return {(d.code, d.severity) for d in diagnose(fit, None)}


@pytest.mark.parametrize("seed", range(4))
def test_the_arms_of_a_star_do_not_make_another_one_rise(seed):
    assert ("rising", "error") not in of_the_star(star(0.0, seed=seed))
    assert ("rising", "error") in of_the_star(star(0.8, seed=seed))
