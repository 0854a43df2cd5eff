"""Start-up of one or many processes, and the few things they must do together. Writes nothing."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np
from jax.experimental import multihost_utils

from semgjax.errors import InputError, SemgjaxError

Start = Literal["auto", "one", "tpu"]
_PORT = 8476
_MESSAGE_BYTES = 2000


@dataclass(frozen=True)
class Processes:
    """The processes of one run: where the first one listens, how many there are, which one this is."""

    coordinator: str
    count: int
    index: int
    source: str
    """where these values come from, for the line that says who is awaited"""
    local_devices: tuple[int, ...] | None = None
    """devices of this process; None: all of its machine"""

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 <= self.index < self.count:
            raise InputError(
                f"{self.source}: process {self.index} of {self.count} cannot be; number the processes from 0"
            )


def find_processes(start: Start, environment: Mapping[str, str]) -> Processes | None:
    """Who takes part, from the environment; None for a process on its own.

    In this order: SEMGJAX_PROCESSES, SEMGJAX_PROCESS and SEMGJAX_COORDINATOR (a Kubernetes job's
    JOB_COMPLETION_INDEX stands in for the second); a Slurm step of several tasks; the variables that GKE gives the
    pods of a TPU slice, several slices too.

    Raises:
        InputError: a variable is missing or is no number.
    """
    if start == "one":
        return None
    if "SEMGJAX_PROCESSES" in environment:
        return _explicit(environment)
    if int(environment.get("SLURM_NTASKS", "1")) > 1 and "SLURM_STEP_NODELIST" in environment:
        return _slurm(environment)
    if "," in environment.get("TPU_WORKER_HOSTNAMES", "") or int(environment.get("MEGASCALE_NUM_SLICES", "1")) > 1:
        return _gke(environment)
    return None


def _number(environment: Mapping[str, str], name: str, other: str | None = None) -> int:
    found = environment.get(name, environment.get(other, "") if other else "")
    if not found.isdecimal():
        raise InputError(f"environment: {name} is {found!r}; set it to a whole number")
    return int(found)


def _explicit(environment: Mapping[str, str]) -> Processes | None:
    count = _number(environment, "SEMGJAX_PROCESSES")
    if count == 1:
        return None
    index = _number(environment, "SEMGJAX_PROCESS", "JOB_COMPLETION_INDEX")
    address = environment.get("SEMGJAX_COORDINATOR", "")
    if not address:
        raise InputError("environment: SEMGJAX_COORDINATOR is not set; set it to the first process's HOST or HOST:PORT")
    return Processes(_with_port(address, _PORT), count, index, "SEMGJAX_PROCESSES")


def _slurm(environment: Mapping[str, str]) -> Processes:
    """One task per device, as Slurm and JAX on GPUs want it; the port differs between jobs on one machine."""
    port = 61440 + _number(environment, "SLURM_JOB_ID") % 4096
    host = first_host(environment["SLURM_STEP_NODELIST"])
    local = _number(environment, "SLURM_LOCALID")
    count, index = _number(environment, "SLURM_NTASKS"), _number(environment, "SLURM_PROCID")
    # A task that Slurm bound to one GPU sees that one alone, as its device 0.
    bound = environment.get("CUDA_VISIBLE_DEVICES", ",").count(",") == 0
    devices = (0,) if bound else (local,)
    alone = environment.get("SLURM_STEP_NUM_NODES") == environment["SLURM_NTASKS"]  # one task per machine has it all
    return Processes(f"{host}:{port}", count, index, "Slurm", None if alone else devices)


def first_host(nodes: str) -> str:
    """The first name of a Slurm node list: node[001-015,020],other -> node001."""
    head, bracket, rest = nodes.partition("[")
    if not bracket or "," in head:
        return nodes.partition(",")[0]
    return head + rest.partition("]")[0].replace("-", ",").partition(",")[0]


def _gke(environment: Mapping[str, str]) -> Processes:
    hosts = environment.get("TPU_WORKER_HOSTNAMES", "").split(",")
    slices = int(environment.get("MEGASCALE_NUM_SLICES", "1"))
    first = environment.get("MEGASCALE_COORDINATOR_ADDRESS", "") or hosts[0]
    which = int(environment.get("MEGASCALE_SLICE_ID", "0"))
    index = which * len(hosts) + _number(environment, "TPU_WORKER_ID")
    return Processes(f"{first.partition(':')[0]}:{_PORT}", len(hosts) * slices, index, "GKE")


def _with_port(address: str, port: int) -> str:
    return address if ":" in address else f"{address}:{port}"


def start_processes(start: Start = "auto", wait: int = 300, environment: Mapping[str, str] = os.environ) -> None:
    """Join the other processes of this run, if there are any; call it before anything is computed.

    Args:
        start: auto: by the environment (see `find_processes`); one: alone whatever it says; tpu: a TPU VM, whose
            metadata name the hosts of the slice.
        wait: seconds until the others must have come.

    Raises:
        InputError: the environment does not fit, or not all came in time.
    """
    if jax.distributed.is_initialized():
        return
    found = find_processes(start, environment)
    if found is None and start != "tpu":
        return
    if found is None:
        _say("the hosts of this TPU slice, by its metadata", wait)
        arguments: dict[str, Any] = {}
    else:
        _say(f"{found.count} processes ({found.source}), this is number {found.index}, at {found.coordinator}", wait)
        arguments = {
            "coordinator_address": found.coordinator,
            "num_processes": found.count,
            "process_id": found.index,
            "local_device_ids": _local_devices(found),
        }
    # Otherwise processes that compute on CPUs could not talk to each other.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(**arguments, initialization_timeout=wait)
    except (RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise InputError(
            f"start-up: not all processes came within {wait} s ({reason}); start every one of them"
        ) from error


def _local_devices(found: Processes) -> list[int] | None:
    return None if found.local_devices is None else list(found.local_devices)


def _say(whom: str, wait: int) -> None:
    print(f"semgjax: waiting up to {wait} s for {whom}", file=sys.stderr, flush=True)


def check_started() -> None:
    """See that a host of a larger machine does not train on its own.

    Raises:
        InputError: JAX sees devices of other hosts, but nobody was awaited.
    """
    if jax.process_count() > 1 and not jax.distributed.is_initialized():
        raise InputError(
            f"this is one of {jax.process_count()} hosts; run the command on all of them with --engine.start tpu"
        )


def is_first() -> bool:
    """Whether this process writes the run's small files."""
    return jax.process_index() == 0


