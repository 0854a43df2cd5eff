"""Float64 on the CPU for the fits, without changing JAX's settings for anybody else."""

import contextlib
from collections.abc import Iterator

import jax


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """Inside, JAX computes in float64 on the CPU: fits are small, and accelerators are slow or lack it."""
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield
