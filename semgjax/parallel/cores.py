"""A CPU's cores as devices, each with rows of its own. Writes nothing."""

import os

import jax


def use_cores(rows: int) -> None:
    """Let JAX see a CPU device for every core, as many as divide `rows`; call it before anything is computed.

    A step of two devices on two cores takes about three quarters of the time of one device with two threads
    (docs/log.md): arrays are half as large, so more of them stay in a core's cache, and threads meet once a step
    instead of in every operation. How many cores there are says NPROC, as for XLA's threads, else the system. Other
    devices are left as they are, and so are the CPU's where JAX_NUM_CPU_DEVICES is set.

    Args:
        rows: of a batch (of one part of it, see train.accumulate), or trials of a pack.
    """
    if int(os.environ.get("JAX_NUM_CPU_DEVICES", "-1")) > 0:
        return
    cores = int(os.environ.get("NPROC", "0")) or _usable()
    count = max((number for number in range(1, min(cores, rows) + 1) if rows % number == 0), default=1)
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError:
        return  # JAX has computed already (in a notebook, say) and keeps the devices that it has


def _usable() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
