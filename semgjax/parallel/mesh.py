"""The device mesh of a run: batches are split over its data axis, the state is copied to every device."""

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from semgjax.errors import InputError


def data_mesh(batch: int) -> Mesh:
    """All devices of this process along one axis, "data".

    Raises:
        InputError: the batch cannot be split evenly.
    """
    devices = jax.devices()
    if batch % len(devices):
        raise InputError(f"train.batch {batch} is no multiple of the {len(devices)} devices; choose one that is")
    # Auto axes: a Linen convolution cannot be traced under explicit sharding types.
    return Mesh(np.array(devices), ("data",), axis_types=(AxisType.Auto,))


def replicated(mesh: Mesh) -> NamedSharding:
    """One copy on every device."""
    return NamedSharding(mesh, PartitionSpec())


def by_batch(mesh: Mesh) -> NamedSharding:
    """The first axis split over the devices."""
    return NamedSharding(mesh, PartitionSpec("data"))
