"""A law as a NumPy program with derivatives, read from its JAX trace: small tables need no compilation.

Compiling a search takes a second per law, and a search over a dozen runs takes a hundredth of that. A law that works
on each row by itself is a short list of elementwise operations; they are evaluated here with NumPy on whole batches,
with first derivatives carried forward. A law with any other operation is left to the compiler.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal, Var

from semgjax.scaling.precision import float64

Array = np.ndarray
Slopes = dict[int, Array]  # parameter -> derivative by it; parameters that do not matter are left out
_ROWS = 7  # of the trace: an elementwise program is the same for any number


class Program:
    """An elementwise function of parameters p and inputs x, both {name: array}, evaluated with NumPy."""

    def __init__(self, traced: ClosedJaxpr, parameters: Sequence[str], inputs: Sequence[str]) -> None:
        self._traced = traced
        self._parameters = tuple(parameters)
        self._inputs = tuple(inputs)

    def __call__(self, p: Mapping[str, Any], x: Mapping[str, Any]) -> Array:
        """The value, of the shape that p and x broadcast to."""
        return self.with_slopes(p, x, ())[0]

    def with_slopes(self, p: Mapping[str, Any], x: Mapping[str, Any], by: Sequence[str]) -> tuple[Array, list[Array]]:
        """(value, its derivative by each parameter of `by`), of the shape that p and x broadcast to."""
        order = {name: i for i, name in enumerate(by)}
        values = [np.asarray(p[n], np.float64) for n in self._parameters]
        values += [np.asarray(x[n], np.float64) for n in self._inputs]
        slopes: list[Slopes] = [{order[n]: np.ones(())} if n in order else {} for n in self._parameters]
        slopes += [{} for _ in self._inputs]
        shape = np.broadcast_shapes(*(v.shape for v in values))
        with np.errstate(all="ignore"):
            value, found = _evaluate(self._traced, values, slopes)[0]
        return np.broadcast_to(value, shape), [np.broadcast_to(found.get(i, 0.0), shape) for i in range(len(by))]


@lru_cache(maxsize=256)
def program_of(function: Callable[..., Any], parameters: tuple[str, ...], inputs: tuple[str, ...]) -> Program | None:
    """`function(p, x)` as a NumPy program; None if it does more than elementwise arithmetic."""

    def flat(p: list[Any], x: list[Any]) -> Any:
        return function(dict(zip(parameters, p, strict=True)), dict(zip(inputs, x, strict=True)))

    number = jax.ShapeDtypeStruct((), np.float64)
    rows = jax.ShapeDtypeStruct((_ROWS,), np.float64)
    with float64():
        traced = jax.make_jaxpr(flat)([number] * len(parameters), [rows] * len(inputs))
    return Program(traced, parameters, inputs) if _known(traced) else None


def _known(traced: ClosedJaxpr) -> bool:
    """Whether every operation has a rule here and keeps the rows apart."""
    if any(np.ndim(constant) for constant in traced.consts) or len(traced.jaxpr.outvars) != 1:
        return False
    for equation in traced.jaxpr.eqns:
        name = equation.primitive.name
        inner = _inner(equation)
        if inner is not None:
            if not _known(inner):
                return False
        elif name not in _RULES or any(v.aval.shape not in ((), (_ROWS,)) for v in equation.outvars):
            return False
    return True


def _inner(equation: Any) -> ClosedJaxpr | None:
    """The program that an equation calls, as jnp.clip and jnp.logaddexp do."""
    if equation.primitive.name in ("pjit", "jit"):
        return equation.params["jaxpr"]
    if equation.primitive.name != "custom_jvp_call":
        return None
    called = equation.params["call_jaxpr"]
    # A user's own derivative rule is not replaced: only JAX's, whose rule is the derivative of its program.
    return called if called.jaxpr.debug_info.func_name == "logaddexp" else None


def _evaluate(traced: ClosedJaxpr, values: list[Any], slopes: list[Slopes]) -> list[tuple[Any, Slopes]]:
    program = traced.jaxpr
    known: dict[Var, tuple[Any, Slopes]] = dict(zip(program.invars, zip(values, slopes, strict=True), strict=True)) | {
        v: (np.asarray(c), {}) for v, c in zip(program.constvars, traced.consts, strict=True)
    }

    def read(atom: Any) -> tuple[Any, Slopes]:
        return (np.asarray(atom.val), {}) if isinstance(atom, Literal) else known[atom]

    for equation in program.eqns:
        arguments = [read(atom) for atom in equation.invars]
        inner = _inner(equation)
        if inner is not None:
            results = _evaluate(inner, [a[0] for a in arguments], [a[1] for a in arguments])
        else:
            results = [_applied(equation, arguments)]
        known.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in program.outvars]


def _applied(equation: Any, arguments: list[tuple[Any, Slopes]]) -> tuple[Any, Slopes]:
    values = [value for value, _ in arguments]
    value, factors = _RULES[equation.primitive.name](equation.params, *values)
    found: Slopes = {}
    if any(slopes for _, slopes in arguments):
        for factor, (_, slopes) in zip(factors(), arguments, strict=True):
            for i, slope in slopes.items():
                part = slope if factor is None else factor * slope
                found[i] = found[i] + part if i in found else part
    return value, found


# Each rule gives the value and, when asked, the derivative by each argument (None: 1).
def _pow(_: Any, a: Any, b: Any) -> Any:
    value = np.power(a, b)
    return value, lambda: (b * np.power(a, b - 1.0), np.where(a > 0, np.log(np.where(a > 0, a, 1.0)), 0.0) * value)


def _integer_pow(params: Any, a: Any) -> Any:
    y = params["y"]
    return np.power(a, float(y)), lambda: (y * np.power(a, float(y - 1)),)


def _extreme(function: Any, first: Any) -> Any:
    def rule(_: Any, a: Any, b: Any) -> Any:
        # Where both are equal each takes half, as in JAX.
        share = lambda: np.where(a == b, 0.5, first(a, b).astype(np.float64))  # noqa: E731
        return function(a, b), lambda: (share(), 1.0 - share())

    return rule


def _select(_: Any, which: Any, *cases: Any) -> Any:
    chosen = np.where(which, cases[1], cases[0])
    return chosen, lambda: (0.0, np.logical_not(which).astype(np.float64), np.asarray(which).astype(np.float64))


def _flat(function: Any) -> Any:
    """A rule of what has no slope: comparisons, signs, rounding."""
    return lambda _, *a: (function(*a), lambda: (0.0,) * len(a))


def _same(_: Any, a: Any) -> Any:
    return a, lambda: (None,)


def _converted(params: Any, a: Any) -> Any:
    dtype = params["new_dtype"]
    return np.asarray(a).astype(dtype), lambda: (None if np.issubdtype(dtype, np.floating) else 0.0,)


def _one(function: Any, slope: Any) -> Any:
    """A rule of one argument; slope(argument, value)."""

    def rule(_: Any, a: Any) -> Any:
        value = function(a)
        return value, lambda: (slope(a, value),)

    return rule


_RULES: dict[str, Any] = {
    "add": lambda _, a, b: (a + b, lambda: (None, None)),
    "add_any": lambda _, a, b: (a + b, lambda: (None, None)),
    "sub": lambda _, a, b: (a - b, lambda: (None, -1.0)),
    "mul": lambda _, a, b: (a * b, lambda: (b, a)),
    "div": lambda _, a, b: (np.divide(a, b), lambda: (np.divide(1.0, b), -np.divide(a, b) / b)),
    "neg": lambda _, a: (-a, lambda: (-1.0,)),
    "exp": _one(np.exp, lambda a, value: value),
    "log": _one(np.log, lambda a, value: 1.0 / a),
    "expm1": _one(np.expm1, lambda a, value: value + 1.0),
    "log1p": _one(np.log1p, lambda a, value: 1.0 / (1.0 + a)),
    "sqrt": _one(np.sqrt, lambda a, value: 0.5 / value),
    "square": _one(np.square, lambda a, value: 2.0 * a),
    "tanh": _one(np.tanh, lambda a, value: 1.0 - value**2),
    "logistic": _one(lambda a: 1.0 / (1.0 + np.exp(-a)), lambda a, value: value * (1.0 - value)),
    "abs": _one(np.abs, lambda a, value: np.sign(a)),
    "pow": _pow,
    "integer_pow": _integer_pow,
    "max": _extreme(np.maximum, np.greater),
    "min": _extreme(np.minimum, np.less),
    "select_n": _select,
    "sign": _flat(np.sign),
    **{n: _flat(f) for n, f in {
        "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
        "ge": np.greater_equal, "is_finite": np.isfinite, "not": np.logical_not, "and": np.logical_and,
        "or": np.logical_or,
    }.items()},
    "convert_element_type": _converted,
    "broadcast_in_dim": _same,
    "copy": _same,
}  # fmt: skip
