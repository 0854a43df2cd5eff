"""A JAX function as an ONNX model: one small function for each rule, at sizes that were not known when it was made."""

import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
import pytest
from jax import export, lax

from semgjax.exporting.conversion.onnx_convert import Port, Symbol, convert
from semgjax.model.int8_scheme import int8_weights
from tests.model.small import quick_jit
from tests.refused import refused

WEIGHTS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)

FUNCTIONS = {
    "product": lambda w, x: x @ w,
    "product of a transposed matrix": lambda w, x: jnp.einsum("ij,btj->bti", w.T, x),
    "product with batch axes": lambda w, x: jnp.einsum("btd,bsd->bts", x, x),
    "groups": lambda w, x: jnp.einsum("btgi,igo->btgo", x.reshape(*x.shape[:2], 2, 3), w.reshape(3, 2, 4)),
    "scores summed over two axes": lambda w, x: jnp.tensordot(x, x[:, :3], axes=((0, 2), (0, 2))),
    "softmax": lambda w, x: jax.nn.softmax(x, axis=-1),
    "masked": lambda w, x: jnp.where(x > 0, x, jnp.tanh(x)),
    "gelu": lambda w, x: jax.nn.gelu(x),
    "relu": lambda w, x: jax.nn.relu(x),
    "powers": lambda w, x: x**3 + jnp.exp(x) ** 2 + 1 / (1 + x**2),
    "logs and roots": lambda w, x: jnp.log(1 + jnp.abs(x)) + lax.rsqrt(1 + x * x) + jnp.sqrt(x * x),
    "sums": lambda w, x: x.sum(axis=1, keepdims=True) + x.max(axis=-1, keepdims=True) - x.min(),
    "any and all": lambda w, x: ((x > 1).any(axis=-1) | (x > -3).all(axis=-1)).astype(jnp.float32),
    "mean over a broadcast": lambda w, x: (x + w[:, 0]).mean(axis=-1),
    "neighbours": lambda w, x: x - jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1],
    "every third": lambda w, x: x[:, 2::3],
    "backwards": lambda w, x: x[:, :, ::-1],
    "joined and cut": lambda w, x: jnp.concatenate(jnp.split(x, 2, axis=-1)[::-1], axis=-1),
    "stacked": lambda w, x: jnp.stack([x, 2 * x], axis=1),
    "rolled": lambda w, x: jnp.roll(x, 2, axis=2),
    "moved axes": lambda w, x: jnp.moveaxis(x, 2, 0),
    "frames": lambda w, x: x.reshape(x.shape[0], x.shape[1] // 3, 3, -1).sum(axis=2),
    "positions": lambda w, x: x * jnp.arange(x.shape[1], dtype=jnp.float32)[None, :, None],
    "clipped": lambda w, x: jnp.clip(x, -1, 1),
    "cumulated": lambda w, x: jnp.cumsum(x, axis=1),
    "loop": lambda w, x: lax.scan(lambda c, k: (c @ jnp.outer(k, k), c.sum(axis=-1)), x, w.T[:, :6])[0],
    "convolution": lambda w, x: lax.conv_general_dilated(
        x, w.reshape(4, 3, 2), (1,), [(3, 0)], dimension_numbers=("NWC", "WIO", "NWC"), feature_group_count=2
    ),
    "strided convolution": lambda w, x: lax.conv_general_dilated(
        x, w.reshape(2, 6, 2), (2,), [(1, 0)], dimension_numbers=("NWC", "WIO", "NWC")
    ),
}


def converted(function, int8=False):
    rows, frames = export.symbolic_shape("b, t")
    port = Port("x", jax.ShapeDtypeStruct((rows, 6 * frames, 6), jnp.float32), ("rows", "samples", 6))
    symbols = {"b": Symbol("x", 0), "t": Symbol("x", 1, 6)}
    inner = jax.eval_shape(function, WEIGHTS, jnp.zeros((2, 12, 6)))
    return convert(
        function, WEIGHTS, [port], {"y": tuple(f"d{axis}" for axis in range(inner.ndim))}, symbols, int8=int8
    )


def outputs(model, x):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(["y"], {"x": x})[0]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_model_gives_what_the_function_gives_at_any_size(name):
    model = converted(FUNCTIONS[name])
    x = np.random.default_rng(0).normal(size=(3, 30, 6)).astype(np.float32)
    expected = np.asarray(quick_jit(FUNCTIONS[name])(WEIGHTS, x))
    found = outputs(model, x)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    "function",
    [
        lambda w, x: jnp.sort(x, axis=-1),
        lambda w, x: lax.scan(lambda c, k: (c + k, c), x[:, 0], jnp.moveaxis(x, 1, 0))[1],
        lambda w, x: lax.dynamic_slice_in_dim(x, (x[0, 0, 0] > 0).astype(jnp.int32), 3, axis=2),
    ],
)
def test_what_has_no_rule_is_refused(function):
    with refused("conflict"):
        converted(function)


def test_weights_are_int8_and_what_inputs_are_multiplied_by_alone_is_not():
    fixed = np.random.default_rng(1).normal(size=(4, 4)).astype(np.float32)
    model = converted(lambda w, x: x @ w @ fixed, int8=True)
    kinds = {one.data_type: tuple(one.dims) for one in model.graph.initializer if len(one.dims) == 2}
    assert kinds == {3: (6, 4), 1: (4, 4)}  # int8 and float


def test_int8_weights_lie_within_half_a_step_and_have_a_scale_for_each_output():
    whole, scale = int8_weights(np.concatenate([WEIGHTS, np.zeros((6, 1), np.float32)], axis=1), [0])
    assert (whole.dtype, scale.shape) == (np.int8, (1, 5))
    assert np.abs(whole).max(axis=0).tolist() == [127, 127, 127, 127, 0]
    assert (np.abs(whole[:, :4] * scale[:, :4] - WEIGHTS) <= scale[:, :4] * 0.5001).all()
