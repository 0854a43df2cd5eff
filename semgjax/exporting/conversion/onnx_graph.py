"""An ONNX graph while it is built: nodes without duplicates, constants, and tensors that are yet to be broadcast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from semgjax.exporting.conversion.onnx_dims import is_static, size_of
from semgjax.model.int8_scheme import int8_weights

OPSET, IR_VERSION = 18, 10
"""of 2022 and 2024: what runtimes of phones and browsers read"""
Shape = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of a jaxpr.

    Attributes:
        data: its name in the graph, or its constant.
        shape: its shape in the jaxpr.
        held: the shape of `data`: 1 where it is yet to be broadcast, which element-wise operators do by themselves.
        learned: whether it is a constant made of parameters.
    """

    data: np.ndarray | str
    shape: Shape
    held: Shape
    learned: bool = False


class Graph:
    """Nodes and constants so far; equal nodes are one.

    Args:
        int8: store matrices and kernels of learned numbers as int8.

    Attributes:
        symbols: the int64 [1] that holds each symbol of the sizes.
    """

    def __init__(self, int8: bool = False) -> None:
        self.symbols: dict[str, str] = {}
        self._int8 = int8
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._known: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def emit(self, op: str, *inputs: np.ndarray | str, **attributes: Any) -> str:
        """The one output of an operator."""
        return self.emit_many(op, 1, *inputs, **attributes)[0]

    def emit_many(self, op: str, outputs: int, *inputs: np.ndarray | str, **attributes: Any) -> tuple[str, ...]:
        """The outputs of an operator."""
        names = tuple(self.name(value) for value in inputs)
        key = (op, outputs, names, repr(sorted(attributes.items())))
        if key not in self._known:
            made = tuple(f"v{len(self._known)}_{number}" for number in range(outputs))
            self._nodes.append(helper.make_node(op, names, made, **attributes))
            self._known[key] = made
        return self._known[key]

    def name(self, value: np.ndarray | str) -> str:
        """The name of a value; a constant gets one."""
        if isinstance(value, str):
            return value
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._constants:
            self._constants[key] = f"c{len(self._constants)}"
            self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), self._constants[key]))
        return self._constants[key]

    def weight(self, value: np.ndarray | str, inner: Sequence[int]) -> np.ndarray | str:
        """A matrix or kernel of learned numbers, in int8 with a scale for each output if that is asked for.

        Args:
            inner: the axes that a product sums over.
        """
        if not self._int8 or isinstance(value, str):
            return value
        whole, scale = int8_weights(value, inner)
        outer = [axis for axis, size in enumerate(scale.shape) if size > 1]
        if len(outer) == 1:
            return self.emit("DequantizeLinear", whole, scale.reshape(-1), axis=outer[0])
        return self.emit("Mul", self.emit("Cast", whole, to=int(onnx.TensorProto.FLOAT)), scale)

    def sizes(self, shape: Sequence[Any]) -> np.ndarray | str:
        """Sizes as an int64 [rank]."""
        parts = [size_of(dim, self.symbols, self.emit) for dim in shape]
        if not parts:
            return np.zeros(0, np.int64)
        if all(isinstance(part, np.ndarray) for part in parts):
            return np.concatenate(parts)
        return self.emit("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]

    def full(self, tensor: Tensor) -> np.ndarray | str:
        """A value in its whole shape."""
        if tensor.held == tensor.shape:
            return tensor.data
        if isinstance(tensor.data, np.ndarray) and all(map(is_static, tensor.shape)):
            return np.ascontiguousarray(np.broadcast_to(tensor.data.reshape(tensor.held), tensor.shape))
        return self.emit("Expand", tensor.data, self.sizes(tensor.shape))

    def reshaped(self, data: np.ndarray | str, before: Shape, after: Shape) -> np.ndarray | str:
        """A value in another shape of as many elements."""
        if before == after:
            return data
        if isinstance(data, np.ndarray) and all(map(is_static, after)):
            return data.reshape(after)
        target = [0 if place < len(before) and dim == before[place] else dim for place, dim in enumerate(after)]
        open_sizes = [place for place, dim in enumerate(target) if not is_static(dim)]
        if len(open_sizes) == 1 and all(is_static(dim) for dim in target[: open_sizes[0]]):
            target[open_sizes[0]] = -1
        # A literal 0 copies the input's size, so a real one would be misread; no network has empty values.
        if all(map(is_static, target)) and 0 not in after:
            return self.emit("Reshape", data, np.array(target, np.int64))
        return self.emit("Reshape", data, self.sizes(after))

    def model(
        self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[tuple[Tensor, onnx.ValueInfoProto]]
    ) -> onnx.ModelProto:
        """The finished model; unused nodes and constants are left out."""
        ends = [helper.make_node("Identity", [self.name(self.full(tensor))], [info.name]) for tensor, info in outputs]
        needed = {name for node in ends for name in node.input}
        kept = []
        for node in reversed(self._nodes):
            if needed & set(node.output):
                kept.append(node)
                needed |= set(node.input)
        constants = [one for one in self._initializers if one.name in needed]
        graph = helper.make_graph([*reversed(kept), *ends], "semgjax", inputs, [i for _, i in outputs], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="semgjax")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model
