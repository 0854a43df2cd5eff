"""How weights become int8: symmetric, a scale for each output of a product; and the same rounding in a JAX function.

Which arrays are weights is seen from the program: a side of a product, or the kernel of a convolution, that is made of
parameters alone. So a kernel that a network computes first, as weight norm does, is rounded as it is used. Runtimes
multiply such weights by inputs that they round to int8 too, as they come, with a scale for each row.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

MOST = 127
"""largest int8 that is used: -128 would have no counterpart"""


def int8_weights(weights: np.ndarray, inner: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Weights as int8, and float32 scales of the same rank, whose product is near them.

    Args:
        inner: the axes that a product sums over; one scale for each place on the other axes.
    """
    scale = np.abs(weights).max(axis=tuple(inner), keepdims=True) / np.float32(MOST)
    scale = np.where(scale > 0, scale, np.float32(1)).astype(np.float32)
    return np.clip(np.rint(weights / scale), -MOST, MOST).astype(np.int8), scale


def rounded(weights: jax.Array, inner: Sequence[int]) -> jax.Array:
    """What `int8_weights` keeps of weights; the gradient passes as if nothing were rounded.

    The straight-through estimator: Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons
    for conditional computation" (arXiv 1308.3432).
    """
    scale = jnp.abs(weights).max(axis=tuple(inner), keepdims=True) / MOST
    scale = jnp.where(scale > 0, scale, 1.0)
    kept = jnp.clip(jnp.round(weights / scale), -MOST, MOST) * scale
    return weights + jax.lax.stop_gradient(kept - weights)


def product_of_rounded(eqn: Any, values: Sequence[Any], learned: Sequence[bool]) -> list[Any]:
    """dot_general with rounded weights and inputs, for `semgjax.model.plain_form.plain`."""
    inner, _ = eqn.params["dimension_numbers"]
    sides = [rounded(x, axes) for x, axes in zip(values, inner, strict=True)] if any(learned) else values
    return [eqn.primitive.bind(*sides, **eqn.params)]


def convolution_of_rounded(eqn: Any, values: Sequence[Any], learned: Sequence[bool]) -> list[Any]:
    """conv_general_dilated with a kernel of rounded weights."""
    x, kernel = values
    if learned[1]:
        outputs = eqn.params["dimension_numbers"].rhs_spec[0]
        kernel = rounded(kernel, [axis for axis in range(kernel.ndim) if axis != outputs])
    return [eqn.primitive.bind(x, kernel, **eqn.params)]


ROUNDED: dict[str, Callable[[Any, Sequence[Any], Sequence[bool]], list[Any]]] = {
    "dot_general": product_of_rounded,
    "conv_general_dilated": convolution_of_rounded,
}
