"""A JAX function in the plain form that converters read: calls inlined, scans unrolled, chosen primitives replaced."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from semgjax.errors import InputError

Replace = Callable[[Any, Sequence[Any], Sequence[bool]], list[Any]]
"""(equation, its values, which of them depend on the parameters alone) -> its results"""

CALLS = ("jit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2")
"""primitives that call a jaxpr once"""
_INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_NAMES = ("name", "stop_gradient", "copy", "copy_p")
"""what gives its operand"""
_MOST_TURNS = 256


def plain(
    function: Callable[..., Any], params: Any, *inputs: Any, replaced: Mapping[str, Replace] | None = None
) -> Callable[..., Any]:
    """`function` of (params, *inputs), as a function of the same arguments without calls and scans.

    Args:
        params: parameters, or their shapes and types; the first argument.
        inputs: shapes and types of the other arguments; sizes may be symbols of `jax.export`.
        replaced: what stands for a primitive, by its name.

    Raises:
        InputError: a scan of more than 256 steps, or of a number that is not fixed ("conflict").
    """
    closed, shape = jax.make_jaxpr(function, return_shape=True)(params, *inputs)
    count = len(jax.tree.leaves(params))
    walk = _Walk(replaced or {})

    def run(params: Any, *inputs: Any) -> Any:
        values = [*jax.tree.leaves(params), *jax.tree.leaves(inputs)]
        learned = [place < count for place in range(len(values))]
        found, _ = walk.call(closed, values, learned)
        return jax.tree.unflatten(jax.tree.structure(shape), found)

    return run


def inner_of(eqn: Any) -> ClosedJaxpr | Jaxpr:
    """The jaxpr that a call calls."""
    return next(eqn.params[key] for key in _INNER if key in eqn.params)


class _Walk:
    """Evaluates jaxprs; beside each value, whether it depends on the parameters and on nothing else that varies."""

    def __init__(self, replaced: Mapping[str, Replace]) -> None:
        self._replaced = replaced

    def call(
        self, inner: ClosedJaxpr | Jaxpr, values: Sequence[Any], learned: Sequence[bool]
    ) -> tuple[list[Any], list[bool]]:
        """The results of a jaxpr."""
        jaxpr, consts = (inner, []) if isinstance(inner, Jaxpr) else (inner.jaxpr, inner.consts)
        known: dict[Any, tuple[Any, bool | None]] = {
            **{var: (value, None) for var, value in zip(jaxpr.constvars, consts, strict=True)},
            **{var: pair for var, *pair in zip(jaxpr.invars, values, learned, strict=True)},  # type: ignore[misc]
        }

        def read(var: Any) -> tuple[Any, bool | None]:
            return (var.val, None) if isinstance(var, Literal) else known[var]

        for eqn in jaxpr.eqns:
            pairs = [read(var) for var in eqn.invars]
            given, flags = [value for value, _ in pairs], [flag for _, flag in pairs]
            name = eqn.primitive.name
            if name in CALLS:
                results, marks = self.call(inner_of(eqn), given, flags)  # type: ignore[arg-type]
            elif name == "scan":
                results, marks = self._unrolled(eqn.params, given, flags)
            else:
                mark = _together(flags)
                if name in self._replaced:
                    results = self._replaced[name](eqn, given, [flag is True for flag in flags])
                elif name in _NAMES:
                    results = given
                else:
                    results = _results(eqn, given)
                marks = [mark] * len(results)  # type: ignore[list-item]
            known.update(zip(eqn.outvars, zip(results, marks, strict=True), strict=True))
        ends = [read(var) for var in jaxpr.outvars]
        return [value for value, _ in ends], [mark for _, mark in ends]  # type: ignore[misc]

    def _unrolled(
        self, params: Mapping[str, Any], values: Sequence[Any], flags: Sequence[Any]
    ) -> tuple[list[Any], list[bool]]:
        length, fixed, carried = params["length"], params["num_consts"], params["num_carry"]
        if not isinstance(length, int) or length > _MOST_TURNS:
            raise InputError(
                f"the network scans over {length} steps, of which this format can hold at most {_MOST_TURNS}; export "
                "it as stablehlo",
                "conflict",
            )
        carry, marks = list(values[fixed : fixed + carried]), list(flags[fixed : fixed + carried])
        turns: dict[int, list[Any]] = {}
        row_marks: list[Any] = []
        for turn in range(length)[:: -1 if params["reverse"] else 1]:
            rows = [value[turn] for value in values[fixed + carried :]]
            found, now = self.call(
                params["jaxpr"], [*values[:fixed], *carry, *rows], [*flags[:fixed], *marks, *flags[fixed + carried :]]
            )
            carry, marks, turns[turn], row_marks = found[:carried], now[:carried], found[carried:], now[carried:]
        stacked = [
            jax.numpy.stack([turns[turn][place] for turn in range(length)]) for place in range(len(row_marks))
        ]
        return [*carry, *stacked], [*marks, *row_marks]


def _results(eqn: Any, values: Sequence[Any]) -> list[Any]:
    """An equation's results; of constants they are constants, not steps of the program."""
    constant = not any(isinstance(value, jax.core.Tracer) for value in values)
    with jax.ensure_compile_time_eval() if constant and _fixed(eqn) else contextlib.nullcontext():
        found = eqn.primitive.bind(*values, **eqn.params)
    return list(found) if eqn.primitive.multiple_results else [found]


def _fixed(eqn: Any) -> bool:
    return all(isinstance(dim, int) for var in eqn.outvars for dim in var.aval.shape)


def _together(flags: Sequence[bool | None]) -> bool | None:
    """Of parameters alone (True), of inputs too (False), or of nothing that varies (None)."""
    return False if False in flags else (True if True in flags else None)
