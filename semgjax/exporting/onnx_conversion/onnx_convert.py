"""A pure function of arrays as an ONNX model: its jaxpr, equation by equation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import onnx
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from onnx import helper

from semgjax.errors import InputError
from semgjax.exporting.onnx_conversion.onnx_dims import is_static
from semgjax.exporting.onnx_conversion.onnx_graph import Graph, Tensor
from semgjax.exporting.onnx_conversion.onnx_rules import RULES

_INLINED = ("jit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2")
_INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_SMALL = 4096
"""elements up to which a constant may grow when it is computed here"""
_MOST_TURNS = 256
"""of a scan, which is unrolled"""


@dataclass(frozen=True)
class Port:
    """An input of the model: its shape, whose text sizes become the names of dynamic sizes."""

    name: str
    value: jax.ShapeDtypeStruct
    labels: tuple[Any, ...] | None = None
    """names or numbers of the sizes in the file (default: those of `value`)"""


def convert(
    function: Callable[..., Any],
    ports: Sequence[Port],
    outputs: Mapping[str, tuple[Any, ...] | None],
    symbols: Mapping[str, tuple[str, int, int]] | None = None,
) -> onnx.ModelProto:
    """`function` of the ports' values as an ONNX model; arrays that it closes over become constants.

    Args:
        outputs: names of its results, flattened, with their sizes in the file (None: those of the result).
        symbols: of each symbol in the ports' sizes, the port, the axis and the factor by which that size is larger.

    Raises:
        InputError: it uses a primitive that has no rule ("conflict").
    """
    closed = jax.make_jaxpr(function)(*(port.value for port in ports))
    graph, infos, values = Graph(), [], []
    for port in ports:
        kind, shape = helper.np_dtype_to_tensor_dtype(np.dtype(port.value.dtype)), port.value.shape
        infos.append(helper.make_tensor_value_info(port.name, kind, port.labels or shape))
        values.append(Tensor(port.name, shape, shape))
    for symbol, (port_name, axis, factor) in (symbols or {}).items():
        size = graph.emit("Shape", port_name, start=axis, end=axis + 1)
        graph.symbols[symbol] = size if factor == 1 else graph.emit("Div", size, np.array([factor], np.int64))
    results = _walk(graph, closed.jaxpr, [_constant(np.asarray(const)) for const in closed.consts], values)
    ends = []
    for (name, labels), tensor, var in zip(outputs.items(), results, closed.jaxpr.outvars, strict=True):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(var.aval.dtype))
        ends.append((tensor, helper.make_tensor_value_info(name, kind, labels or tensor.shape)))
    return graph.model(infos, ends)


def _constant(array: np.ndarray) -> Tensor:
    return Tensor(array, array.shape, array.shape)


def _walk(graph: Graph, jaxpr: Jaxpr, consts: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """The results of a jaxpr."""
    known: dict[Any, Tensor] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *inputs], strict=True))

    def read(var: Any) -> Tensor:
        return _constant(np.asarray(var.val, var.aval.dtype)) if isinstance(var, Literal) else known[var]

    for eqn in jaxpr.eqns:
        values = [read(var) for var in eqn.invars]
        name = eqn.primitive.name
        if name in _INLINED:
            inner = next(eqn.params[key] for key in _INNER if key in eqn.params)
            results = _inlined(graph, inner, values)
        elif name == "scan":
            results = _unrolled(graph, eqn.params, values)
        elif (folded := _folded(eqn, values)) is not None:
            results = folded
        elif name in RULES:
            results = RULES[name](graph, values, [var.aval for var in eqn.outvars], eqn.params)
        else:
            raise InputError(
                f"the network uses the JAX primitive {name!r}, which ONNX export has no rule for; export it as "
                "stablehlo, or write that part with other operations",
                "conflict",
            )
        known.update(zip(eqn.outvars, results, strict=True))
    return [read(var) for var in jaxpr.outvars]


def _inlined(graph: Graph, inner: ClosedJaxpr | Jaxpr, values: Sequence[Tensor]) -> list[Tensor]:
    if isinstance(inner, Jaxpr):
        return _walk(graph, inner, [], values)
    return _walk(graph, inner.jaxpr, [_constant(np.asarray(const)) for const in inner.consts], values)


def _folded(eqn: Any, values: Sequence[Tensor]) -> list[Tensor] | None:
    """The results of an equation on constants, unless they are dynamic or far larger than what they are made of."""
    shapes = [var.aval.shape for var in eqn.outvars]
    arrays = [value.data for value in values]
    if not all(isinstance(array, np.ndarray) for array in arrays) or not values:
        return None
    if not all(is_static(dim) for shape in (*shapes, *(value.shape for value in values)) for dim in shape):
        return None
    limit = max(_SMALL, sum(array.size for array in arrays if isinstance(array, np.ndarray)))
    if any(np.prod(shape) > limit for shape in (*shapes, *(value.shape for value in values))):
        return None
    whole = [np.broadcast_to(np.asarray(value.data).reshape(value.held), value.shape) for value in values]
    found = eqn.primitive.bind(*whole, **eqn.params)
    return [_constant(np.asarray(one)) for one in (found if eqn.primitive.multiple_results else [found])]


def _unrolled(graph: Graph, params: Mapping[str, Any], values: Sequence[Tensor]) -> list[Tensor]:
    """A scan, one turn after the other."""
    length, fixed, carried = params["length"], params["num_consts"], params["num_carry"]
    if not is_static(length) or length > _MOST_TURNS:
        raise InputError(
            f"the network scans over {length} steps, and ONNX export unrolls at most {_MOST_TURNS}; export it as "
            "stablehlo",
            "conflict",
        )
    consts, carry, rows = values[:fixed], list(values[fixed : fixed + carried]), values[fixed + carried :]
    order = range(length)[::-1] if params["reverse"] else range(length)
    turns: dict[int, list[Tensor]] = {}
    for turn in order:
        row = [_row(graph, value, turn) for value in rows]
        found = _inlined(graph, params["jaxpr"], [*consts, *carry, *row])
        carry, turns[turn] = found[:carried], found[carried:]
    stacked = [_stacked(graph, [turns[turn][place] for turn in range(length)]) for place in range(len(turns[0]))]
    return [*carry, *stacked]


def _row(graph: Graph, value: Tensor, turn: int) -> Tensor:
    whole = graph.full(value)
    if isinstance(whole, np.ndarray):
        return _constant(whole[turn])
    return Tensor(graph.emit("Gather", whole, np.array(turn, np.int64), axis=0), value.shape[1:], value.shape[1:])


def _stacked(graph: Graph, parts: Sequence[Tensor]) -> Tensor:
    shape = (len(parts), *parts[0].shape)
    rows = [graph.emit("Unsqueeze", graph.full(part), np.zeros(1, np.int64)) for part in parts]
    return Tensor(graph.emit("Concat", *rows, axis=0), shape, shape)
