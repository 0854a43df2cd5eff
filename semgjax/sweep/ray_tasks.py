"""The Ray engine: every trial is a task of a new or existing Ray cluster; writes trials/<id>.log.

Ray chooses the node of a task by the resources that it requests. The sweep's folder and the sessions must have the same
path on every node, as on a shared file system, and semgjax must be installed there.
"""

import functools
import logging
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from semgjax.errors import InputError
from semgjax.files import folder_lock
from semgjax.sweep.grow import grow
from semgjax.sweep.local import Command, Ready, trial_command
from semgjax.sweep.plan import Sweep, Trial, read_sweep
from semgjax.sweep.runner import AGAIN, RETRIES, Order, Outcome, Report, no_tick, supervise
from semgjax.sweep.trial import PLACE, no_check


def run_ray(
    folder: Path,
    address: str | None = None,
    slots: int | None = None,
    cores: int = 1,
    resources: dict[str, float] | None = None,
    report: Report = print,
    command: Command = trial_command,
    order: Order = "cheapest",
    retries: int = RETRIES,
    tick: Callable[[], object] = no_tick,
    ready: Ready = no_check,
) -> Outcome:
    """Run the unfinished trials of a sweep as Ray tasks.

    Args:
        address: address of a cluster ("auto", "ray://host:port"); None starts Ray on this machine.
        slots: largest number of trials at a time; None leaves that to the resources.
        cores: processor cores of each trial.
        resources: other resources of a trial, such as {"GPU": 1}.
        ready: called before any trial starts; raises if the trials cannot run.

    Raises:
        InputError: no sweep, another engine is running it, no cluster, or one whose nodes can never run a trial.
        Preempted: SIGINT, SIGTERM or SIGHUP arrived; the running trials have saved.
    """
    sweep = read_sweep(folder)
    if slots is not None and slots < 1:
        raise InputError(f"slots {slots}: give 1 or more", "bad-value")
    _check_address(address)
    with folder_lock(sweep.folder):
        ready(sweep, sweep.trials)
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING, include_dashboard=False)
        except ConnectionError as error:
            raise InputError(
                f"address {address}: no Ray cluster answers ({str(error).splitlines()[0]})", "bad-value"
            ) from None
        try:
            wanted = {"CPU": float(cores), **(resources or {})}
            _check_nodes(wanted)
            most = len(sweep.trials) + sum(len(rung.seeds) for rung in sweep.rungs)
            launcher = _Tasks(sweep, slots or max(1, most), cores, wanted, command)
            more = functools.partial(grow, sweep, sweep.rungs)
            return supervise(sweep, sweep.trials, launcher, order, retries, report, tick, more=more)
        finally:
            ray.shutdown()


def _check_address(address: str | None) -> None:
    """Check the address first, for Ray itself retries a dead one for minutes."""
    match = re.fullmatch(r"(?:ray://)?(?:\[([0-9A-Fa-f:.%]+)\]|([^:/\[\]]+)):([0-9]{1,5})", address or "")
    if match is None or not 1 <= int(match[3]) <= 65_535:
        if address not in (None, "auto"):
            raise InputError(f"address {address}: write auto, HOST:PORT or ray://HOST:PORT", "bad-option")
        return
    try:
        socket.create_connection((match[1] or match[2], int(match[3])), timeout=10).close()
    except OSError as error:
        raise InputError(f"address {address}: no Ray cluster answers ({error})", "bad-value") from None


def _check_nodes(wanted: dict[str, float]) -> None:
    """Check that some node can hold a task; otherwise Ray would wait silently."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(all(node.get(name, 0) >= amount for name, amount in wanted.items()) for node in nodes):
        text = ", ".join(f"{name} {amount:g}" for name, amount in wanted.items())
        raise InputError(
            f"no node of the Ray cluster has the resources of a trial ({text}); request fewer cores", "bad-value"
        )


@ray.remote(max_retries=0)
def _run_task(words: list[str], log: str, place: str) -> int:
    """One attempt at a trial on any node; if it is cancelled, the trial saves first."""
    place = f"{place}, node {ray.get_runtime_context().get_node_id()[:8]}"
    with open(log, "ab") as file:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, PLACE: place},
        )
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return process.wait()


@dataclass(frozen=True)
class _Task:
    """A task (a Job)."""

    where: str
    log: Path
    log_start: int
    reference: Any

    def poll(self) -> int | None:
        if not ray.wait([self.reference], timeout=0)[0]:
            return None
        try:
            return ray.get(self.reference)
        except ray.exceptions.TaskCancelledError:
            return AGAIN
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError):
            return -signal.SIGKILL

    def stop(self) -> None:
        ray.cancel(self.reference)

    def kill(self) -> None:
        ray.cancel(self.reference, force=True)


class _Tasks:
    """Starts tasks (a Launcher)."""

    def __init__(self, sweep: Sweep, size: int, cores: int, wanted: dict[str, float], command: Command) -> None:
        self._sweep, self._cores, self._command = sweep, cores, command
        self.size = size
        others = {name: amount for name, amount in wanted.items() if name not in ("CPU", "GPU")}
        self._task = _run_task.options(num_cpus=wanted["CPU"], num_gpus=wanted.get("GPU", 0), resources=others)

    def start(self, pack: Sequence[Trial]) -> _Task:
        log = self._sweep.log(pack[0])
        log_start = log.stat().st_size if log.exists() else 0
        words = self._command(self._sweep.folder, ",".join(trial.id for trial in pack), self._cores)
        return _Task("Ray", log, log_start, self._task.remote(words, str(log), "Ray task"))
