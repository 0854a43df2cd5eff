"""The programs of an export of format onnx, run by ONNX Runtime; numpy and onnxruntime are all it needs."""

from pathlib import Path
from typing import Any

import numpy as np

from semgjax.errors import InputError, first_line
from semgjax.runtime.about import check_format, read_about
from semgjax.runtime.extras import need
from semgjax.runtime.kept_state import check_step, kept_state
from semgjax.runtime.program_names import program_name
from semgjax.runtime.runtimes import Runtime, State

_TYPES = {"tensor(float)": "float32", "tensor(bool)": "bool"}


def load(folder: Path, threads: int = 1) -> Runtime:
    """The programs of an export, checked.

    Args:
        threads: processor cores of each program.

    Raises:
        InputError: as `semgjax.runtime.about.read_about`, another format ("wrong-schema"), onnxruntime is not installed
            ("missing-extra") or cannot read the programs ("wrong-version").
    """
    about = read_about(folder)
    check_format(about, folder, "onnx")
    return open_files(folder, about, threads)


def open_files(folder: Path, about: dict[str, Any], threads: int = 1) -> Runtime:
    """The programs in a folder whose files are known to be whole.

    Raises:
        InputError: onnxruntime is not installed ("missing-extra") or cannot read the programs ("wrong-version"), or
            the step is of another decoder than model.json ("changed").
    """
    need("onnxruntime", "onnxruntime", "onnx", "an export of format onnx")
    whole = _session(folder / program_name("offline", about), threads)

    def offline(emg_BxTxC: np.ndarray, valid_BxT: np.ndarray) -> np.ndarray:
        given = {"emg": np.asarray(emg_BxTxC, np.float32), "valid": np.asarray(valid_BxT, bool)}
        return whole.run(["log_probs"], given)[0]

    if not about["streams"]:
        return Runtime(about, offline)
    path = folder / program_name("step", about)
    one, kept = _session(path, threads), kept_state(about, folder)
    inputs = [(part.name, tuple(part.shape), _TYPES.get(part.type, part.type)) for part in one.get_inputs()]
    check_step(kept, inputs, path)
    names = kept.names
    results = [*(f"next_{name}" for name in names), "log_probs"]

    def step(state: State, emg_1xTxC: np.ndarray, valid_1xT: np.ndarray) -> tuple[State, np.ndarray]:
        given = dict(zip(names, state, strict=True))
        given |= {"emg": np.asarray(emg_1xTxC, np.float32), "valid": np.asarray(valid_1xT, bool)}
        *after, log_probs = one.run(results, given)
        return tuple(after), log_probs

    return Runtime(about, offline, kept.begin, step)


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own classes have no common base but this one
        raise InputError(
            f"{path}: onnxruntime {onnxruntime.__version__} cannot read it ({first_line(error)}); install a newer one "
            "or export the run again",
            "wrong-version",
        ) from None
