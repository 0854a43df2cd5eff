"""Positive float32 numbers of almost any size: a mantissa and an integer exponent.

Probabilities of alignments leave float32's range after a few dozen frames, and their logarithms, thousands of nats
long, lose the digits that a gradient needs. A mantissa in [1, 2) with its own exponent keeps 24 bits whatever the size,
and costs a few bit operations instead of exp and log.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

_LEAST = -(1 << 29)  # exponent of zero; far below any product, far above int32's end
_FRACTION, _ONE = 0x007FFFFF, 0x3F800000


class Wide(NamedTuple):
    """mantissa x 2^exponent; mantissa float32 in [1, 2), or 0 for zero; exponent int32."""

    mantissa: jax.Array
    exponent: jax.Array


def zeros(shape: tuple[int, ...]) -> Wide:
    """The number zero."""
    return Wide(jnp.zeros(shape, jnp.float32), jnp.full(shape, _LEAST, jnp.int32))


def from_log(log: jax.Array) -> Wide:
    """exp(log) for float32 natural logarithms; below -1e5, and so -inf, counts as -1e5."""
    bits = jnp.maximum(log, -1e5) * 1.4426950408889634
    exponent = jnp.floor(bits)
    return _normal(jnp.exp2(bits - exponent), exponent.astype(jnp.int32))


def to_log(x: Wide) -> jax.Array:
    """Natural logarithm, float32; -inf for zero."""
    return jnp.log(x.mantissa) + x.exponent.astype(jnp.float32) * 0.6931471805599453


def power(exponent: jax.Array) -> jax.Array:
    """2^exponent as float32 for exponents of at most 127; 2^-126 at the least."""
    return jax.lax.bitcast_convert_type((jnp.maximum(exponent, -126) + 127) << 23, jnp.float32)


def add(*terms: Wide) -> Wide:
    """Sum; mantissas of the result may lie outside [1, 2) until the next product."""
    top = terms[0].exponent
    for term in terms[1:]:
        top = jnp.maximum(top, term.exponent)
    mantissa = sum(term.mantissa * power(term.exponent - top) for term in terms)
    return Wide(jnp.asarray(mantissa), top)


def multiply(x: Wide, y: Wide) -> Wide:
    """Product of a number or a sum of a few with a number."""
    return _normal(x.mantissa * y.mantissa, x.exponent + y.exponent)


def _normal(mantissa: jax.Array, exponent: jax.Array) -> Wide:
    """The same number with its mantissa in [1, 2)."""
    bits = jax.lax.bitcast_convert_type(mantissa, jnp.int32)
    fraction = jax.lax.bitcast_convert_type((bits & _FRACTION) | _ONE, jnp.float32)
    empty = mantissa == 0.0
    return Wide(jnp.where(empty, 0.0, fraction), jnp.where(empty, _LEAST, exponent + (bits >> 23) - 127))
