"""An export's files by format: one case for each, and how far its output may lie from JAX's."""

from pathlib import Path
from typing import assert_never

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.runtime.about import Format

BOUNDS: dict[Format, float] = {"orbax": 0.0, "safetensors": 0.0, "stablehlo": 1e-6}
"""largest difference of log probabilities to JAX"""


def write_files(kind: Format, config: Network, params: Params, band: Band, window: WindowSpec, folder: Path) -> None:
    """Write a format's files into a folder.

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
        case _:
            assert_never(kind)
