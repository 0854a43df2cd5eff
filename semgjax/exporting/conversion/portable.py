"""The two programs of an export in forms for other runtimes: no scan, sizes of the input known only at run time."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from semgjax.model.encoder import Operations, Params, layer_norm
from semgjax.model.kind import Network

_BLOCK = 64


def portable_offline(config: Network, any_length: bool) -> Callable[..., jax.Array]:
    """As `semgjax.exporting.exported_programs.offline_program`, with running sums that need no loop.

    Args:
        any_length: its sizes are symbols.
    """
    summed = triangular_sum if any_length else doubling_sum
    ops = Operations(layer_norm=layer_norm, rolling_sum=summed)

    def offline(params: Params, emg_BxTxC: jax.Array, valid_BxT: jax.Array) -> jax.Array:
        logits = config.apply(params, emg_BxTxC, valid_BxT, None, "none", None, ops)
        return jax.nn.log_softmax(logits)

    return offline


def triangular_sum(x_BxTxD: jax.Array, decay: float) -> jax.Array:
    """`semgjax.model.running.rolling_sum` as one product with [T, T], which needs no more room than attention does."""
    time = x_BxTxD.shape[1]
    index = lax.iota(jnp.int32, time)
    age = index[:, None] - index[None, :]
    past = jnp.maximum(age, 0)
    # Powers of a rounded decay would be off by their exponent; those of the rounded decay**64 are not.
    weight = jnp.float32(decay) ** lax.rem(past, jnp.int32(_BLOCK)).astype(jnp.float32)
    weight *= jnp.float32(decay**_BLOCK) ** lax.div(past, jnp.int32(_BLOCK)).astype(jnp.float32)
    triangle = jnp.where(age >= 0, weight, jnp.float32(0))
    return jnp.einsum("ij,bjd->bid", triangle, x_BxTxD.astype(jnp.float32))


def doubling_sum(x_BxTxD: jax.Array, decay: float) -> jax.Array:
    """`semgjax.model.running.rolling_sum` in log2(T) steps, each of which doubles the frames that a sum holds.

    It has no product with a constant matrix, which would be taken for weights and made int8 (Hillis and Steele 1986,
    "Data parallel algorithms").
    """
    total, seen = x_BxTxD.astype(jnp.float32), 1
    time = total.shape[1]
    while seen < time:
        # By padding: zeros of that shape would be stored in the program.
        earlier = lax.pad(total[:, : time - seen], jnp.float32(0), ((0, 0, 0), (seen, 0, 0), (0, 0, 0)))
        total += jnp.float32(decay**seen) * earlier
        seen *= 2
    return total


def matrix_products(eqn: Any, values: Any, learned: Any) -> list[Any]:
    """A product as products of two matrices, the right one transposed: as LiteRT's fully connected layers have it.

    Batch axes of a product with learned numbers, as groups are, become products of their own; others stay. The barrier
    keeps LiteRT's converter from joining a product and a reshape to a product of a rank that it then refuses.
    """
    (inner_l, inner_r), (batch_l, batch_r) = eqn.params["dimension_numbers"]
    left, right = values
    if batch_l and not any(learned):
        return [eqn.primitive.bind(left, right, **eqn.params)]
    free_l, free_r = (
        [axis for axis in range(x.ndim) if axis not in (*inner, *batch)]
        for x, inner, batch in ((left, inner_l, batch_l), (right, inner_r, batch_r))
    )
    shape = eqn.outvars[0].aval.shape
    count = math.prod(shape[: len(batch_l)])
    depth = math.prod(left.shape[axis] for axis in inner_l)
    rows = _arranged(left, (*batch_l, *free_l, *inner_l), (count, -1, depth))
    columns = _arranged(right, (*batch_r, *free_r, *inner_r), (count, -1, depth))
    found = [
        lax.optimization_barrier(lax.dot_general(rows[one], columns[one], (((1,), (1,)), ((), ()))))
        for one in range(count)
    ]
    return [(jnp.stack(found) if count > 1 else found[0]).reshape(shape)]


def _arranged(x: Any, order: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Axes in another order and shape; of a constant, a constant."""
    library: Any = jnp if isinstance(x, jax.core.Tracer) else np
    return library.asarray(x).transpose(order).reshape(shape)
