"""Convolutions as a CPU computes them against the library's, forwards and backwards."""

import numpy as np
import pytest

from semgjax.kernels.convolutions import banded_products, strided_products
from semgjax.model.encoder import grouped_conv, strided_conv
from tests.model.small import assert_same_convolution


@pytest.mark.parametrize(
    ("kernel", "stride", "time"), [(11, 5, 35), (3, 2, 13), (4, 4, 12), (3, 1, 6), (10, 5, 36), (8, 4, 4)]
)
def test_a_product_is_the_librarys_convolution_padded_in_front(kernel, stride, time):
    rng = np.random.default_rng(kernel)
    x = rng.normal(size=(3, time, 4)).astype(np.float32)
    weight = rng.normal(size=(kernel, 4, 5)).astype(np.float32)
    upstream = rng.normal(size=(3, time // stride, 5)).astype(np.float32)

    def with_stride(form):
        return lambda x, weight: form(x, weight, stride)

    assert_same_convolution(with_stride(strided_products), with_stride(strided_conv), x, weight, upstream)


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

    assert_same_convolution(with_padding(banded_products), with_padding(grouped_conv), x, weight, upstream)
