"""The declared laws: values, limits, ranges, and laws of the user's own."""

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.law import Input, Law, Parameter, load_law
from semgjax.scaling.laws import LAWS, law_for, law_named, power_sum, simpler_law
from semgjax.scaling.precision import float64
from semgjax.scaling.profile import parameter_intervals
from semgjax.scaling.solver import with_logs
from semgjax.scaling.table import table_of
from tests.refused import refused

X = np.array([0.2, 0.9, 1.0, 7.5])


def value(name, p, **x):
    law = LAWS[name]
    rows = {n: np.broadcast_to(np.asarray(v, float), (4,)) for n, v in x.items()}
    with float64():
        return np.asarray(law.predict(p, with_logs(rows)))


def test_sums_of_powers_are_their_formulas():
    p = {"E": 8.0, "A": 20.0, "alpha": 0.4, "B": 5.0, "beta": 0.7, "C0": 100.0}
    np.testing.assert_allclose(value("power", p, N=X), 20 * X**-0.4)
    np.testing.assert_allclose(value("floor_power", p, N=X), 8 + 20 * X**-0.4)
    np.testing.assert_allclose(value("chinchilla", p, N=X, D=2.0), 8 + 20 * X**-0.4 + 5 * 2.0**-0.7)
    g = 20 * X**-0.4
    np.testing.assert_allclose(value("saturating", p, N=X), 100 * (1 - np.exp(-g)))
    np.testing.assert_allclose(value("rational", p, N=X), 8 + 92 * g / (1 + g))


def test_users_and_hours_are_their_formulas():
    p = {"E": 8.0, "A": 20.0, "alpha": 0.4, "B": 5.0, "beta": 0.7}
    np.testing.assert_allclose(value("users_hours", p, U=X, H=3.0), 8 + 20 * X**-0.4 + 5 * (3 * X) ** -0.7)
    np.testing.assert_allclose(value("users_hours_product", p, U=X, H=3.0), 8 + 20 * X**-0.4 * 3.0**-0.7)


def test_the_broken_law_is_its_formula():
    p = {"E": 0.4, "A": 2.0, "c0": 0.05, "c1": 5.6, "d1": 0.9, "f1": 0.06}
    wanted = 0.4 + 2.0 * X**-0.05 * (1 + (X / 0.9) ** (1 / 0.06)) ** (-5.6 * 0.06)
    np.testing.assert_allclose(value("broken", p, N=X), wanted)


def test_kaplans_law_is_its_formula():
    p = {"A": 0.3, "alpha": 0.1, "B": 0.2, "beta": 0.4}
    np.testing.assert_allclose(value("kaplan", p, N=X, D=2.0), (0.3 * X ** (-0.1 / 0.4) + 0.2 / 2.0) ** 0.4)


def test_data_seen_once_counts_in_full_and_repeats_less_and_less():
    p = {"E": 1.0, "A": 1.0, "alpha": 0.4, "B": 1.0, "beta": 0.5, "R_D": 15.0, "R_N": 5.0}
    plain = {"E": 1.0, "A": 1.0, "alpha": 0.4, "B": 1.0, "beta": 0.5}
    once = value("repeated", p, N=0.01, D=X, Q=X)
    np.testing.assert_allclose(once, value("chinchilla", plain, N=0.01, D=X))
    epochs = np.array([1.0, 2.0, 8.0, 1e6])
    found = value("repeated", p, N=0.01, D=epochs, Q=1.0)
    assert (np.diff(found) < 0).all()
    fresh = value("chinchilla", plain, N=0.01, D=epochs)
    np.testing.assert_allclose(found[:2], fresh[:2], rtol=0.02)
    # However often repeated, data are worth at most 1 + R_D times themselves.
    np.testing.assert_allclose(found[3], value("chinchilla", plain, N=0.01, D=16.0)[0])


def test_a_student_is_bounded_by_its_teacher_and_is_itself_without_one():
    p = {"E": 5.0, "A": 20.0, "alpha": 0.4, "K": 3.0}
    alone = value("floor_power", {"E": 5.0, "A": 20.0, "alpha": 0.4}, N=X)
    np.testing.assert_allclose(value("distilled", p, N=X, T=X), alone)
    taught = value("distilled", p, N=X, T=10.0)
    teacher = value("floor_power", {"E": 5.0, "A": 20.0, "alpha": 0.4}, N=10.0)
    assert (taught < alone).all() and (taught > teacher).all()
    np.testing.assert_allclose(
        value("distilled", {**p, "K": 1e9}, N=X, T=10.0), teacher, rtol=1e-6
    )  # fmt: skip
    endless = value("distilled", p, N=X, T=1e12)
    np.testing.assert_allclose(endless, value("floor_power", {"E": 5.0, "A": 20.0, "alpha": 0.4}, N=4 * X), rtol=1e-6)


