"""A JAX profile of some steps, written to RUN/profile for TensorBoard, XProf or Perfetto."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import jax


@contextlib.contextmanager
def profiler(folder: Path, first: int, steps: int) -> Iterator[Callable[[int, object], None]]:
    """The yielded function is called before every step with its number and the last results; 0 steps profile nothing.

    A profile that is still running at the end of the block is written.
    """
    running = False

    def before(step: int, results: object) -> None:
        nonlocal running
        if steps and step == first:
            jax.block_until_ready(results)
            jax.profiler.start_trace(str(folder))
            running = True
        elif running and step == first + steps:
            jax.block_until_ready(results)
            jax.profiler.stop_trace()
            running = False

    try:
        yield before
    finally:
        if running:
            jax.profiler.stop_trace()
