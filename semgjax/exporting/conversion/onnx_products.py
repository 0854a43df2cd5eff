"""Products and convolutions of a jaxpr as ONNX operators: MatMul and Conv, whose weights can be made int8."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.exporting.conversion.onnx_graph import Graph, Shape, Tensor


def product(graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]) -> list[Tensor]:
    """dot_general: both sides as [batch, rows, inner] and [batch, inner, columns]."""
    (inner_l, inner_r), (batch_l, batch_r) = params["dimension_numbers"]
    left, right = values
    free_l = [axis for axis in range(len(left.shape)) if axis not in (*inner_l, *batch_l)]
    free_r = [axis for axis in range(len(right.shape)) if axis not in (*inner_r, *batch_r)]
    shape = tuple(outputs[0].shape)
    rows, columns = ([x.shape[axis] for axis in axes] for x, axes in ((left, free_l), (right, free_r)))
    batch = [left.shape[axis] for axis in batch_l]
    # Free axes of the left stay apart where the right has no batch: MatMul takes them as they are.
    apart = not batch and len(free_l) >= 1
    one_row, one_column = (1,), (1,)
    x = _moved(graph, left, [*batch_l, *free_l, *inner_l], [len(batch_l), len(free_l), len(inner_l)], apart)
    y = _moved(graph, right, [*batch_r, *inner_r, *free_r], [len(batch_r), len(inner_r), len(free_r)], False)
    if left.learned:
        x = graph.weight(x, [-1])
    if right.learned:
        y = graph.weight(y, [-2])
    data = graph.emit("MatMul", x, y)
    row_sizes = tuple(rows) if apart else (_times(rows) if rows else one_row)
    column_sizes = _times(columns) if columns else one_column
    return [Tensor(graph.reshaped(data, (*batch, *row_sizes, *column_sizes), shape), shape, shape)]


def _moved(graph: Graph, x: Tensor, order: Sequence[int], counts: Sequence[int], apart: bool) -> np.ndarray | str:
    """Axes in order, and each of the last two groups as one axis (`apart`: the middle group as it is)."""
    data = graph.full(x)
    if list(order) != list(range(len(order))):
        if isinstance(data, np.ndarray):
            data = np.ascontiguousarray(data.transpose(order))
        else:
            data = graph.emit("Transpose", data, perm=list(order))
    moved = tuple(x.shape[axis] for axis in order)
    first, middle = counts[0], counts[0] + counts[1]
    joined_middle = moved[first:middle] if apart else _times(moved[first:middle])
    return graph.reshaped(data, moved, (*moved[:first], *joined_middle, *_times(moved[middle:])))


def _times(sizes: Sequence[Any]) -> Shape:
    """One size for all of these."""
    total: Any = 1
    for size in sizes:
        total = total * size
    return (total,)


def convolution(
    graph: Graph, values: Sequence[Tensor], outputs: Sequence[Any], params: Mapping[str, Any]
) -> list[Tensor]:
    """conv_general_dilated: axes in ONNX's order, Conv, and back."""
    if params["batch_group_count"] != 1 or any(size != 1 for size in params["lhs_dilation"]):
        raise InputError(
            "the network uses a transposed or batch-grouped convolution, which ONNX export lacks", "conflict"
        )
    numbers = params["dimension_numbers"]
    x = graph.full(values[0])
    kernel = graph.full(values[1])
    x = graph.emit("Transpose", x, perm=list(numbers.lhs_spec))
    if isinstance(kernel, np.ndarray):
        kernel = np.ascontiguousarray(kernel.transpose(numbers.rhs_spec))
        kernel = graph.weight(kernel, range(1, kernel.ndim)) if values[1].learned else kernel
    else:
        kernel = graph.emit("Transpose", kernel, perm=list(numbers.rhs_spec))
    lows, highs = zip(*params["padding"], strict=True)
    data = graph.emit(
        "Conv",
        x,
        kernel,
        strides=[int(size) for size in params["window_strides"]],
        dilations=[int(size) for size in params["rhs_dilation"]],
        pads=[int(size) for size in (*lows, *highs)],
        group=int(params["feature_group_count"]),
    )
    shape = tuple(outputs[0].shape)
    back = list(np.argsort(numbers.out_spec))
    return [Tensor(graph.emit("Transpose", data, perm=[int(axis) for axis in back]), shape, shape)]
