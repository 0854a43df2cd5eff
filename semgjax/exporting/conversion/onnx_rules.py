"""Rules from JAX's primitives to ONNX operators; what has no rule here is refused by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import helper

from semgjax.errors import InputError
from semgjax.exporting.conversion.onnx_dims import is_static
from semgjax.exporting.conversion.onnx_graph import Graph, Shape, Tensor
from semgjax.exporting.conversion.onnx_products import convolution, product

Rule = Callable[[Graph, Sequence[Tensor], Sequence[Any], Mapping[str, Any]], list[Tensor]]


def _made(data: np.ndarray | str, shape: Shape) -> list[Tensor]:
    return [Tensor(data, tuple(shape), tuple(shape))]


# -- element by element -------------------------------------------------------------------------------------------


def _held(values: Sequence[Tensor], shape: Shape) -> Shape:
    """Sizes of an element-wise result before it is broadcast: 1 where all operands are."""
    whole = [value.held for value in values if value.held]
    return tuple(1 if all(held[axis] == 1 for held in whole) else dim for axis, dim in enumerate(shape))


def _elementwise(op: str) -> Rule:
    def rule(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
        shape = tuple(outputs[0].shape)
        return [Tensor(graph.emit(op, *(value.data for value in values)), shape, _held(values, shape))]

    return rule


def _chain(*ops: str) -> Rule:
    """Operators of one operand, one after the other."""

    def rule(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
        data = values[0].data
        for op in ops:
            data = graph.emit(op, data)
        return [Tensor(data, values[0].shape, values[0].held)]

    return rule


def _same(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    return [values[0]]


def _power(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    """A whole power: by products, which are more exact than exp and log."""
    x, y = values[0], params["y"]
    data: np.ndarray | str = x.data
    for _ in range(abs(y) - 1):
        data = graph.emit("Mul", data, x.data)
    if y == 0:
        raise InputError("the network takes a power of 0, which ONNX export has no rule for", "conflict")
    return [Tensor(graph.emit("Reciprocal", data) if y < 0 else data, x.shape, x.held)]


def _square(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    return _power(graph, values, outputs, {"y": 2})


def _select(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    which, *cases = values
    if len(cases) != 2:
        raise InputError("the network selects among more than two cases; use jnp.where for ONNX export", "conflict")
    shape = tuple(outputs[0].shape)
    return [Tensor(graph.emit("Where", which.data, cases[1].data, cases[0].data), shape, _held(values, shape))]


def _cast(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    x, kind = values[0], np.dtype(outputs[0].dtype)
    return [Tensor(graph.emit("Cast", x.data, to=int(helper.np_dtype_to_tensor_dtype(kind))), x.shape, x.held)]


def _clamp(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    low, x, high = values
    data = graph.emit("Min", graph.emit("Max", x.data, low.data), high.data)
    return [Tensor(data, x.shape, _held(values, x.shape))]


def _finite(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    x = values[0]
    odd = graph.emit("Or", graph.emit("IsNaN", x.data), graph.emit("IsInf", x.data))
    return [Tensor(graph.emit("Not", odd), x.shape, x.held)]


# -- shapes -------------------------------------------------------------------------------------------------------


def _broadcast(
    graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]
) -> list[Tensor]:
    """New axes of size 1; the rest is left to the operators."""
    x, shape, axes = values[0], tuple(outputs[0].shape), params["broadcast_dimensions"]
    held: list[Any] = [1] * len(shape)
    for axis, dim in zip(axes, x.held, strict=True):
        held[axis] = dim
    new = [axis for axis in range(len(shape)) if axis not in axes]
    if isinstance(x.data, np.ndarray):
        return [Tensor(np.expand_dims(x.data.reshape(x.held), new), shape, tuple(held))]
    return [Tensor(graph.emit("Unsqueeze", x.data, np.array(new, np.int64)) if new else x.data, shape, tuple(held))]


def _iota(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    shape, axis, kind = tuple(outputs[0].shape), params["dimension"], np.dtype(outputs[0].dtype)
    held = tuple(dim if place == axis else 1 for place, dim in enumerate(shape))
    if is_static(shape[axis]):
        return [Tensor(np.arange(shape[axis], dtype=kind).reshape(held), shape, held)]
    stop = graph.emit("Squeeze", graph.sizes([shape[axis]]), np.zeros(1, np.int64))
    count = graph.emit("Range", np.array(0, np.int64), stop, np.array(1, np.int64))
    data = graph.emit("Cast", count, to=int(helper.np_dtype_to_tensor_dtype(kind)))
    others = [place for place in range(len(shape)) if place != axis]
    return [Tensor(graph.emit("Unsqueeze", data, np.array(others, np.int64)) if others else data, shape, held)]


def _reshape(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    if params.get("dimensions") is not None:
        raise InputError("the network reshapes in another order of axes; transpose first for ONNX export", "conflict")
    shape = tuple(outputs[0].shape)
    return _made(graph.reshaped(graph.full(values[0]), values[0].shape, shape), shape)


def _squeeze(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    axes = np.array(params["dimensions"], np.int64)
    return _made(graph.emit("Squeeze", graph.full(values[0]), axes), outputs[0].shape)


def _transpose(
    graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]
) -> list[Tensor]:
    order, x = params["permutation"], values[0]
    held = tuple(x.held[axis] for axis in order)
    return [Tensor(graph.emit("Transpose", x.data, perm=list(order)), tuple(outputs[0].shape), held)]


def _concatenate(
    graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]
) -> list[Tensor]:
    axis = params["dimension"]
    parts = [graph.full(value) for value in values if not (is_static(value.shape[axis]) and value.shape[axis] == 0)]
    return _made(parts[0] if len(parts) == 1 else graph.emit("Concat", *parts, axis=axis), outputs[0].shape)


def _stack(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    axis = params["axis"]
    parts = [graph.emit("Unsqueeze", graph.full(value), np.array([axis], np.int64)) for value in values]
    return _made(graph.emit("Concat", *parts, axis=axis), outputs[0].shape)


def _split(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    sizes, axis = np.array(params["sizes"], np.int64), params["axis"]
    parts = graph.emit_many("Split", len(sizes), graph.full(values[0]), sizes, axis=axis)
    return [one for part, output in zip(parts, outputs, strict=True) for one in _made(part, output.shape)]


def _cut(
    graph: Graph, x: Tensor, starts: Sequence[Any], stops: Sequence[Any], steps: Sequence[int] | None, shape: Shape
) -> list[Tensor]:
    axes = [a for a, dim in enumerate(x.shape) if not (dim == shape[a] and is_static(starts[a]) and starts[a] == 0)]
    if not axes:
        return _made(graph.full(x), shape)
    ends = [graph.sizes([part[axis] for axis in axes]) for part in (starts, stops)]
    strides = np.array([1 if steps is None else steps[axis] for axis in axes], np.int64)
    return _made(graph.emit("Slice", graph.full(x), *ends, np.array(axes, np.int64), strides), shape)


def _slice(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    starts, stops, steps = (params[name] for name in ("start_indices", "limit_indices", "strides"))
    return _cut(graph, values[0], starts, stops, steps, tuple(outputs[0].shape))


def _dynamic_slice(
    graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]
) -> list[Tensor]:
    x, *places = values
    starts = [_whole_number(place) for place in places]
    stops = [start + size for start, size in zip(starts, params["slice_sizes"], strict=True)]
    return _cut(graph, x, starts, stops, None, tuple(outputs[0].shape))


def _whole_number(value: Tensor) -> int:
    if not isinstance(value.data, np.ndarray):
        raise InputError("the network slices at a place that it computes; ONNX export needs a fixed one", "conflict")
    return int(value.data.reshape(()))


def _gather(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    """Two forms, those of slices of dynamic arrays: a stretch from a fixed place on, and chosen places of one axis."""
    x, places = values
    numbers, sizes, shape = params["dimension_numbers"], params["slice_sizes"], tuple(outputs[0].shape)
    taken, axes = numbers.collapsed_slice_dims, numbers.start_index_map
    rank, plain = len(x.shape), not numbers.operand_batching_dims
    if plain and not taken and len(places.shape) == 1 and numbers.offset_dims == tuple(range(rank)):
        if isinstance(places.data, np.ndarray):
            starts: list[Any] = [0] * rank
            for axis, place in zip(axes, np.broadcast_to(places.data, places.shape), strict=True):
                starts[axis] = int(place)
            stops = [start + size for start, size in zip(starts, sizes, strict=True)]
            return _cut(graph, x, starts, stops, None, shape)
    elif plain and taken == axes and len(taken) == 1 and len(places.shape) == 2:
        others = tuple(axis for axis in range(rank) if axis != taken[0])
        safe = "PROMISE_IN_BOUNDS" in str(params["mode"])
        if safe and numbers.offset_dims == others and all(sizes[axis] == x.shape[axis] for axis in others):
            chosen = graph.reshaped(graph.full(places), places.shape, places.shape[:1])
            return _made(graph.emit("Gather", graph.full(x), chosen, axis=taken[0]), shape)
    raise InputError("the network gathers in a way that ONNX export has no rule for; use slices", "conflict")


def _pad(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    x, value = values
    lows, highs, gaps = zip(*params["padding_config"], strict=True)
    if any(gaps) or any(is_static(size) and size < 0 for size in (*lows, *highs)):
        raise InputError("the network pads between elements or cuts by padding; use slices for ONNX export", "conflict")
    data = graph.emit("Pad", graph.full(x), graph.sizes([*lows, *highs]), graph.full(value), mode="constant")
    return _made(data, outputs[0].shape)


def _reverse(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    axes = np.array(params["dimensions"], np.int64)
    ends = (np.full(len(axes), value, np.int64) for value in (-1, np.iinfo(np.int64).min, -1))
    first, last, step = ends
    return _made(graph.emit("Slice", graph.full(values[0]), first, last, axes, step), outputs[0].shape)


# -- sums ---------------------------------------------------------------------------------------------------------


def _reduce(op: str, cast: bool = False) -> Rule:
    """A reduction over axes; of truth values as numbers."""

    def rule(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
        data, axes = graph.full(values[0]), np.array(params["axes"], np.int64)
        if not cast:
            return _made(graph.emit(op, data, axes, keepdims=0), outputs[0].shape)
        found = graph.emit(op, graph.emit("Cast", data, to=int(helper.np_dtype_to_tensor_dtype(np.dtype(np.int32)))),
                           axes, keepdims=0)  # fmt: skip
        return _made(graph.emit("Cast", found, to=int(helper.np_dtype_to_tensor_dtype(np.dtype(bool)))),
                     outputs[0].shape)  # fmt: skip

    return rule


def _cumulated(
    graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]
) -> list[Tensor]:
    axis, reverse = np.array(params["axis"], np.int64), int(params["reverse"])
    return _made(graph.emit("CumSum", graph.full(values[0]), axis, reverse=reverse), outputs[0].shape)


RULES: dict[str, Rule] = {
    **{name: _elementwise(op) for name, op in {
        "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "max": "Max", "min": "Min", "pow": "Pow",
        "and": "And", "or": "Or", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual",
        "eq": "Equal", "add_any": "Add", "rem": "Mod",
    }.items()},
    **{name: _chain(*ops) for name, ops in {
        "exp": ("Exp",), "log": ("Log",), "tanh": ("Tanh",), "abs": ("Abs",), "neg": ("Neg",), "sqrt": ("Sqrt",),
        "rsqrt": ("Sqrt", "Reciprocal"), "logistic": ("Sigmoid",), "erf": ("Erf",), "sin": ("Sin",), "cos": ("Cos",),
        "sign": ("Sign",), "floor": ("Floor",), "ceil": ("Ceil",), "not": ("Not",),
    }.items()},
    **{name: _same for name in ("stop_gradient", "name", "copy", "copy_p", "reduce_precision")},
    "integer_pow": _power, "square": _square, "select_n": _select, "convert_element_type": _cast, "clamp": _clamp,
    "is_finite": _finite, "broadcast_in_dim": _broadcast, "iota": _iota, "reshape": _reshape, "squeeze": _squeeze,
    "transpose": _transpose, "concatenate": _concatenate, "stack": _stack, "split": _split, "slice": _slice,
    "dynamic_slice": _dynamic_slice, "gather": _gather, "pad": _pad, "rev": _reverse, "cumsum": _cumulated,
    "reduce_sum": _reduce("ReduceSum"), "reduce_max": _reduce("ReduceMax"), "reduce_min": _reduce("ReduceMin"),
    "reduce_prod": _reduce("ReduceProd"), "reduce_or": _reduce("ReduceMax", cast=True),
    "reduce_and": _reduce("ReduceMin", cast=True),
    "dot_general": product, "conv_general_dilated": convolution,
}  # fmt: skip
