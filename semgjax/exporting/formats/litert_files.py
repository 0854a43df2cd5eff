"""Format litert (experimental): offline.tflite for one window of the run's length, and step.tflite if it streams.

Names of inputs and outputs are those of format onnx; all shapes are fixed. LiteRT's converter has no documented
interface, so its version is pinned.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.exporting.conversion.portable import matrix_products, portable_offline
from semgjax.exporting.exported_programs import step_program
from semgjax.model import streaming
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.runtime.extras import need, need_alone
from semgjax.runtime.program_names import program_name

CONVERTER = "0.5.0"
"""the version of litert-converter"""


def write(config: Network, params: Params, band: Band, window: WindowSpec, folder: Path, int8: bool = False) -> None:
    """Write the programs.

    Args:
        int8: weights as int8, and products of int8 numbers.

    Raises:
        InputError: the packages of semgjax[litert] or the converter are not installed ("missing-extra") or are others
            ("wrong-version"), or the converter cannot write the network ("conflict").
    """
    need("ai-edge-litert", "ai_edge_litert", "litert", "format litert")
    need_alone("litert-converter", "litert_converter", CONVERTER, "format litert")
    if int8:
        need("ai-edge-quantizer", "ai_edge_quantizer", "litert", "format litert with int8")
    from semgjax.exporting.conversion.litert_convert import to_litert
    from semgjax.exporting.conversion.litert_int8 import to_int8

    def save(name: Any, program: Callable[..., Any], inputs: Sequence[Any], names: Sequence[str],
             results: Sequence[str]) -> None:  # fmt: skip
        content = to_litert(program, params, inputs, names, results, {"dot_general": matrix_products})
        path = folder / program_name(name, {"format": "litert", "int8": int8})
        path.write_bytes(to_int8(content) if int8 else content)

    def signal(samples: int) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
        emg = jax.ShapeDtypeStruct((1, samples, config.channels), jnp.float32)
        return emg, jax.ShapeDtypeStruct((1, samples), jnp.bool_)

    folder.mkdir(parents=True, exist_ok=True)
    samples = -(-window.total // config.stride) * config.stride
    save("offline", portable_offline(config, any_length=False), signal(samples), ["emg", "valid"], ["log_probs"])
    if streaming.why_not(config) is not None:
        return
    state = streaming.state_shapes(config)
    names = [f"state_{index}" for index in range(len(state))]
    results = [*(f"next_{name}" for name in names), "log_probs"]
    save("step", step_program(config), (*state, *signal(config.stride)), [*names, "emg", "valid"], results)