def test_busbridges_law_is_its_formula():
    p = {"A": 0.8, "alpha": 0.3, "B": 0.5, "beta": 0.4, "gamma": 0.6, "c0": 2.5, "c1": 0.4, "d1": 1.2, "f1": 0.1}
    teacher, own = 2.0, 2.4
    bend = (1 + (teacher / (own * 1.2)) ** (1 / 0.1)) ** (-0.4 * 0.1)
    wanted = teacher + teacher**-2.5 * bend * (0.8 * X**-0.3 + 0.5 * 3.0**-0.4) ** 0.6
    np.testing.assert_allclose(value("busbridge", p, N=X, D=3.0, TL=teacher, S=own), wanted)


def test_calibration_starts_at_the_ceiling_and_ends_at_the_floor():
    p = {"E": 5.0, "C0": 50.0, "m0": 1.0, "beta": 0.8}
    found = value("personal", p, M=np.array([0.0, 1.0, 10.0, 1e12]))
    np.testing.assert_allclose(found, 5 + 45 * np.array([1.0, 2.0**-0.8, 11.0**-0.8, 0.0]), rtol=1e-6)


def test_the_sigmoid_goes_from_floor_to_ceiling():
    p = {"E": 5.0, "C0": 90.0, "k": 4.0, "L0": 2.0}
    np.testing.assert_allclose(
        value("sigmoid", p, L=np.array([-90.0, 2.0, 90.0, 2.0])), [5.0, 47.5, 90.0, 47.5]
    )  # fmt: skip


def test_a_law_over_any_inputs_has_a_term_for_each():
    law = law_named("additive", ("N", "U", "H"))
    assert law.parameter_names == ("E", "A_N", "alpha_N", "A_U", "alpha_U", "A_H", "alpha_H")
    assert law is law_named(law.name)
    assert power_sum(("N", "D")).parameter_names == ("E", "A", "alpha", "B", "beta")


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("cubic", None, "law 'cubic' is not known; known are power, floor_power, chinchilla"),
        ("chinchilla", ("N",), "has the inputs N, D, not N"),
        ("additive", ("N", "N"), "name each once"),
    ],
)
def test_a_law_that_is_none_is_refused(name, inputs, message):
    with pytest.raises(InputError) as caught:
        law_named(name, inputs)
    assert message in str(caught.value)


def test_a_law_with_names_that_clash_is_refused():
    n, a = Input("N", "1", ""), Parameter("N", "amplitude")
    with refused("bad-law", "mine", "'N'"):
        Law("mine", "y", (n,), (a,), lambda p, x: x["N"])
    with refused("bad-law", "mine", "'gamma'"):
        Law("mine", "y", (n,), (Parameter("A", "amplitude", scaling={"N": "gamma"}),), lambda p, x: x["N"])


OWN = """
from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.law import Input, Law, Parameter
mine = Law("mine", "y = A * N^-a", (Input("N", "1", "size"),),
           (Parameter("A", "amplitude", "y", scaling={"N": "a"}), Parameter("a", "exponent", low=0.0, high=10.0)),
           lambda p, x: p["A"] * x["N"] ** -p["a"], linear=("A",))
number = 3
"""


