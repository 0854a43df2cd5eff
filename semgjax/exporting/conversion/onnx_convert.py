"""A pure function of parameters and arrays as an ONNX model: its jaxpr, equation by equation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import onnx
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from onnx import helper

from semgjax.errors import InputError
from semgjax.exporting.conversion.onnx_dims import is_static
from semgjax.exporting.conversion.onnx_graph import Graph, Tensor
from semgjax.exporting.conversion.onnx_rules import RULES
from semgjax.model.plain_form import CALLS, inner_of, opened, plain

_SMALL = 4096
"""elements up to which a constant may grow when it is computed here"""


@dataclass(frozen=True)
class Port:
    """An input or output of the model.

    Attributes:
        value: shape and type; sizes may be symbols of `jax.export`.
        labels: names or numbers of the sizes in the file; None: those of `value`.
    """

    name: str
    value: jax.ShapeDtypeStruct
    labels: tuple[str | int, ...] | None = None


@dataclass(frozen=True)
class Symbol:
    """Where a symbol's size is read: it is that of an axis of an input, divided by `factor`."""

    port: str
    axis: int
    factor: int = 1


def convert(
    function: Callable[..., Any],
    params: Any,
    inputs: Sequence[Port],
    outputs: Mapping[str, tuple[str | int, ...] | None],
    symbols: Mapping[str, Symbol] | None = None,
    *,
    int8: bool = False,
) -> onnx.ModelProto:
    """`function` of (params, *inputs) as an ONNX model of the inputs; the parameters become constants.

    Args:
        outputs: names of its results, flattened, with their sizes in the file (None: those of the result).
        symbols: of each symbol in the sizes of the inputs.
        int8: store matrices and kernels of learned numbers as int8 (`semgjax.model.int8_scheme`).

    Raises:
        InputError: it uses a primitive that has no rule ("conflict").
    """
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), params)
    given = [port.value for port in inputs]
    closed = jax.make_jaxpr(plain(function, shapes, *given))(shapes, *given)
    graph, infos = Graph(int8), []
    learned = [_constant(np.asarray(leaf), True) for leaf in jax.tree.leaves(params)]
    values = [Tensor(port.name, port.value.shape, port.value.shape) for port in inputs]
    for port in inputs:
        infos.append(helper.make_tensor_value_info(port.name, _kind(port.value), port.labels or port.value.shape))
    for symbol, place in (symbols or {}).items():
        size = graph.emit("Shape", place.port, start=place.axis, end=place.axis + 1)
        graph.symbols[symbol] = size if place.factor == 1 else graph.emit("Div", size, np.array([place.factor]))
    consts = [_constant(np.asarray(const)) for const in closed.consts]
    results = _walk(graph, closed.jaxpr, consts, [*learned, *values])
    ends = []
    for (name, labels), tensor, value in zip(outputs.items(), results, closed.out_avals, strict=True):
        ends.append((tensor, helper.make_tensor_value_info(name, _kind(value), labels or tensor.shape)))
    return graph.model(infos, ends)


def _kind(value: Any) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype)))


def _constant(array: np.ndarray, learned: bool = False) -> Tensor:
    return Tensor(array, array.shape, array.shape, learned)


def _walk(graph: Graph, jaxpr: Jaxpr, consts: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """The results of a jaxpr."""
    known: dict[Any, Tensor] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *inputs], strict=True))

    def read(var: Any) -> Tensor:
        if not isinstance(var, Literal):
            return known[var]
        aval: Any = var.aval
        return _constant(np.asarray(var.val, aval.dtype))

    for eqn in jaxpr.eqns:
        values = [read(var) for var in eqn.invars]
        name = eqn.primitive.name
        if name in CALLS:
            results = _inlined(graph, inner_of(eqn), values)
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
    jaxpr, consts = opened(inner)
    return _walk(graph, jaxpr, [_constant(np.asarray(const)) for const in consts], values)


def _folded(eqn: Any, values: Sequence[Tensor]) -> list[Tensor] | None:
    """The results of an equation on learned constants, unless they are far larger; runtimes fold the other ones."""
    arrays = [value.data for value in values if isinstance(value.data, np.ndarray)]
    shapes = [*(var.aval.shape for var in eqn.outvars), *(value.shape for value in values)]
    if len(arrays) < len(values) or not all(is_static(dim) for shape in shapes for dim in shape):
        return None
    learned = any(value.learned for value in values)
    most = max(_SMALL, sum(array.size for array in arrays)) if learned else 1
    if not values or any(np.prod(shape) > most for shape in shapes):
        return None
    whole = [np.broadcast_to(np.asarray(value.data).reshape(value.held), value.shape) for value in values]
    name = eqn.primitive.name
    if name in _BY_NUMPY:
        return [_constant(_BY_NUMPY[name](whole[0], eqn.params), learned)]
    found = eqn.primitive.bind(*whole, **eqn.params)
    return [_constant(np.asarray(one), learned) for one in (found if eqn.primitive.multiple_results else [found])]


# JAX compiles every single one of these, and the parameters of each layer have some.
_BY_NUMPY: dict[str, Callable[[np.ndarray, Mapping[str, Any]], np.ndarray]] = {
    "slice": lambda x, p: x[tuple(map(slice, p["start_indices"], p["limit_indices"], p["strides"] or [1] * x.ndim))],
    "squeeze": lambda x, p: x.squeeze(tuple(p["dimensions"])),
    "reshape": lambda x, p: x.reshape(p["new_sizes"]),
    "transpose": lambda x, p: x.transpose(p["permutation"]),
    "convert_element_type": lambda x, p: x.astype(p["new_dtype"]),
}
