"""An export of any format that holds programs, as a `Runtime`."""

from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.runtime.about import read_about
from semgjax.runtime.runtimes import Runtime


def load(folder: Path) -> Runtime:
    """The programs of an export, checked.

    Raises:
        InputError: as `semgjax.runtime.about.read_about`, or the format holds parameters only ("conflict").
    """
    return open_files(folder, read_about(folder))


def open_files(folder: Path, about: dict[str, Any]) -> Runtime:
    """The programs in a folder whose files are known to be whole; one case for each format.

    Raises:
        InputError: the format holds parameters only ("conflict").
    """
    match about["format"]:
        case "stablehlo":
            from semgjax.runtime import stablehlo_runtime

            return stablehlo_runtime.open_files(folder, about)
        case "onnx":
            from semgjax.runtime import onnx_runtime

            return onnx_runtime.open_files(folder, about)
        case "litert":
            from semgjax.runtime import litert_runtime

            return litert_runtime.open_files(folder, about)
        case other:
            raise InputError(
                f"{folder}: an export of format {other} holds parameters and no program; export the run again with "
                "--format stablehlo, onnx or litert",
                "conflict",
            )
