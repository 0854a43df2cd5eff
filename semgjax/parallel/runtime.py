"""Start-up of one or many processes, and the operations that they perform together."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from semgjax.errors import InputError, SemgjaxError
from semgjax.parallel.environment import Processes, Start, find_processes

_MESSAGE_BYTES = 2000


def start_processes(start: Start = "auto", wait: int = 300, environment: Mapping[str, str] = os.environ) -> None:
    """Join the other processes of this run, if there are any; call it before computing.

    Args:
        start: auto: as the environment says (see `find_processes`); one: a single process in any case; tpu: the hosts
            of a TPU VM slice, from its metadata.
        wait: seconds to wait for the other processes.

    Raises:
        InputError: the environment is inconsistent, or not all processes joined in time.
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
    # Otherwise processes on CPUs could not communicate.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(**arguments, initialization_timeout=wait)
    except (RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise InputError(
            f"start-up: not all processes joined within {wait} s ({reason}); start every one of them", "bad-environment"
        ) from error


def _local_devices(found: Processes) -> list[int] | None:
    return None if found.local_devices is None else list(found.local_devices)


def _say(whom: str, wait: int) -> None:
    print(f"semgjax: waiting up to {wait} s for {whom}", file=sys.stderr, flush=True)


def check_started() -> None:
    """Check that a host of a larger machine does not train by itself.

    Raises:
        InputError: JAX sees devices of other hosts, but `start_processes` joined none ("bad-environment").
    """
    if jax.process_count() > 1 and not jax.distributed.is_initialized():
        raise InputError(
            f"this is one of {jax.process_count()} hosts; start the run on all of them with engine.start tpu",
            "bad-environment",
        )


def is_first() -> bool:
    """Whether this is the first process, which writes the run's small files."""
    return jax.process_index() == 0


def on_first(work: Callable[[], object]) -> None:
    """Do `work` in the first process only; if it fails there, all processes raise the same error."""
    if jax.process_count() == 1:
        work()
        return
    failure: Exception | None = None
    note = np.zeros(_MESSAGE_BYTES, np.uint8)
    if is_first():
        try:
            work()
        except Exception as error:  # raised below, once the other processes know
            failure = error
            kind = f"{getattr(error, 'exit_code', 1)} {getattr(error, 'code', 'failed')}"
            text = f"{kind} {error}".encode()[:_MESSAGE_BYTES]
            note[: len(text)] = np.frombuffer(text, np.uint8)
    sent = bytes(np.asarray(multihost_utils.broadcast_one_to_all(note), np.uint8)).rstrip(b"\0").decode(errors="ignore")
    if failure is not None:
        raise failure
    if sent:
        exit_code, code, message = sent.split(" ", 2)
        other = SemgjaxError(message, code)
        other.exit_code = int(exit_code)
        raise other


def from_all(row: np.ndarray) -> np.ndarray:
    """The numbers of all processes, [processes, ...]; equal in all of them."""
    if jax.process_count() == 1:
        return row[None]
    return np.asarray(multihost_utils.process_allgather(row)).reshape(jax.process_count(), *row.shape)
