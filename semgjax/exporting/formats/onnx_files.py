"""Format onnx: offline.onnx for any number of rows and frames, and step.onnx if the network streams.

Inputs emg float32 and valid bool, output log_probs float32; the step also takes state_0, state_1, ... and gives
next_state_0, ... of the same shapes. Parameters are inside.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import export

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.exporting.conversion.portable import portable_offline
from semgjax.exporting.exported_programs import step_program
from semgjax.model import streaming
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.runtime.extras import need
from semgjax.runtime.program_names import program_name


def write(config: Network, params: Params, band: Band, window: WindowSpec, folder: Path, int8: bool = False) -> None:
    """Write the programs.

    Args:
        int8: store weights as int8, with a scale for each output.

    Raises:
        InputError: the packages onnx and onnxruntime are not installed ("missing-extra"), or the network uses an
            operation that has no rule ("conflict").
    """
    for package in ("onnx", "onnxruntime"):
        need(package, package, "onnx", "format onnx")
    from semgjax.exporting.conversion.onnx_convert import Port, Symbol, convert

    def save(name: Any, program: Any, *ports: Any) -> None:
        made = convert(program, params, *ports, int8=int8)
        (folder / program_name(name, {"format": "onnx", "int8": int8})).write_bytes(made.SerializeToString())

    def signal(rows: Any, samples: Any, *labels: Any) -> list[Port]:
        emg = jax.ShapeDtypeStruct((rows, samples, config.channels), jnp.float32)
        valid = jax.ShapeDtypeStruct((rows, samples), jnp.bool_)
        return [Port("emg", emg, (*labels, config.channels)), Port("valid", valid, labels)]

    folder.mkdir(parents=True, exist_ok=True)
    rows, frames = export.symbolic_shape("b, t")
    inputs = signal(rows, config.stride * frames, "rows", "samples")
    symbols = {"b": Symbol("emg", 0), "t": Symbol("emg", 1, config.stride)}
    ends = {"log_probs": ("rows", "frames", config.classes)}
    save("offline", portable_offline(config, any_length=True), inputs, ends, symbols)
    if streaming.why_not(config) is not None:
        return
    state = streaming.state_shapes(config)
    names = [f"state_{index}" for index in range(len(state))]
    ports = [Port(name, part) for name, part in zip(names, state, strict=True)]
    inputs = [*ports, *signal(1, config.stride, 1, config.stride)]
    results = {**{f"next_{name}": None for name in names}, "log_probs": None}
    save("step", step_program(config), inputs, results)
