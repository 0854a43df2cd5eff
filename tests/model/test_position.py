"""The position convolution: the CPU's form against the library's, and what its gains do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.model.position import PositionConv, banded_conv, library_conv
from tests.model.small import SMALL, assert_same_convolution, quick_jit, random_emg


@pytest.mark.parametrize(
    ("taps", "groups", "width", "padding"),
    [
        pytest.param(128, 16, 32, (127, 0), id="the paper's, causal"),
        pytest.param(5, 2, 8, (2, 2), id="odd, centred"),
        pytest.param(18, 2, 4, (9, 8), id="even, centred"),
        pytest.param(3, 1, 4, (2, 0), id="odd, causal, one group"),
    ],
)
def test_products_with_a_banded_matrix_are_the_librarys_convolution(taps, groups, width, padding):
    rng = np.random.default_rng(taps)
    x, upstream = rng.normal(size=(2, 2, 20, width)).astype(np.float32)
    weight = rng.normal(size=(taps, width // groups, width)).astype(np.float32)

    def with_padding(convolve):
        return lambda x, weight: convolve(x, weight, groups, padding)

    assert_same_convolution(with_padding(banded_conv), with_padding(library_conv), x, weight, upstream)


def test_the_position_gains_scale_whole_taps_and_start_as_the_norms():
    module = PositionConv(SMALL)
    x = random_emg(1, 2)[..., :8]
    params = quick_jit(module.init)(jax.random.key(0), x)["params"]
    direction, gain = params["direction"], params["gain"]
    np.testing.assert_allclose(gain, np.sqrt((np.asarray(direction) ** 2).sum(axis=(1, 2))), rtol=1e-5)
    scaled = {**params, "direction": direction * jnp.arange(1.0, 5.0)[:, None, None]}
    apply = quick_jit(module.apply)
    np.testing.assert_allclose(apply({"params": scaled}, x), apply({"params": params}, x), rtol=1e-4, atol=1e-4)
    silent = apply({"params": {**params, "gain": jnp.zeros(4)}}, x)
    np.testing.assert_array_equal(silent, np.zeros_like(x))
