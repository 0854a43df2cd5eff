"""The step of a run planned for another machine: lowered, and compiled where a compiler is installed."""

import contextlib
import dataclasses
import importlib.util
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from semgjax.errors import InputError
from semgjax.model.flops import train_flops
from semgjax.model.operations import Kernels, check_kernels
from semgjax.notebook import facts
from semgjax.parallel.hardware import Topology
from semgjax.parallel.mesh import AnyMesh, abstract_mesh, by_batch, make_mesh
from semgjax.parallel.rules import bytes_per_device, rules_for
from semgjax.training.engine import Engine
from semgjax.training.run_config import RunConfig
from semgjax.training.step import make_step, read_params, state_shapes, state_shardings

LABELS_PER_SECOND = 16  # room for labels when no data says how many there are: above the fastest typists' rate
_COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
TPU_VARIABLES = {
    # Otherwise libtpu queries the metadata server, which only a TPU VM has.
    "TPU_SKIP_MDS_QUERY": "1",
    # No chip is opened, so several processes may do this at once.
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
}
"""environment variables under which libtpu only compiles"""


@dataclass(frozen=True, repr=False)
class DryRun:
    """What one training step takes on a machine. Bytes are per device; None: known only after compilation.

    Attributes:
        topology, devices: the machine, and how many devices it has.
        compiled: whether the step was compiled, and not only lowered.
        params: number of parameters.
        state_bytes: of parameters and optimiser.
        batch_bytes: of the inputs.
        flops: operations of the matrix products of a step over all devices, by count (see semgjax.model.flops).
        peak_seconds: time of those at the chips' bfloat16 peak: no step can be faster.
        arguments_bytes, temporary_bytes: of the compiled program.
        memory_bytes: arguments, results that do not replace arguments, and temporaries.
        chip_bytes: memory of a device.
        collectives: how many of each kind the program holds.
        estimated_seconds: the operations at the peak or the compiler's bytes at the memory's bandwidth, whichever
            takes longer.
    """

    topology: str
    devices: int
    compiled: bool
    params: int
    state_bytes: int
    batch_bytes: int
    flops: float
    peak_seconds: float | None
    arguments_bytes: int | None = None
    temporary_bytes: int | None = None
    memory_bytes: int | None = None
    chip_bytes: float | None = None
    collectives: dict[str, int] | None = None
    estimated_seconds: float | None = None

    def __repr__(self) -> str:
        """One line."""
        return (
            f"DryRun({self.topology}: {self.params:,} parameters, {self.flops:.3g} operations a step; "
            f"state a device {_size(self.state_bytes)})"
        )

    def _repr_html_(self) -> str:
        known = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        return facts(repr(self), [(name, str(value)) for name, value in known if value is not None])


def has_libtpu() -> bool:
    """Whether a compiler for TPUs is installed."""
    return importlib.util.find_spec("libtpu") is not None