def test_a_law_of_the_users_own_is_loaded_from_its_file(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    assert load_law(f"{tmp_path}/own.py:mine").formula == "y = A * N^-a"
    for place, message in (
        (f"{tmp_path}/none.py:mine", "no such file; give a law as path/to/file.py:NAME"),
        (f"{tmp_path}/own.py:yours", "no law 'yours' in that file; it has mine"),
        (f"{tmp_path}/own.py:number", "no law 'number' in that file; it has mine"),
    ):
        with pytest.raises(InputError) as caught:
            load_law(place)
        assert message in str(caught.value)
    (tmp_path / "own.py").write_text("1 / 0")
    with refused("bad-law", tmp_path / "own.py", "ZeroDivisionError"):
        load_law(f"{tmp_path}/own.py:mine")


def test_gadres_laws_are_their_formulas():
    p = {"E": 1.8, "a": 20.0, "b": 50.0, "eta": 0.2}
    wanted = 1.8 + (20.0 * 3.0**0.2 + 50.0 * 3.0**-0.2) * X**-0.2
    np.testing.assert_allclose(value("gadre", p, C=X, M=3.0), wanted)
    found = value("gadre_error", {"eps": 80.0, "k": 200.0, "gamma": 0.7}, L=X)
    np.testing.assert_allclose(found, 80.0 - 200.0 * np.exp(-0.7 * X))


def test_the_over_training_law_is_found_again_with_its_constants_in_flop_and_tokens():
    # Gadre et al. 2024: C = 6 N D, M = D / N
    n, m = (v.reshape(-1) for v in np.meshgrid([1.1e7, 7.9e7, 1.5e8, 4.1e8], [5.0, 20.0, 80.0, 320.0]))
    c = 6.0 * m * n**2
    y = 1.9 + (141.0 * m**0.121 + 190.0 * m**-0.121) * c**-0.121
    fit = fit_law(table_of({"C": c, "M": m}, y), LAWS["gadre"])
    wanted = {"E": 1.9, "a": 141.0, "b": 190.0, "eta": 0.121}
    assert fit.parameters == pytest.approx(wanted, rel=1e-4)
    assert fit.converged and not [d for d in diagnose(fit, None) if d.severity == "error"]
    held = fit_law(table_of({"C": c, "M": m}, y), LAWS["gadre"], fixed={"a": 141.0, "eta": 0.121})
    assert held.parameters == pytest.approx(wanted, rel=1e-4)
    # Chinchilla with one exponent is the same law in other letters.
    chinchilla = table_of({"N": n, "D": n * m}, y)
    other = fit_law(chinchilla, LAWS["chinchilla"])
    assert other.parameters["alpha"] == pytest.approx(2 * 0.121, rel=1e-3)
    low, high = parameter_intervals(fit)["a"]
    assert low <= fit.parameters["a"] <= high


def test_the_link_from_loss_to_error_is_found_again():
    loss = np.linspace(2.2, 4.5, 9)
    y = 85.0 - 210.0 * np.exp(-0.72 * loss)
    fit = fit_law(table_of({"L": loss}, y, "%"), LAWS["gadre_error"])
    assert fit.parameters == pytest.approx({"eps": 85.0, "k": 210.0, "gamma": 0.72}, rel=1e-4)
    assert fit.converged and fit.starts_agree > 0.5
    noisy = y * np.exp(0.01 * np.random.default_rng(0).standard_normal(9))
    low, high = parameter_intervals(fit_law(table_of({"L": loss}, noisy, "%"), LAWS["gadre_error"]))["gamma"]
    assert low < 0.72 < high


def test_the_shared_exponent_is_its_formula_and_the_over_training_law_in_other_letters():
    p = {"E": 1.8, "A": 20.0, "B": 50.0, "eta": 0.3}
    found = value("shared_exponent", p, N=X, D=3.0)
    np.testing.assert_allclose(found, 1.8 + 20.0 * X**-0.3 + 50.0 * 3.0**-0.3)
    # C = 6 N D and M = D / N: a = A 6^(eta / 2), b = B 6^(eta / 2), half the exponent.
    other = {"E": 1.8, "a": 20.0 * 6.0**0.15, "b": 50.0 * 6.0**0.15, "eta": 0.15}
    np.testing.assert_allclose(found, value("gadre", other, C=6.0 * X * 3.0, M=3.0 / X))


def test_users_saturate_at_the_ceiling_and_fall_as_a_power():
    p = {"E": 5.0, "C0": 90.0, "u0": 4.0, "alpha": 0.6}
    np.testing.assert_allclose(value("users_saturating", p, U=X), 5.0 + 85.0 * (1.0 + X / 4.0) ** -0.6)
    few, many = value("users_saturating", p, U=1e-6)[0], value("users_saturating", p, U=np.array([1e6, 2e6, 1, 1]))
    assert few == pytest.approx(90.0, rel=1e-4)
    assert (many[1] - 5.0) / (many[0] - 5.0) == pytest.approx(2.0**-0.6, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "truth", "noise"),
    [
        ("shared_exponent", {"E": 1.8, "A": 420.0, "B": 900.0, "eta": 0.32}, 0.002),
        ("users_saturating", {"E": 6.0, "C0": 80.0, "u0": 6.0, "alpha": 0.9}, 0.01),
        ("gadre_error", {"eps": 85.0, "k": 210.0, "gamma": 0.72}, 0.005),
    ],
)
def test_a_simulated_truth_lies_within_the_intervals_of_its_fit(name, truth, noise):
    law = LAWS[name]
    grids = {"N": np.geomspace(1e7, 1e9, 5), "D": np.geomspace(1e8, 1e11, 5), "U": np.geomspace(1, 512, 14),
             "L": np.linspace(2.2, 4.5, 12)}  # fmt: skip
    x = {
        n: v.reshape(-1)
        for n, v in zip(law.input_names, np.meshgrid(*(grids[n] for n in law.input_names)), strict=True)
    }
    with float64():
        clean = np.asarray(law.predict(truth, with_logs(x)))
    held = dict.fromkeys(truth, 0)
    for seed in range(4):
        y = clean * np.exp(noise * np.random.default_rng(seed).standard_normal(len(clean)))
        fit = fit_law(table_of(x, y), law)
        assert fit.converged
        for parameter, (low, high) in parameter_intervals(fit).items():
            held[parameter] += low <= truth[parameter] <= high
    assert min(held.values()) >= 3


def test_a_pure_power_stands_over_any_input():
    assert law_for("power", ("U",)).input_names == ("U",)
    assert law_for("power") is LAWS["power"] and law_for("power", ("N",)) is LAWS["power"]
    assert law_named("power(U)").formula == "y = A * U^-alpha"


def test_a_simpler_law_leaves_a_degree_of_freedom():
    assert simpler_law(LAWS["floor_power"], 3).name == "power"
    assert simpler_law(LAWS["floor_power"], 2) is None
    assert simpler_law(LAWS["chinchilla"], 5).name == "shared_exponent"
    assert simpler_law(law_named("additive", ("U",)), 3).name == "power(U)"
    assert simpler_law(LAWS["floor_power"], 3, fixed=("E",)) is None
