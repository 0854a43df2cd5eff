"""Checkpoints of a run by orbax: a folder per step under RUN/checkpoints, marked whole when all is on disk.

A whole checkpoint gets hashes.json: the SHA-256 of each of its files, checked by every reader before a byte is used.
"""

import contextlib
import math
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy as policies

from semgjax.errors import InputError, first_line, system_fault
from semgjax.files import check_hashes, disk_faults, file_hashes, read_json, write_json
from semgjax.model.finite import check_finite
from semgjax.one_report import report_once
from semgjax.parallel.runtime import is_first, on_first
from semgjax.training.distill_params import without_extra
from semgjax.training.step import State

MARKER = "_CHECKPOINT_METADATA"
"""the file of a checkpoint that orbax writes last; a folder without it is an interrupted save"""
STATE = "state"
"""the part of a checkpoint that is big; the others are read where it is only to be known, or ranked by its metrics"""


HASHES = "hashes.json"
"""the hashes of a checkpoint's other files"""
_RATE = "cer"
"""the validation error rate, whatever its name, in orbax's metrics: as in the checkpoints of earlier releases"""
_REMEDY = "remove this checkpoint's folder to resume from the one before"


@dataclass(frozen=True)
class Kept:
    """Which checkpoints stay: the newest ones, the one with the lowest validation error rate, every so many steps."""

    last: int = 2
    best: bool = True
    every: int = 0

    def policy(self) -> policies.PreservationPolicy:
        """The rule for orbax."""
        rules: list[policies.PreservationPolicy] = [policies.LatestN(self.last)]
        if self.best:
            rules.append(policies.BestN(get_metric_fn=_goodness, n=1))
        if self.every:
            rules.append(policies.EveryNSteps(self.every))
        return policies.AnyPreservationPolicy(rules)


def _goodness(metrics: dict[str, float]) -> float:
    return -metrics.get(_RATE, math.inf)


class Checkpoints:
    """Saves and restores the training state of one run, whole or split over devices and processes.

    The caller holds the run's lock: what an interrupted save left in the folder is removed. All processes of a run
    call every method together.

    Args:
        whole: called in a thread once a save is on disk with its hashes and what the rule drops is gone; the next save
            waits for it.

    Raises:
        InputError: the newest checkpoint is damaged.
    """

    def __init__(self, folder: Path, kept: Kept | None = None, whole: Callable[[], None] | None = None) -> None:
        report_once()
        self._folder = folder.absolute()
        self._whole = whole
        self._told: Future[None] | None = None
        self._teller = ThreadPoolExecutor(1, "whole")
        on_first(lambda: _drop_unfinished(self._folder))
        options = ocp.CheckpointManagerOptions(
            preservation_policy=(kept or Kept()).policy(), best_fn=_goodness, enable_async_checkpointing=True
        )
        # Before orbax looks into any: what it says about damaged files is no single clear line.
        on_first(lambda: check_or_sign(self._folder))
        with _readable(self._folder):
            self._manager = ocp.CheckpointManager(self._folder, options=options)

    def save(
        self, state: State, run_hash: str, clock: dict[str, float] | None = None, rate: float | None = None
    ) -> None:
        """Write the state in the background; the next save or `close` waits for it.

        Args:
            clock: the run's times so far (see semgjax.training.clock).
            rate: validation error rate of this very state, when it is known.

        Raises:
            InputError: the save before could not be written, on a full disk perhaps; the checkpoints before it stand.
            Exception: what `whole` raised about the save before; this state is then written all the same.
        """
        # Before this save's end a checkpoint may be dropped that `whole` is still at work on.
        fault = self._told.exception() if self._told else None
        items = {
            STATE: ocp.args.StandardSave(state),
            "meta": ocp.args.JsonSave({"run": run_hash, "types": _types(state), "clock": clock or {}}),
        }
        metrics = {} if rate is None else {_RATE: rate}
        step = int(state["step"])
        with disk_faults(self._folder):
            self._manager.save(step, args=ocp.args.Composite(**items), metrics=metrics)
        self._told = None
        if fault is not None:
            raise fault
        self._told = self._teller.submit(self._tell, step)

    def _tell(self, step: int) -> None:
        with disk_faults(self._folder):
            self._manager.wait_until_finished()
            if is_first():
                _sign(self._folder / str(step))
        if self._whole is not None:
            self._whole()

    def restore(self, like: State, run_hash: str) -> tuple[State, dict[str, float]] | None:
        """The newest whole state, placed as `like` is, and its clock; None when there is none yet.

        `like` may be on other devices, or split otherwise, than the state was when it was saved.

        Raises:
            InputError: it belongs to another configuration, or its types differ.
        """
        step = newest_step(self._folder)
        if step is None:
            return None
        place = self._folder / str(step)
        with _readable(place):
            meta = self._manager.restore(step, args=ocp.args.Composite(meta=ocp.args.JsonRestore()))["meta"]
        if meta["run"] != run_hash:
            raise InputError(
                f"{place}: belongs to another configuration ({meta['run'][:12]}, this run is "
                f"{run_hash[:12]}); choose another output folder",
                "conflict",
            )
        if meta["types"] != _types(like):
            # orbax would convert silently, and the run would no longer be the one that was interrupted.
            raise InputError(f"{place}: types or shapes differ from this model's; was it edited?", "changed")
        target = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), like)
        with _readable(place):
            items = ocp.args.Composite(**{STATE: ocp.args.StandardRestore(target)})
            state = self._manager.restore(step, args=items)[STATE]
        if all(leaf.is_fully_addressable for leaf in jax.tree.leaves(state["params"])):
            check_finite(state["params"], str(place))
        return state, meta["clock"]

    def close(self) -> None:
        """Wait until everything is on disk.

        Raises:
            InputError, Exception: see `save`.
        """
        self._teller.shutdown()
        with disk_faults(self._folder):
            self._manager.close()
        if self._told:
            self._told.result()


