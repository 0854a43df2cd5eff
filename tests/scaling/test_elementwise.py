"""A law as a NumPy program: the values and derivatives that JAX gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.scaling.elementwise import program_of
from semgjax.scaling.laws import LAWS
from semgjax.scaling.precision import float64

NAMES = ("a", "b")


def both(law):
    return (*law.input_names, *(f"log_{name}" for name in law.input_names))


@pytest.mark.parametrize("name", LAWS)
def test_every_built_in_law_has_the_values_and_derivatives_of_jax(name):
    law, random = LAWS[name], np.random.default_rng(3)
    x = {n: np.exp(random.normal(0.0, 1.0, 9)) for n in law.input_names}
    x |= {f"log_{n}": np.log(v) for n, v in x.items()}
    with float64():
        curve = jax.jit(lambda p: law.predict(p, x) + 0.0 * x[both(law)[0]])
        derivative = jax.jit(jax.jacfwd(curve))
    for _ in range(20):
        p = {n: float(np.exp(random.normal(-0.5, 0.7))) for n in law.parameter_names}
        value, slopes = program_of(law.predict, law.parameter_names, both(law)).with_slopes(p, x, law.parameter_names)
        with float64():
            expected, gradient = curve(p), derivative(p)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        for name_of, slope in zip(law.parameter_names, slopes, strict=True):
            np.testing.assert_allclose(slope, np.asarray(gradient[name_of]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda p, x: p["a"] * jnp.tanh(x["N"]) + jnp.sqrt(p["b"]),
        lambda p, x: jnp.where(x["N"] > 1.0, p["a"] * x["N"], p["b"] ** 2),
        lambda p, x: jnp.clip(p["a"] * x["N"], 0.5, 2.0) + jnp.abs(p["b"] - x["N"]),
        lambda p, x: jax.nn.sigmoid(p["a"] * x["N"]) ** p["b"],
        lambda p, x: jnp.logaddexp(p["a"] * x["N"], p["b"]),
        lambda p, x: jax.jit(lambda v: jnp.maximum(v, p["b"]))(p["a"] * x["N"]),
    ],
)
def test_functions_of_a_users_own_law_are_differentiated_too(function):
    p, x = {"a": 0.7, "b": 1.3}, {"N": np.linspace(0.3, 4.0, 11)}
    value, slopes = program_of(function, NAMES, ("N",)).with_slopes(p, x, NAMES)
    with float64():
        np.testing.assert_allclose(value, function(p, x), rtol=1e-12)
        gradient = jax.jacfwd(lambda p: function(p, x))(p)
        for name, slope in zip(NAMES, slopes, strict=True):
            np.testing.assert_allclose(slope, gradient[name], rtol=1e-10, atol=1e-14)


@jax.custom_jvp
def own_rule(v):
    return v


own_rule.defjvp(lambda primals, tangents: (primals[0], 3.0 * tangents[0]))


@pytest.mark.parametrize(
    "function",
    [
        lambda p, x: p["a"] * x["N"].mean(),
        lambda p, x: p["a"] * x["N"] / x["N"].max(),
        lambda p, x: p["a"] * jnp.cumsum(x["N"]),
        lambda p, x: p["a"] * x["N"][::-1],
        lambda p, x: p["a"] * x["N"] @ x["N"],
        lambda p, x: p["a"] * jnp.linspace(0.0, 1.0, 7) * x["N"],
        lambda p, x: jax.scipy.special.gammaln(p["a"] * x["N"]),
        lambda p, x: own_rule(p["a"]) * x["N"],
    ],
)
def test_what_mixes_rows_or_has_its_own_derivative_is_left_to_the_compiler(function):
    assert program_of(function, NAMES, ("N",)) is None


def test_parameters_and_inputs_broadcast():
    program = program_of(lambda p, x: p["a"] * x["N"] + 1.0, ("a",), ("N",))
    value, (slope,) = program.with_slopes({"a": np.ones((4, 1))}, {"N": np.arange(3.0)[None]}, ("a",))
    assert value.shape == slope.shape == (4, 3)
    np.testing.assert_array_equal(slope[2], [0.0, 1.0, 2.0])


def test_a_constant_law_has_the_shape_of_its_rows():
    value, (slope,) = program_of(lambda p, x: p["a"], ("a",), ("N",)).with_slopes({"a": 2.0}, {"N": np.ones(5)}, ("a",))
    assert value.tolist() == [2.0] * 5 and slope.tolist() == [1.0] * 5
