"""Format safetensors: params.safetensors, tensors by name ("layers/expand/kernel") as any language reads them."""

from pathlib import Path

import jax
import numpy as np
from safetensors.numpy import save

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.files import write_atomic
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.model.named import by_name, nested
from semgjax.runtime.safetensors_runtime import TENSORS, read_tensors


def write(config: Network, params: Params, band: Band, window: WindowSpec, folder: Path) -> None:
    """Write the parameters.

    Raises:
        InputError: a name that cannot be joined by "/" ("bad-name").
    """
    # As bytes: the package's own writer gives the file to its owner alone, and an export may lie in a shared folder.
    content = save({name: np.ascontiguousarray(leaf) for name, leaf in by_name(params).items()})
    write_atomic(folder / TENSORS, content)


def read(folder: Path) -> Params:
    """The parameters, on the default device.

    Raises:
        InputError: the file is damaged.
    """
    return jax.device_put(nested(read_tensors(folder / TENSORS)))
