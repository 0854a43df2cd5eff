"""A JAX function in the plain form that converters read: calls inlined, scans unrolled, chosen primitives replaced."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from semgjax.errors import InputError

Replace = Callable[[Any, Sequence[Any], Sequence[bool]], list[Any]]
"""(equation, its values, which of them are made of parameters alone) -> its results"""
Marked = tuple[Any, bool | None]
"""a value, and whether it is made of parameters alone (True), of inputs too (False) or of nothing that varies (None)"""

CALLS = ("jit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2")
"""primitives that call a jaxpr once"""
_INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_MOST_TURNS = 256


def plain(
    function: Callable[..., Any],
    params: Any,
    *inputs: Any,
    replaced: Mapping[str, Replace] | None = None,
    differentiable: bool = False,
) -> Callable[..., Any]:
    """`function` of (params, *inputs), as a function of the same arguments without calls and scans.

    Args:
        params: parameters, or their shapes and types; the first argument.
        inputs: shapes and types of the other arguments; sizes may be symbols of `jax.export`.
        replaced: what stands for a primitive, by its name.
        differentiable: keep calls and scans that take no parameters, with the derivatives that they define.

    Raises:
        InputError: a scan of more than 256 steps, or of a number that is not fixed ("conflict").
    """
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), (params, *inputs))
    closed, shape = jax.make_jaxpr(function, return_shape=True)(*shapes)
    count = len(jax.tree.leaves(params))
    walk = _Walk(replaced or {}, differentiable)

    def run(params: Any, *inputs: Any) -> Any:
        values = [*jax.tree.leaves(params), *jax.tree.leaves(inputs)]
        found = walk.call(closed, [(value, place < count) for place, value in enumerate(values)])
        return jax.tree.unflatten(jax.tree.structure(shape), [value for value, _ in found])

    return run


def inner_of(eqn: Any) -> ClosedJaxpr | Jaxpr:
    """The jaxpr that a call calls."""
    return next(eqn.params[key] for key in _INNER if key in eqn.params)


def opened(inner: ClosedJaxpr | Jaxpr) -> tuple[Jaxpr, Sequence[Any]]:
    """A jaxpr and its constants; from JAX 0.12 on, open and closed ones are of one class."""
    return (inner.jaxpr, inner.consts) if isinstance(inner, ClosedJaxpr) else (inner, [])


def scan_inputs(params: Mapping[str, Any], values: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """A scan's constants, its first carry and its rows, in the forms of JAX 0.10 and 0.12."""
    if "num_consts" in params:
        fixed, carried = params["num_consts"], params["num_carry"]
        return list(values[:fixed]), list(values[fixed : fixed + carried]), list(values[fixed + carried :])
    consts, carry, rows = params["ft_in"].update(values).unpack()
    return list(consts), list(carry), list(rows)


class _Walk:
    """Evaluates jaxprs."""

    def __init__(self, replaced: Mapping[str, Replace], differentiable: bool) -> None:
        self._replaced = replaced
        self._differentiable = differentiable

    def call(self, inner: ClosedJaxpr | Jaxpr, inputs: Sequence[Marked]) -> list[Marked]:
        """The results of a jaxpr."""
        jaxpr, consts = opened(inner)
        known: dict[Any, Marked] = dict(zip(jaxpr.invars, inputs, strict=True))
        known |= {var: (value, None) for var, value in zip(jaxpr.constvars, consts, strict=True)}

        def read(var: Any) -> Marked:
            return (var.val, None) if isinstance(var, Literal) else known[var]

        for eqn in jaxpr.eqns:
            known.update(zip(eqn.outvars, self._step(eqn, [read(var) for var in eqn.invars]), strict=True))
        return [read(var) for var in jaxpr.outvars]

    def _step(self, eqn: Any, marked: Sequence[Marked]) -> list[Marked]:
        """The results of an equation."""
        name, marks = eqn.primitive.name, [mark for _, mark in marked]
        kept = self._differentiable and True not in marks
        if name in CALLS and not kept:
            return self.call(inner_of(eqn), marked)
        if name == "scan" and not kept:
            return self._unrolled(eqn.params, marked)
        values = [value for value, _ in marked]
        if name in self._replaced:
            results = self._replaced[name](eqn, values, [mark is True for mark in marks])
        else:
            results = _results(eqn, values)
        together = False if False in marks else (True if True in marks else None)
        return [(result, together) for result in results]

    def _unrolled(self, params: Mapping[str, Any], marked: Sequence[Marked]) -> list[Marked]:
        length = params["length"]
        if not isinstance(length, int) or length > _MOST_TURNS:
            raise InputError(
                f"the network scans over {length} steps, of which this format can hold at most {_MOST_TURNS}; export "
                "it as stablehlo",
                "conflict",
            )
        consts, carry, rows = scan_inputs(params, marked)
        turns: dict[int, list[Marked]] = {}
        for turn in range(length)[:: -1 if params["reverse"] else 1]:
            row = [(value[turn], mark) for value, mark in rows]
            found = self.call(params["jaxpr"], [*consts, *carry, *row])
            carry, turns[turn] = found[: len(carry)], found[len(carry) :]
        columns = zip(*(turns[turn] for turn in range(length)), strict=True)
        stacked = [(jax.numpy.stack([value for value, _ in column]), column[0][1]) for column in columns]
        return [*carry, *stacked]


def _results(eqn: Any, values: Sequence[Any]) -> list[Any]:
    """An equation's results; of constants they are constants, not steps of the program."""
    constant = not any(isinstance(value, jax.core.Tracer) for value in values)
    fixed = all(isinstance(dim, int) for var in eqn.outvars for dim in var.aval.shape)
    if eqn.primitive.name == "dim_as_value":
        raise InputError(
            "the network computes with a size that is known only when it runs; export it as stablehlo", "conflict"
        )
    with jax.ensure_compile_time_eval() if constant and fixed else contextlib.nullcontext():
        found = eqn.primitive.bind(*values, **eqn.primitive.get_bind_params(eqn.params))
    return list(found) if eqn.primitive.multiple_results else [found]
