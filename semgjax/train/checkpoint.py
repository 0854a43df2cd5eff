"""Checkpoints of a run by orbax: a folder per step under RUN/checkpoints, marked as whole when its last byte is down."""

from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from semgjax.errors import InputError
from semgjax.train.step import State

_MARKER = "_CHECKPOINT_METADATA"  # orbax writes it last; a folder without it is an interrupted save


class Checkpoints:
    """Saves and restores the training state of one run; at most two are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        options = ocp.CheckpointManagerOptions(max_to_keep=2, enable_async_checkpointing=True)
        self._manager = ocp.CheckpointManager(self._folder, options=options)

    def save(self, state: State, run_hash: str) -> None:
        """Write the state in the background; the next save or `close` waits for it."""
        items = {
            "state": ocp.args.StandardSave(state),
            "meta": ocp.args.JsonSave({"run": run_hash, "types": _types(state)}),
        }
        self._manager.save(int(state["step"]), args=ocp.args.Composite(**items))

    def restore(self, like: State, run_hash: str) -> State | None:
        """The newest whole state, placed as `like` is; None when there is none yet.

        Raises:
            InputError: it belongs to another configuration, or its types differ.
        """
        step = newest_step(self._folder)
        if step is None:
            return None
        meta = self._manager.restore(step, args=ocp.args.Composite(meta=ocp.args.JsonRestore()))["meta"]
        if meta["run"] != run_hash:
            raise InputError(
                f"{self._folder / str(step)}: is a checkpoint of another configuration ({meta['run'][:12]}, this run is "
                f"{run_hash[:12]}); choose another output folder"
            )
        if meta["types"] != _types(like):
            # orbax would convert silently, and the run would no longer be the one that was interrupted.
            raise InputError(f"{self._folder / str(step)}: types or shapes differ from this model's; was it edited?")
        target = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), like)
        return self._manager.restore(step, args=ocp.args.Composite(state=ocp.args.StandardRestore(target)))["state"]

    def close(self) -> None:
        """Wait until everything is on disk."""
        self._manager.wait_until_finished()
        self._manager.close()


def newest_step(folder: Path) -> int | None:
    """The newest step whose save was finished; None without any."""
    if not folder.is_dir():
        return None
    steps = [int(p.name) for p in folder.iterdir() if p.name.isdigit() and (p / _MARKER).is_file()]
    return max(steps, default=None)


def _types(state: State) -> dict[str, str]:
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {jax.tree_util.keystr(path): f"{leaf.dtype}{list(leaf.shape)}" for path, leaf in leaves}


def restore_params(folder: Path) -> tuple[int, Any]:
    """Step and parameters of the newest whole checkpoint, on the default device; optimiser state is left on disk.

    Raises:
        InputError: there is none.
    """
    step = newest_step(folder)
    if step is None:
        raise InputError(f"{folder}: no finished checkpoint; train the run first")
    path = (folder / str(step) / "state").absolute()
    with ocp.PyTreeCheckpointer() as checkpointer:
        tree = checkpointer.metadata(path).item_metadata.tree["params"]
        device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
        item = {"params": jax.tree.map(lambda m: jax.ShapeDtypeStruct(m.shape, m.dtype, sharding=device), tree)}
        arguments = jax.tree.map(lambda s: ocp.ArrayRestoreArgs(sharding=s.sharding), item)
        restored = checkpointer.restore(
            path, args=ocp.args.PyTreeRestore(item=item, restore_args=arguments, partial_restore=True)
        )
    return step, restored["params"]
