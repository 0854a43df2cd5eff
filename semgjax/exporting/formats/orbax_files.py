"""Format orbax: params/, a checkpoint as JAX programs read it."""

from pathlib import Path

import jax
import orbax.checkpoint as ocp

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.runtime.about import PARAMS


def write(config: Network, params: Params, band: Band, window: WindowSpec, folder: Path) -> None:
    """Write the parameters."""
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save((folder / PARAMS).absolute(), params)


def read(folder: Path) -> Params:
    """The parameters, on the default device; the files must be known to be whole, since orbax names no damage."""
    path = (folder / PARAMS).absolute()
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    with ocp.StandardCheckpointer() as checkpointer:
        tree = checkpointer.metadata(path).item_metadata.tree
        target = jax.tree.map(lambda m: jax.ShapeDtypeStruct(m.shape, m.dtype, sharding=device), tree)
        return checkpointer.restore(path, target)
