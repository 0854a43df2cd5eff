"""The programs of an export of format litert (experimental), run by LiteRT: it needs numpy and ai-edge-litert alone."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.errors import InputError, first_line
from semgjax.runtime.about import check_format, read_about
from semgjax.runtime.extras import need
from semgjax.runtime.kept_state import check_step, kept_state
from semgjax.runtime.program_names import program_name
from semgjax.runtime.runtimes import Runtime, State


def load(folder: Path, threads: int = 1) -> Runtime:
    """The programs of an export, checked.

    Args:
        threads: processor cores of each program.

    Raises:
        InputError: as `semgjax.runtime.about.read_about`, another format ("wrong-schema"), ai-edge-litert is not
            installed ("missing-extra") or cannot read the programs ("wrong-version").
    """
    about = read_about(folder)
    check_format(about, folder, "litert")
    return open_files(folder, about, threads)


def open_files(folder: Path, about: dict[str, Any], threads: int = 1) -> Runtime:
    """The programs in a folder whose files are known to be whole.

    Raises:
        InputError: ai-edge-litert is not installed ("missing-extra") or cannot read the programs ("wrong-version"), or
            the step is of another decoder than model.json ("changed").
    """
    need("ai-edge-litert", "ai_edge_litert", "litert", "an export of format litert")
    path = folder / program_name("offline", about)
    whole, inputs = _runner(path, threads)
    samples = int(inputs["emg"]["shape"][1])

    def offline(emg_BxTxC: np.ndarray, valid_BxT: np.ndarray) -> np.ndarray:
        emg, valid = np.asarray(emg_BxTxC, np.float32), np.asarray(valid_BxT, bool)
        if emg.shape[1:2] != (samples,):
            raise InputError(f"{path}: takes {samples} samples, and is given {emg.shape[1:2]}", "bad-shape")
        rows = [whole(emg=emg[row : row + 1], valid=valid[row : row + 1])["log_probs"] for row in range(len(emg))]
        return np.concatenate(rows)

    if not about["streams"]:
        return Runtime(about, offline, samples=samples)
    step_path, kept = folder / program_name("step", about), kept_state(about, folder)
    one, takes = _runner(step_path, threads)
    check_step(
        kept,
        [(name, tuple(map(int, part["shape"])), np.dtype(part["dtype"]).name) for name, part in takes.items()],
        step_path,
    )
    names = kept.names

    def step(state: State, emg_1xTxC: np.ndarray, valid_1xT: np.ndarray) -> tuple[State, np.ndarray]:
        given = dict(zip(names, state, strict=True))
        found = one(**given, emg=np.asarray(emg_1xTxC, np.float32), valid=np.asarray(valid_1xT, bool))
        return tuple(found[f"next_{name}"] for name in names), found["log_probs"]

    return Runtime(about, offline, kept.begin, step, samples)


def _runner(path: Path, threads: int) -> tuple[Callable[..., dict[str, np.ndarray]], dict[str, Any]]:
    """The program as a function of named arrays, and its inputs by name."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=path.read_bytes(), num_threads=threads)
        runner = interpreter.get_signature_runner()
        return runner, runner.get_input_details()
    except (ValueError, RuntimeError) as error:
        version = importlib.metadata.version("ai-edge-litert")
        raise InputError(
            f"{path}: ai-edge-litert {version} cannot read it ({first_line(error)}); install the version of "
            "'semgjax[litert]' or export the run again",
            "wrong-version",
        ) from None