def batch_shapes(config: RunConfig) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes of a global batch, with room for LABELS_PER_SECOND."""
    rows, window = config.train.batch, config.window
    room = -(-math.ceil(window.length * LABELS_PER_SECOND / config.band.rate) // 8) * 8
    return {
        "emg": jax.ShapeDtypeStruct((rows, window.total, config.model.channels), jnp.float32),
        "valid": jax.ShapeDtypeStruct((rows, 2), jnp.int32),
        "labels": jax.ShapeDtypeStruct((rows, room), jnp.int32),
        "label_count": jax.ShapeDtypeStruct((rows,), jnp.int32),
    }


@contextlib.contextmanager
def _compiler_only() -> Iterator[None]:
    """Inside, libtpu only compiles. Afterwards the variables are as before: a run started later would take
    TPU_WORKER_HOSTNAMES for a TPU slice's (semgjax.parallel.environment)."""
    added = [name for name in TPU_VARIABLES if name not in os.environ]
    os.environ.update({name: TPU_VARIABLES[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@_compiler_only()
def dry_run(config: RunConfig, machine: Topology, engine: Engine, compile_step: bool = True) -> DryRun:
    """Lower the step for `machine`, and compile it when that needs no such machine (TPUs with libtpu; this CPU).

    Raises:
        InputError: batch or state cannot be split over its devices.
    """
    can_compile = compile_step and (machine.platform == "cpu" or (machine.platform == "tpu" and has_libtpu()))
    kernels = Kernels(engine.attention, engine.convolution, engine.ctc)
    check_kernels(kernels, config.model, machine.platform, config.train.compute)
    config.loss.in_form(engine.ctc)
    layout = (config.train.batch, engine.fsdp, config.train.accumulate)
    if can_compile:
        mesh: AnyMesh = make_mesh(*layout, devices=_devices(machine))
    else:
        mesh = abstract_mesh(machine.devices, *layout, platform=machine.platform)
    state, batch = state_shapes(config), batch_shapes(config)
    placed = state_shardings(config, mesh)
    arguments = (_with(state, placed), _with(batch, by_batch(mesh)), ())
    # The model chooses kernels by the device that it is traced for; by default that is this machine's.
    with jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
        traced = make_step(config, mesh, (), engine.remat, kernels).trace(*arguments)
    lowered = traced.lower() if can_compile else traced.lower(lowering_platforms=(machine.platform,))
    flops = config.train.batch * train_flops(config.model, config.window.total)
    peak = machine.chip.flops
    rows = config.train.batch // machine.devices
    row_bytes = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(batch)) // config.train.batch
    plain = {
        "topology": machine.name,
        "devices": machine.devices,
        "params": sum(leaf.size for leaf in jax.tree.leaves(read_params(state))),
        "state_bytes": bytes_per_device(state, mesh, rules_for(config.model.SHARDING)),
        "batch_bytes": rows * row_bytes,
        "flops": flops,
        "peak_seconds": None if peak is None else flops / (peak * machine.devices),
        "chip_bytes": machine.chip.memory,
    }
    if not can_compile:
        return DryRun(compiled=False, **plain)
    try:
        compiled = lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        reason = str(error).strip().splitlines()[0].removeprefix("RESOURCE_EXHAUSTED: ")
        raise InputError(
            f"topology {machine.name}: the step does not fit ({reason}) try train.compute bfloat16, engine.remat "
            "layers, train.accumulate 2 or more",
            "conflict",
        ) from error
    return DryRun(compiled=True, **plain, **_measure(compiled, machine, plain["peak_seconds"]))


def _measure(compiled: Any, machine: Topology, peak_seconds: float | None) -> dict[str, Any]:
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis()
    text = compiled.as_text()
    found = {kind: len(re.findall(rf"= \S.* {kind}(?:-start)?\(", text)) for kind in _COLLECTIVES}
    seconds, bandwidth = None, machine.chip.bandwidth
    if peak_seconds is not None and bandwidth is not None:
        # The compiler counts a loop's body once, so that its bytes are too few and its operations no help.
        seconds = max(peak_seconds, cost.get("bytes accessed", 0.0) / bandwidth)
    results = memory.output_size_in_bytes - memory.alias_size_in_bytes
    return {
        "arguments_bytes": memory.argument_size_in_bytes,
        "temporary_bytes": memory.temp_size_in_bytes,
        "memory_bytes": memory.argument_size_in_bytes + results + memory.temp_size_in_bytes,
        "collectives": {kind: count for kind, count in found.items() if count},
        "estimated_seconds": seconds,
    }


def _devices(machine: Topology) -> list[Any]:
    if machine.platform == "cpu":
        return jax.local_devices(backend="cpu")[:1]
    from jax.experimental import topologies

    extra = {"chip_config_name": "megacore"} if machine.name.startswith(("v4", "v5p")) else {}
    try:
        found = list(topologies.get_topology_desc(str(machine.layout), platform="tpu", **extra).devices)
    finally:
        _restore_variables()
    if len(found) != machine.devices:
        raise InputError(
            f"topology {machine.name}: libtpu sees {len(found)} devices, not {machine.devices}", "conflict"
        )
    return found


# Without a TPU, the start of libtpu sets these, most to sentences, and in C, so that os.environ does not show it.
# Processes that are started later would inherit them, and take themselves for a worker of that name.
_SET_BY_LIBTPU = ("TPU_WORKER_ID", "CLOUD_TPU_TASK_ID", "CLOUD_TPU_ACCELERATOR_TYPE", "TPU_PREMAPPED_BUFFER_SIZE")


def _restore_variables() -> None:
    for name in _SET_BY_LIBTPU:
        if name in os.environ:
            os.putenv(name, os.environ[name])
        else:
            os.unsetenv(name)


def _with(tree: Any, placed: Any) -> Any:
    """Shapes with their shardings; one sharding may stand for all."""
    if not isinstance(placed, dict):
        placed = jax.tree.map(lambda _: placed, tree)
    return jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), tree, placed)


def report(run: DryRun) -> list[str]:
    """The same as lines of text."""
    lines = [
        f"{run.topology}: {run.devices} device{'s' if run.devices > 1 else ''}, "
        f"{'compiled' if run.compiled else 'lowered (no compiler for it is installed)'}",
        f"  parameters        {run.params:,}",
        f"  state a device    {_size(run.state_bytes)} (parameters and optimiser)",
        f"  batch a device    {_size(run.batch_bytes)}",
        f"  operations a step {run.flops:.3e} in matrix products, all devices",
    ]
    if run.peak_seconds is not None:
        lines.append(f"  at the peak       {1000 * run.peak_seconds:.2f} ms a step; no step is faster")
    if run.memory_bytes is not None and run.temporary_bytes is not None:
        room = "" if run.chip_bytes is None else f" of {_size(run.chip_bytes)}"
        lines.append(
            f"  memory a device   {_size(run.memory_bytes)}{room} ({_size(run.temporary_bytes)} of it temporary)"
        )
    if run.collectives is not None:
        counts = ", ".join(f"{count} {kind}" for kind, count in run.collectives.items()) or "none"
        lines.append(f"  collectives       {counts}")
    if run.estimated_seconds is not None:
        lines.append(
            f"  estimated step    {1000 * run.estimated_seconds:.1f} ms at least (operations at the peak, or the "
            "compiler's bytes at full bandwidth, those of a loop counted once)"
        )
    return lines


def _size(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.2f} MB"
