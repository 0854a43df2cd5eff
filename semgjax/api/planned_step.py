"""What one training step takes on a machine that need not be present: memory, operations, layout of the state."""

from typing import Any

from semgjax.api.changes import chosen_engine, members_of
from semgjax.parallel.hardware import Topology, topology
from semgjax.parallel.mesh import abstract_mesh
from semgjax.parallel.rules import rules_for, table
from semgjax.training.dryrun import DryRun
from semgjax.training.dryrun import dry_run as lower_step
from semgjax.training.engine import Engine
from semgjax.training.run_config import RunConfig
from semgjax.training.step import state_shapes

__all__ = ["DryRun", "dry_run", "state_layout"]


def dry_run(preset_name: str, machine: str = "cpu", /, **changes: Any) -> DryRun:
    """Lower one training step for a machine, and compile it where the compiler is installed.

    Args:
        preset_name: tiny, small, large, ladder-WIDTH, keys-WIDTH, gesture-WIDTH or tds.
        machine: v4-8, v5e-16, h100-8, cpu, ... (semgjax.parallel.hardware.topology).
        changes: model, window, augment, optimizer, train and engine, as for `semgjax.train`; band: of the sessions.

    Returns:
        Parameters, bytes per device, floating-point operations of a step and, where compiled, memory and collectives.

    Raises:
        InputError: an unknown name, or a batch or state that cannot be split over the machine's devices.

    Example:
        >>> semgjax.dry_run("ladder-16", "v5e-8", train={"batch": 16}).devices
        8
    """
    return lower_step(*_resolved(preset_name, machine, changes))


def state_layout(preset_name: str, machine: str = "cpu", /, **changes: Any) -> list[str]:
    """One line per array of the training state: path, type and shape, axes, and the part that one device holds.

    Args and errors: see `dry_run`.
    """
    config, found, engine = _resolved(preset_name, machine, changes)
    mesh = abstract_mesh(found.devices, config.train.batch, engine.fsdp, config.train.accumulate)
    return table(state_shapes(config), mesh, rules_for(config.model.SHARDING))


def _resolved(preset_name: str, machine: str, changes: dict[str, Any]) -> tuple[RunConfig, Topology, Engine]:
    named = {"model": None, "augment": None, "optimizer": None, "train": None, **changes}
    engine = chosen_engine(named.pop("engine", None))
    return RunConfig(data="", **members_of(preset_name, **named)), topology(machine), engine
