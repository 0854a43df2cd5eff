"""The search with NumPy and the compiled one: the same minima."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.scaling import solver
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import LAWS
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import parameter_intervals, prediction_interval
from semgjax.scaling.table import Table, table_of

SIZES = np.repeat(np.geomspace(1e5, 3.2e6, 8), 2)
NOISE = np.exp(0.03 * np.random.default_rng(1).standard_normal(16))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("floor_power", kind) for kind in ("huber_log", "log1p_ls", "linear_ls", "student_t", "pinball")),
        *((name, "huber_log") for name in ("saturating", "rational")),
    ],
)
def test_a_small_table_gives_the_fit_of_the_compiled_search(name, kind, monkeypatch):
    table = table_of(SIZES, (9.0 + 7000.0 * SIZES**-0.47) * NOISE)
    small = fit_law(table, LAWS[name], Objective(kind), starts=16)
    monkeypatch.setattr(solver, "SMALL", 0)
    compiled = fit_law(table, LAWS[name], Objective(kind), starts=16)
    assert small.converged == compiled.converged
    np.testing.assert_allclose(small.objective_value, compiled.objective_value, rtol=1e-6)
    np.testing.assert_allclose(predict(small, SIZES), predict(compiled, SIZES), rtol=1e-5)


def test_intervals_are_those_of_the_compiled_search(monkeypatch):
    fit = fit_law(table_of(SIZES, (9.0 + 7000.0 * SIZES**-0.47) * NOISE), LAWS["floor_power"])
    small = parameter_intervals(fit), prediction_interval(fit, 1e7)
    monkeypatch.setattr(solver, "SMALL", 0)
    np.testing.assert_allclose(small[1], prediction_interval(fit, 1e7), rtol=1e-6)
    for name, ends in parameter_intervals(fit).items():
        np.testing.assert_allclose(small[0][name], ends, rtol=1e-6)


def test_a_law_of_two_inputs_gives_the_fit_of_the_compiled_search(monkeypatch):
    n, d = (v.ravel() for v in np.meshgrid(np.geomspace(1e5, 1e7, 4), np.geomspace(1e6, 1e8, 4)))
    table = Table({"N": n, "D": d}, (5.0 + 4e3 * n**-0.5 + 2e4 * d**-0.45) * NOISE)
    small = fit_law(table, LAWS["chinchilla"])
    monkeypatch.setattr(solver, "SMALL", 0)
    np.testing.assert_allclose(small.theta, fit_law(table, LAWS["chinchilla"]).theta, rtol=1e-5, atol=1e-6)


def test_a_fit_of_a_dozen_runs_compiles_no_search():
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(lambda name, _, **__: compiled.append(name))
    law = replace(LAWS["floor_power"], name="a law that nothing was compiled for")
    fit = fit_law(table_of(SIZES, (9.0 + 7000.0 * SIZES**-0.47) * NOISE), law)
    parameter_intervals(fit)
    assert not [name for name in compiled if name.endswith("backend_compile_duration")]


def test_a_law_that_mixes_rows_is_still_fitted():
    law = replace(
        LAWS["power"],
        predict=lambda p, x: p["A"] * x["N"] ** -p["alpha"] * jnp.mean(jnp.ones_like(x["N"])),
        linear=(),
    )
    fit = fit_law(table_of(SIZES, 7000.0 * SIZES**-0.47), law, starts=8)
    np.testing.assert_allclose(fit.parameters["alpha"], 0.47, rtol=1e-6)
