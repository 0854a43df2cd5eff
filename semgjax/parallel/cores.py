"""One JAX device per CPU core, each with its share of the rows."""

import os

import jax


def use_cores(rows: int) -> None:
    """Make JAX see one CPU device per core, up to the largest number that divides `rows`; call it before computing.

    A step of two devices on two cores takes about three quarters of the time of one device with two threads
    (docs/log.md): arrays are half as large, so more of them stay in a core's cache, and threads synchronise once a
    step instead of in every operation. The number of cores is NPROC, as for XLA's threads, or else the system's. Other
    kinds of devices do not change, nor does anything if JAX_NUM_CPU_DEVICES is set.

    Args:
        rows: rows of a batch (of one part under gradient accumulation), or trials of a pack.
    """
    if int(os.environ.get("JAX_NUM_CPU_DEVICES", "-1")) > 0:
        return
    cores = int(os.environ.get("NPROC", "0")) or _usable()
    count = max((number for number in range(1, min(cores, rows) + 1) if rows % number == 0), default=1)
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError:
        return  # JAX has already computed (in a notebook, for example) and keeps its devices


def _usable() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
