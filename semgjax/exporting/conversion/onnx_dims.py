"""Sizes that are known only at run time: expressions over the symbols of `jax.export.symbolic_shape`, as nodes."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from semgjax.errors import InputError

Emit = Callable[..., str]
"""(operator, inputs) -> name of its output"""

_OPERATORS: dict[type, str] = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}


def is_static(dim: Any) -> bool:
    """Whether a size is a number."""
    return isinstance(dim, int | np.integer)


def size_of(dim: Any, symbols: Mapping[str, str], emit: Emit) -> np.ndarray | str:
    """A size as an int64 [1]: a constant, or the name of what computes it.

    Args:
        dim: a number, or an expression whose text is arithmetic, as "20*t + 1" or "floordiv(t, 4)".
        symbols: the int64 [1] that holds each symbol.

    Raises:
        InputError: the expression holds something else ("conflict").
    """

    def walk(node: ast.expr) -> np.ndarray | str:
        match node:
            case ast.Constant(value=int() as value):
                return np.array([value], np.int64)
            case ast.Name(id=name) if name in symbols:
                return symbols[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return emit("Neg", walk(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return emit(_OPERATORS[type(op)], walk(left), walk(right))
            case ast.Call(func=ast.Name(id="floordiv"), args=[left, right]):
                # ONNX rounds towards zero; sizes and their divisors are not negative.
                return emit("Div", walk(left), walk(right))
            case ast.Call(func=ast.Name(id="mod"), args=[left, right]):
                return emit("Mod", walk(left), walk(right))
            case ast.Call(func=ast.Name(id="max" | "min" as name), args=[left, right]):
                return emit(name.capitalize(), walk(left), walk(right))
            case _:
                raise InputError(f"a size of the network is {dim}, which ONNX export does not know", "conflict")

    return np.array([dim], np.int64) if is_static(dim) else walk(ast.parse(str(dim), mode="eval").body)