def whole_steps(folder: Path) -> set[int]:
    """The steps whose save was finished."""
    return {int(path.name) for path in folder.iterdir() if _is_whole(path)} if folder.is_dir() else set()


def newest_step(folder: Path) -> int | None:
    """The newest step whose save was finished; None without any."""
    return max(whole_steps(folder), default=None)


def _is_whole(path: Path) -> bool:
    return path.name.isdigit() and (path / MARKER).is_file()


def _drop_unfinished(folder: Path) -> None:
    """Remove the remains of interrupted saves: orbax takes any folder with a step's number for that step's
    checkpoint, and would then skip the save of this step without a word."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.partition(".")[0].isdigit() and not _is_whole(path):
            shutil.rmtree(path)


def _sign(place: Path) -> None:
    """Record the hashes of a whole checkpoint's files; of one that the rule has dropped meanwhile there are none.

    A process killed between orbax's marker and this leaves a whole checkpoint without hashes, which the next start
    signs: orbax marks it when all bytes are on disk.
    """
    if _is_whole(place):
        write_json(place / HASHES, "semgjax/checkpoint", 1, {"files": file_hashes(place)})


def check_or_sign(folder: Path) -> None:
    """See that the newest checkpoint, if there is one, is as it was written.

    That of a finished run at an address is not here (see `semgjax.training.mirror`): who reads it checks it.

    Raises:
        InputError: it is damaged.
    """
    step = newest_step(folder)
    if step is not None:
        place = folder / str(step)
        if not _is_signed(place):
            _sign(place)
        elif (place / STATE).exists():
            _check(place)


def _is_signed(place: Path) -> bool:
    return (place / HASHES).is_file()


def _check(place: Path) -> None:
    """Raises InputError: a file of the checkpoint is not as it was written ("damaged")."""
    recorded = read_json(place / HASHES, "semgjax/checkpoint", 1).get("files")
    check_hashes(place, recorded, _REMEDY, beside=HASHES)


@contextlib.contextmanager
def _readable(place: Path) -> Iterator[None]:
    """orbax and tensorstore meet what they cannot read with errors of many types; to the user they are one.

    The hashes held, so that the bytes are those that were written: nothing here proves that data are damaged.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        fault = system_fault(error, place)
        if fault is None:
            fault = InputError(f"{place}: the checkpoint cannot be read ({first_line(error)})", "unreadable")
        raise fault from error


def _types(state: State) -> dict[str, str]:
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {jax.tree_util.keystr(path): f"{leaf.dtype}{list(leaf.shape)}" for path, leaf in leaves}


def restore_params(folder: Path) -> tuple[int, Any]:
    """Step and parameters of the newest whole checkpoint, on the default device; optimiser state is left on disk.

    They are the best ones of a personalised run, the running average where the run keeps one, without what only
    training with a teacher needs.

    Raises:
        InputError: there is none, it is damaged, or a parameter is not finite.
    """
    step = newest_step(folder)
    if step is None:
        raise InputError(f"{folder}: no finished checkpoint; train the run first", "not-finished")
    place = folder / str(step)
    if not _is_signed(place):
        raise InputError(
            f"{place}: has no {HASHES}, by which its bytes are known to be right; run the same train command again, "
            "which writes it",
            "unsigned",
        )
    _check(place)
    path = (place / STATE).absolute()
    handler = ocp.PyTreeCheckpointHandler()
    with _readable(path.parent), contextlib.closing(handler):
        found = handler.metadata(path).tree
        name = next(one for one in ("best", "average", "params") if one in found)
        device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
        wanted = without_extra(found[name])
        item = {name: jax.tree.map(lambda m: jax.ShapeDtypeStruct(m.shape, m.dtype, sharding=device), wanted)}
        arguments = jax.tree.map(lambda s: ocp.ArrayRestoreArgs(sharding=s.sharding), item)
        restored = handler.restore(
            path, args=ocp.args.PyTreeRestore(item=item, restore_args=arguments, partial_restore=True)
        )
    check_finite(restored[name], str(place))
    return step, restored[name]
