"""The device mesh of a run: batches are split over all devices, the state over the axis "fsdp" by rules."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import AbstractDevice, AbstractMesh, AxisType, Mesh, NamedSharding, PartitionSpec

from semgjax.errors import InputError

AXES = ("data", "fsdp")
# Auto axes: a Linen convolution cannot be traced under explicit sharding types.
_TYPES = (AxisType.Auto, AxisType.Auto)
AnyMesh = Mesh | AbstractMesh


def make_mesh(batch: int, fsdp: int = 1, accumulate: int = 1, devices: Sequence[Any] | None = None) -> Mesh:
    """All devices of all processes as (data, fsdp); only the data axis spans TPU slices.

    Args:
        batch: rows of a step, over all devices.
        fsdp: number of devices that the state is split over.
        accumulate: number of parts of a batch under gradient accumulation.
        devices: devices to use instead of all.

    Raises:
        InputError: devices or batch cannot be split evenly ("bad-value").
    """
    found = list(jax.devices() if devices is None else devices)
    check_layout(len(found), batch, fsdp, accumulate)
    shape = (len(found) // fsdp, fsdp)
    slices = {getattr(device, "slice_index", 0) for device in found}
    if len(slices) > 1:
        if shape[0] % len(slices):
            raise InputError(
                f"engine.fsdp {fsdp} does not fit into one of the {len(slices)} slices of {len(found) // len(slices)} "
                "devices; choose a divisor of that",
                "bad-value",
            )
        inner = (shape[0] // len(slices), fsdp)
        grid = mesh_utils.create_hybrid_device_mesh(inner, (len(slices), 1), found)
    elif found[0].platform == "tpu":
        grid = mesh_utils.create_device_mesh(shape, found)  # neighbours in the interconnect
    else:
        grid = np.array(found).reshape(shape)
    return Mesh(grid, AXES, axis_types=_TYPES)


def abstract_mesh(
    count: int, batch: int, fsdp: int = 1, accumulate: int = 1, platform: str | None = None
) -> AbstractMesh:
    """A mesh of `count` devices that need not exist, to lower programs for them.

    Args:
        platform: kind of the devices ("cpu", "gpu", "tpu"), for code that depends on it.

    Raises:
        InputError: as `make_mesh`.
    """
    check_layout(count, batch, fsdp, accumulate)
    device = None if platform is None else AbstractDevice(platform, None, platform)
    return AbstractMesh((count // fsdp, fsdp), AXES, axis_types=_TYPES, abstract_device=device)


def check_layout(count: int, batch: int, fsdp: int, accumulate: int) -> None:
    """Check that devices and batch can be split evenly.

    Raises:
        InputError: they cannot ("bad-value").
    """
    if fsdp < 1 or count % fsdp:
        raise InputError(f"engine.fsdp {fsdp} does not divide the {count} devices; choose a divisor", "bad-value")
    parts = f"{count} devices" if accumulate == 1 else f"{count} devices x {accumulate} parts (train.accumulate)"
    if batch % (count * accumulate):
        raise InputError(f"train.batch {batch} is not a multiple of the {parts}; choose one that is", "bad-value")


def platform_of(mesh: AnyMesh) -> str:
    """Kind of its devices: cpu, gpu or tpu; this machine's kind for a mesh without a given platform."""
    if isinstance(mesh, AbstractMesh):
        return jax.default_backend() if mesh.abstract_device is None else mesh.abstract_device.platform
    return mesh.devices.flat[0].platform


def replicated(mesh: AnyMesh) -> NamedSharding:
    """One copy on every device."""
    return NamedSharding(mesh, PartitionSpec())


def by_batch(mesh: AnyMesh) -> NamedSharding:
    """The first axis split over all devices."""
    return NamedSharding(mesh, PartitionSpec(AXES))


def place_batch(mesh: Mesh, rows: dict[str, np.ndarray]) -> dict[str, jax.Array]:
    """The rows of all processes (the same number from each) as one batch over the mesh."""
    split = by_batch(mesh)
    return {name: jax.make_array_from_process_local_data(split, value) for name, value in rows.items()}


def local_mesh() -> Mesh:
    """A mesh of this process's devices, for work that processes do separately."""
    return Mesh(np.array(jax.local_devices()).reshape(-1, 1), AXES, axis_types=_TYPES)


def bring_home(tree: Any, mesh: Mesh) -> Any:
    """Every array, replicated on each device of this process; all processes call it together."""
    whole = jax.jit(lambda x: x, out_shardings=replicated(mesh))(tree)
    home = replicated(local_mesh())
    return jax.tree.map(
        lambda x: jax.make_array_from_single_device_arrays(x.shape, home, [s.data for s in x.addressable_shards]), whole
    )
