"""The device mesh of a run: batches are split over all devices, the state by rule over the axis "fsdp"."""

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
    """All devices of all processes as (data, fsdp); between TPU slices only the data axis runs.

    Args:
        batch: rows of a step, over all devices.
        fsdp: over how many devices the state is split.
        accumulate: parts that a batch is worked off in, one after the other.
        devices: instead of all.

    Raises:
        InputError: devices or batch cannot be split evenly.
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
        grid = mesh_utils.create_device_mesh(shape, found)  # neighbours on the chip's network
    else:
        grid = np.array(found).reshape(shape)
    return Mesh(grid, AXES, axis_types=_TYPES)


def abstract_mesh(
    count: int, batch: int, fsdp: int = 1, accumulate: int = 1, platform: str | None = None
) -> AbstractMesh:
    """A mesh of `count` devices that need not exist; enough to lower for them.

    Args:
        platform: kind of the devices ("cpu", "gpu", "tpu"), for code that asks what it is traced for.

    Raises:
        InputError: as `make_mesh`.
    """
    check_layout(count, batch, fsdp, accumulate)
    device = None if platform is None else AbstractDevice(platform, None, platform)
    return AbstractMesh((count // fsdp, fsdp), AXES, axis_types=_TYPES, abstract_device=device)


def check_layout(count: int, batch: int, fsdp: int, accumulate: int) -> None:
    """See that devices and batch can be split evenly.

    Raises:
        InputError: they cannot.
    """
    if fsdp < 1 or count % fsdp:
        raise InputError(f"engine.fsdp {fsdp} is no divisor of the {count} devices; choose one that is", "bad-value")
    parts = f"{count} devices" if accumulate == 1 else f"{count} devices x {accumulate} parts (train.accumulate)"
    if batch % (count * accumulate):
        raise InputError(f"train.batch {batch} is no multiple of the {parts}; choose one that is", "bad-value")


def platform_of(mesh: AnyMesh) -> str:
    """Kind of its devices: cpu, gpu or tpu; of a mesh of no devices in particular, this machine's."""
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
    """Rows of all processes (each brings its own, equally many) as one batch over the mesh."""
    split = by_batch(mesh)
    return {name: jax.make_array_from_process_local_data(split, value) for name, value in rows.items()}


def local_mesh() -> Mesh:
    """The devices of this process alone, for work that processes do apart."""
    return Mesh(np.array(jax.local_devices()).reshape(-1, 1), AXES, axis_types=_TYPES)


def bring_home(tree: Any, mesh: Mesh) -> Any:
    """Every array whole on each device of this process; all processes call it together."""
    whole = jax.jit(lambda x: x, out_shardings=replicated(mesh))(tree)
    home = replicated(local_mesh())
    return jax.tree.map(
        lambda x: jax.make_array_from_single_device_arrays(x.shape, home, [s.data for s in x.addressable_shards]), whole
    )
