"""A JAX function as a LiteRT program: StableHLO of `jax.export`, then the passes of litert-converter 0.5.0."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax import export

from semgjax.errors import InputError, first_line
from semgjax.model.plain_form import Replace, plain


def to_litert(
    function: Callable[..., Any],
    params: Any,
    inputs: Sequence[jax.ShapeDtypeStruct],
    names: Sequence[str],
    results: Sequence[str],
    replaced: Mapping[str, Replace],
) -> bytes:
    """`function` of (params, *inputs) as a program of the inputs, of fixed shapes; the parameters become constants.

    Args:
        names, results: names of inputs and results in its signature.
        replaced: see `semgjax.model.plain_form.plain`.

    Raises:
        InputError: the converter cannot write it ("conflict").
    """
    with _quiet():
        from litert_converter import converter_api_ext as converter
        from litert_converter.mlir import ir, passmanager

    params = jax.tree.map(np.asarray, params)
    flat = plain(function, params, *inputs, replaced=replaced)
    exported = export.export(jax.jit(lambda *given: flat(params, *given)), platforms=["cpu"])(*inputs)
    context = ir.Context()
    converter.prepare_mlir_context(context)
    try:
        with context:
            module = ir.Module.parse(exported.mlir_module())
            main = next(part for part in module.body.operations if part.attributes["sym_name"].value == "main")
            converter.set_signature(main, "serving_default", list(names), list(results))
            passes = passmanager.PassManager()
            converter.run_convert_to_tfl_passes(module, passes, converter.ConvertToTFLConfig())
            return bytes(converter.export_flatbuffer_to_bytes(module.operation))
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"litert-converter cannot write this network ({first_line(error)}); export it as onnx or stablehlo",
            "conflict",
        ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Importing the converter would print a remark on oneDNN."""
    name = "TF_ENABLE_ONEDNN_OPTS"
    before = os.environ.get(name)
    os.environ[name] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