def on_first(work: Callable[[], object]) -> None:
    """Do `work` in the first process alone; if it fails there, the same error is raised in all of them."""
    if jax.process_count() == 1:
        work()
        return
    failure: Exception | None = None
    note = np.zeros(_MESSAGE_BYTES, np.uint8)
    if is_first():
        try:
            work()
        except Exception as error:  # raised below, when the others know
            failure = error
            kind = f"{getattr(error, 'exit_code', 1)} {getattr(error, 'code', 'failed')}"
            text = f"{kind} {error}".encode()[:_MESSAGE_BYTES]
            note[: len(text)] = np.frombuffer(text, np.uint8)
    told = bytes(np.asarray(multihost_utils.broadcast_one_to_all(note), np.uint8)).rstrip(b"\0").decode(errors="ignore")
    if failure is not None:
        raise failure
    if told:
        exit_code, code, message = told.split(" ", 2)
        other = SemgjaxError(message, code)
        other.exit_code = int(exit_code)
        raise other


def from_all(row: np.ndarray) -> np.ndarray:
    """Every process's numbers, [processes, ...]; the same in all of them."""
    if jax.process_count() == 1:
        return row[None]
    return np.asarray(multihost_utils.process_allgather(row)).reshape(jax.process_count(), *row.shape)
