"""The processes of a run, from the environment: semgjax's own variables, Slurm's, or those of a TPU slice on GKE."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from semgjax.errors import InputError
from semgjax.parallel.hosts import address_of, host_names, whole_number

Start = Literal["auto", "one", "tpu"]
_PORT = 8476
_NO_TASKS = (
    "4294967290",
    "4294967291",
    "4294967292",
)  # Slurm's steps of shells, batch scripts and logins


@dataclass(frozen=True)
class Processes:
    """The processes of a run: address of the first one, their number, and the index of this one."""

    coordinator: str
    count: int
    index: int
    source: str
    """where these values come from, for messages"""
    local_devices: tuple[int, ...] | None = None
    """devices of this process; None: all devices of its machine"""

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 <= self.index < self.count:
            raise InputError(
                f"{self.source}: process {self.index} of {self.count} is impossible; number the processes from 0",
                "bad-environment",
            )


def find_processes(start: Start, environment: Mapping[str, str]) -> Processes | None:
    """The processes that the environment describes; None for a single process.

    In this order: SEMGJAX_PROCESSES, SEMGJAX_PROCESS and SEMGJAX_COORDINATOR (the second defaults to a Kubernetes
    job's JOB_COMPLETION_INDEX); a Slurm step of several tasks; the variables that GKE sets in the pods of one or more
    TPU slices. An empty variable counts as unset. The variables of a Slurm job outside a step (a shell of salloc, ssh
    or an editor) are ignored, since no other task was started.

    Raises:
        InputError: a variable is missing, is not a number or cannot be parsed ("bad-environment").
    """
    if start == "one":
        return None
    given = {name: value for name, value in environment.items() if value.strip()}
    if "SEMGJAX_PROCESSES" in given:
        return _explicit(given)
    return _slurm(given) or _gke(given)


def _number(given: Mapping[str, str], name: str, other: str | None = None, default: int | None = None) -> int:
    found = given.get(name, given.get(other, "") if other else "")
    number = whole_number(found) if found or default is None else default
    if number is None:
        raise InputError(f"environment: {name} is {found!r}; set it to a whole number", "bad-environment")
    return number


def _explicit(given: Mapping[str, str]) -> Processes | None:
    count = _number(given, "SEMGJAX_PROCESSES")
    if count == 1:
        return None
    index = _number(given, "SEMGJAX_PROCESS", "JOB_COMPLETION_INDEX")
    address = given.get("SEMGJAX_COORDINATOR", "")
    if not address:
        raise InputError(
            "environment: SEMGJAX_COORDINATOR is not set; set it to the first process's HOST or HOST:PORT",
            "bad-environment",
        )
    return Processes(address_of(address, _PORT, "SEMGJAX_COORDINATOR"), count, index, "SEMGJAX_PROCESSES")


def _slurm(given: Mapping[str, str]) -> Processes | None:
    """One task per device, as usual for JAX on GPUs; the port differs between jobs on one machine.

    Within a step SLURM_NTASKS may still be the job's (srun --preserve-env, a shell started by srun), so the step's
    own count takes precedence.
    """
    step = "SLURM_STEP_NODELIST" in given and "SLURM_PROCID" in given
    if not step or given.get("SLURM_STEP_ID", given.get("SLURM_STEPID")) in _NO_TASKS:
        return None
    count = _number(given, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", default=1)
    if count == 1:
        return None
    port = 61440 + _number(given, "SLURM_JOB_ID") % 4096
    host = host_names(given["SLURM_STEP_NODELIST"].strip())[0]
    index, local = _number(given, "SLURM_PROCID"), _number(given, "SLURM_LOCALID")
    # A task that Slurm bound to one GPU sees only that one, as its device 0.
    bound = given.get("CUDA_VISIBLE_DEVICES", ",").count(",") == 0
    devices = (0,) if bound else (local,)
    alone = given.get("SLURM_STEP_NUM_NODES") == str(count)  # one task per machine owns all its devices
    return Processes(f"{host}:{port}", count, index, "Slurm", None if alone else devices)


# What libtpu sets TPU_WORKER_ID to in a process that finds no TPU; processes that are started later inherit it.
_NO_TPU = "WARNING: could not determine TPU worker"


def _gke(given: Mapping[str, str]) -> Processes | None:
    given = {name: value for name, value in given.items() if not value.startswith(_NO_TPU)}
    hosts = [host.strip() for host in given.get("TPU_WORKER_HOSTNAMES", "").split(",")]
    slices = _number(given, "MEGASCALE_NUM_SLICES", default=1)
    worker = _number(given, "TPU_WORKER_ID", default=None if len(hosts) > 1 or slices > 1 else 0)
    if len(hosts) == 1 and slices == 1:
        return None
    named = "MEGASCALE_COORDINATOR_ADDRESS" if "MEGASCALE_COORDINATOR_ADDRESS" in given else "TPU_WORKER_HOSTNAMES"
    first = given[named] if named == "MEGASCALE_COORDINATOR_ADDRESS" else hosts[0]
    host = address_of(first, _PORT, named).rpartition(":")[0]
    index = _number(given, "MEGASCALE_SLICE_ID", default=0) * len(hosts) + worker
    if worker >= len(hosts):
        raise InputError(
            f"environment: TPU_WORKER_ID is {worker} of {len(hosts)} hosts in TPU_WORKER_HOSTNAMES; set them to agree",
            "bad-environment",
        )
    return Processes(f"{host}:{_PORT}", len(hosts) * slices, index, "GKE")
