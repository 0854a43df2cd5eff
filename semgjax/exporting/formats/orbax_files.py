"""Format orbax: params/, a checkpoint as JAX programs read it."""

from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError, first_line, system_fault
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.model.named import by_name
from semgjax.runtime.about import AGAIN, PARAMS

_TREE = "_METADATA"
"""file in which orbax describes the tree"""


def write(config: Network, params: Params, band: Band, window: WindowSpec, folder: Path) -> None:
    """Write the parameters."""
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save((folder / PARAMS).absolute(), params)


def read(folder: Path) -> Params:
    """The parameters, on the default device; the files must be known to be whole, since orbax names no damage.

    Raises:
        InputError: there are none ("damaged").
    """
    path = folder / PARAMS
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; {AGAIN}", "damaged")
    return _restored(path)


def is_orbax(path: Path) -> bool:
    """Whether a folder is an orbax checkpoint of one tree of arrays."""
    return (path / _TREE).is_file()


def read_bare(path: Path) -> dict[str, Any]:
    """The arrays of an orbax checkpoint that something else wrote, by name, on the default device.

    Raises:
        InputError: orbax cannot read it ("damaged"), or a name that cannot be joined by "/" ("bad-name").
    """
    try:
        tree = _restored(path)
    except Exception as error:  # those of orbax and tensorstore are of many types
        raise system_fault(error, path) or InputError(
            f"{path}: cannot be read as an orbax checkpoint of arrays ({first_line(error)}); write it again", "damaged"
        ) from None
    return by_name(tree)


def _restored(path: Path) -> Params:
    path = path.absolute()
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    with ocp.StandardCheckpointer() as checkpointer:
        tree = checkpointer.metadata(path).item_metadata.tree
        target = jax.tree.map(lambda m: jax.ShapeDtypeStruct(m.shape, m.dtype, sharding=device), tree)
        return checkpointer.restore(path, target)
