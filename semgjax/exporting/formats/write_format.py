"""An export's files by format: one case for each, and how far its output may lie from JAX's."""

from pathlib import Path
from typing import assert_never

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.runtime.about import Format

BOUNDS: dict[Format, float] = {"orbax": 0.0, "safetensors": 0.0, "stablehlo": 1e-6, "onnx": 1e-5, "litert": 1e-5}
"""largest difference of log probabilities to JAX; of onnx and litert relative to those below -1"""
PROGRAMS_ONLY: tuple[Format, ...] = ("onnx", "litert")
"""formats whose parameters are inside programs, where JAX cannot read them"""


def check_int8(kind: Format, int8: bool) -> None:
    """
    Raises:
        InputError: the format has no int8 weights ("conflict").
    """
    if int8 and kind not in PROGRAMS_ONLY:
        raise InputError(f"int8: format {kind} holds parameters as they are; choose onnx or litert", "conflict")


def write_files(
    kind: Format,
    config: Network,
    params: Params,
    band: Band,
    window: WindowSpec,
    folder: Path,
    int8: bool = False,
) -> None:
    """Write a format's files into a folder.

    Args:
        int8: weights as int8, and no other files.

    Raises:
        InputError: the network cannot be written in it.
    """
    given = (config, params, band, window, folder)
    match kind:
        case "orbax":
            from semgjax.exporting.formats import orbax_files

            orbax_files.write(*given)
        case "safetensors":
            from semgjax.exporting.formats import safetensors_files

            safetensors_files.write(*given)
        case "stablehlo":
            from semgjax.exporting.formats import stablehlo_files

            stablehlo_files.write(*given)
        case "onnx":
            from semgjax.exporting.formats import onnx_files

            onnx_files.write(*given, int8)
        case "litert":
            from semgjax.exporting.formats import litert_files

            litert_files.write(*given, int8)
        case _:
            assert_never(kind)


def read_params(kind: Format, folder: Path) -> Params:
    """The parameters in the files of a format, on the default device; the files must be known to be whole.

    Raises:
        InputError: the format holds no parameters that JAX can run ("conflict").
    """
    match kind:
        case "orbax":
            from semgjax.exporting.formats import orbax_files

            return orbax_files.read(folder)
        case "safetensors" | "stablehlo":
            from semgjax.exporting.formats import safetensors_files

            return safetensors_files.read(folder)
        case "onnx" | "litert":
            raise InputError(
                f"{folder}: the programs of format {kind} hold no parameters that can be trained; give the run, or an "
                "export of format orbax, safetensors or stablehlo",
                "conflict",
            )
        case _:
            assert_never(kind)
