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
        self._parameters = tuple(parameters)
        self._inputs = tuple(inputs)
        # One slot for each value: those given, then constants (the others stay None) and results.
        self._slots: list[Any] = [None] * (len(self._parameters) + len(self._inputs))
        self._operations: list[_Operation] = []
        (self._result,) = _flattened(traced, range(len(self._slots)), self._slots, self._operations)
        self._plans: dict[tuple[str, ...], list[tuple[_Operation, tuple[tuple[int, int], ...]]]] = {}

    def __call__(self, p: Mapping[str, Any], x: Mapping[str, Any]) -> Array:
        """The value, of the shape that p and x broadcast to."""
        return self.with_slopes(p, x, ())[0]

    def with_slopes(self, p: Mapping[str, Any], x: Mapping[str, Any], by: Sequence[str]) -> tuple[Array, list[Array]]:
        """(value, its derivative by each parameter of `by`), of the shape that p and x broadcast to."""
        given = [np.asarray(p[n], np.float64) for n in self._parameters]
        given += [np.asarray(x[n], np.float64) for n in self._inputs]
        values = [*given, *self._slots[len(given) :]]
        slopes: list[Slopes] = [{}] * len(values)
        for i, name in enumerate(by):
            slopes[self._parameters.index(name)] = {i: np.ones(())}
        with np.errstate(all="ignore"):
            for operation, moved in self._plan(tuple(by)):
                rule, params, arguments, result = operation
                values[result], factors = rule(params, *[values[i] for i in arguments])
                if moved:
                    slopes[result] = _carried(factors(), moved, slopes)
        shape = np.broadcast_shapes(*(v.shape for v in given))
        found = slopes[self._result]
        return _whole(values[self._result], shape), [_whole(found.get(i, _ZERO), shape) for i in range(len(by))]

    def _plan(self, by: tuple[str, ...]) -> list[tuple["_Operation", tuple[tuple[int, int], ...]]]:
        """Each operation with the (place, slot) of its arguments that a parameter of `by` moves."""
        if by not in self._plans:
            moves = {self._parameters.index(name) for name in by}
            plan = []
            for operation in self._operations:
                arguments, result = operation[2:]
                moved = tuple((place, slot) for place, slot in enumerate(arguments) if slot in moves)
                if moved:
                    moves.add(result)
                plan.append((operation, moved))
            self._plans[by] = plan
        return self._plans[by]


_Operation = tuple[Any, Any, tuple[int, ...], int]  # rule, its settings, slots of its arguments, slot of its result
_ZERO = np.zeros(())


def _whole(value: Any, shape: tuple[int, ...]) -> Array:
    # np.broadcast_to takes as long as an operation, and most values have the shape already.
    return value if value.shape == shape else np.broadcast_to(value, shape)


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


def _flattened(
    traced: ClosedJaxpr, arguments: Sequence[int], slots: list[Any], operations: list[_Operation]
) -> list[int]:
    """Appends a program's constants and results to `slots`, its operations to `operations`; the slots it returns."""
    program = traced.jaxpr

    def constant(value: Any) -> int:
        slots.append(np.asarray(value))
        return len(slots) - 1

    places: dict[Var, int] = dict(zip(program.invars, arguments, strict=True))
    places |= {v: constant(c) for v, c in zip(program.constvars, traced.consts, strict=True)}

    def place(atom: Any) -> int:
        return constant(atom.val) if isinstance(atom, Literal) else places[atom]

    for equation in program.eqns:
        taken = tuple(place(atom) for atom in equation.invars)
        inner = _inner(equation)
        if inner is not None:
            results = _flattened(inner, taken, slots, operations)
        else:
            slots.append(None)
            results = [len(slots) - 1]
            operations.append((_RULES[equation.primitive.name], equation.params, taken, results[0]))
        places.update(zip(equation.outvars, results, strict=True))
    return [place(atom) for atom in program.outvars]


def _carried(factors: Sequence[Any], moved: Sequence[tuple[int, int]], slopes: Sequence[Slopes]) -> Slopes:
    """Derivatives of a result: those of its arguments times its own by each of them (None: 1)."""
    found: Slopes = {}
    for place, slot in moved:
        factor = factors[place]
        for i, slope in slopes[slot].items():
            part = slope if factor is None else factor * slope
            found[i] = found[i] + part if i in found else part
    return found


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
