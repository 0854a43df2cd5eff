"""Format stablehlo: offline.stablehlo, step.stablehlo if the network streams, and their parameters beside them.

The programs are those of `jax.export`. They read their parameters from params.safetensors, since a serialised program
is only promised to be read for some months: parameters and configuration stay readable after that.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import export

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.exporting.exported_programs import offline_program, step_program
from semgjax.exporting.formats import safetensors_files
from semgjax.model import streaming
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.model.named import by_name, nested
from semgjax.runtime.stablehlo_runtime import OFFLINE, STEP

PLATFORMS = ("cpu", "cuda", "tpu")
"""where the programs run"""


def write(config: Network, params: Params, band: Band, window: WindowSpec, folder: Path) -> None:
    """Write the programs and the parameters.

    offline(params, emg [b, stride t, channels], valid [b, stride t]) -> log_probs, for any b and t; step(params,
    *state, emg [1, stride, channels], valid [1, stride]) -> (*state, log_probs). params is a dict of tensors by name.
    """
    safetensors_files.write(config, params, band, window, folder)
    named = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), by_name(params))
    rows, frames = export.symbolic_shape("b, t")
    _save(_named(offline_program(config)), folder / OFFLINE, named, *_signal(config, rows, config.stride * frames))
    if streaming.why_not(config) is None:
        state = streaming.state_shapes(config)
        _save(_named(step_program(config)), folder / STEP, named, *state, *_signal(config, 1, config.stride))


def _named(program: Callable[..., Any]) -> Callable[..., Any]:
    """A program that takes its parameters by name."""
    return lambda named, *inputs: program(nested(named), *inputs)


def _signal(config: Network, rows: Any, samples: Any) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    return (
        jax.ShapeDtypeStruct((rows, samples, config.channels), jnp.float32),
        jax.ShapeDtypeStruct((rows, samples), jnp.bool_),
    )


def _save(program: Callable[..., Any], path: Path, *inputs: Any) -> None:
    path.write_bytes(export.export(jax.jit(program), platforms=PLATFORMS)(*inputs).serialize())
