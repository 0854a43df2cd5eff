"""The programs of an export of format stablehlo, run by JAX."""

import struct
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export

from semgjax.errors import InputError, first_line
from semgjax.runtime.about import check_format, read_about
from semgjax.runtime.kept_state import check_step, kept_state
from semgjax.runtime.runtimes import Runtime, State
from semgjax.runtime.safetensors_runtime import TENSORS, read_tensors

OFFLINE, STEP = "offline.stablehlo", "step.stablehlo"


def load(folder: Path) -> Runtime:
    """The programs of an export, checked.

    Raises:
        InputError: as `semgjax.runtime.about.read_about`, another format ("wrong-schema"), or a program of a version
            that this JAX does not read ("wrong-version").
    """
    about = read_about(folder)
    check_format(about, folder, "stablehlo")
    return open_files(folder, about)


def open_files(folder: Path, about: dict[str, Any]) -> Runtime:
    """The programs in a folder whose files are known to be whole.

    Raises:
        InputError: a program of a version that this JAX does not read ("wrong-version"), or a step of another decoder
            than model.json ("changed").
    """
    params = jax.device_put(read_tensors(folder / TENSORS))
    whole = jax.jit(_read(folder / OFFLINE).call)

    def offline(emg_BxTxC: np.ndarray, valid_BxT: np.ndarray) -> np.ndarray:
        return np.asarray(whole(params, np.asarray(emg_BxTxC, np.float32), np.asarray(valid_BxT, bool)))

    if not about["streams"]:
        return Runtime(about, offline)
    kept, program = kept_state(about, folder), _read(folder / STEP)
    given = program.in_avals[len(params) :]  # they have an order and no names
    names = [*kept.names, "emg", "valid", *(f"input {number}" for number in range(len(given)))]
    inputs = [(name, tuple(one.shape), one.dtype.name) for name, one in zip(names, given, strict=False)]
    check_step(kept, inputs, folder / STEP)
    one = jax.jit(program.call)

    def step(state: State, emg_1xTxC: np.ndarray, valid_1xT: np.ndarray) -> tuple[State, np.ndarray]:
        *after, log_probs = one(params, *state, np.asarray(emg_1xTxC, np.float32), np.asarray(valid_1xT, bool))
        return tuple(after), np.asarray(log_probs)

    return Runtime(about, offline, kept.begin, step)


def _read(path: Path) -> export.Exported:
    try:
        return export.deserialize(bytearray(path.read_bytes()))
    except (ValueError, struct.error) as error:
        raise InputError(
            f"{path}: this JAX cannot read the program ({first_line(error)}); export the run again", "wrong-version"
        ) from None
