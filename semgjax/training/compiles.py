"""Compiled programs: where they are kept between starts, and a count that tells when a step is compiled again."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

_EVENT = "/jax/core/compile/backend_compile_duration"


@contextlib.contextmanager
def compile_count() -> Iterator[Callable[[], int]]:
    """The yielded function tells how many programs were compiled, or fetched from the cache, within the block."""
    seen: list[str] = []

    def listen(event: str, duration_secs: float, **_: Any) -> None:
        if event == _EVENT:
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield lambda: len(seen)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def use_cache(folder: Path | None) -> None:
    """Keep compiled programs on disk; a folder set by JAX_COMPILATION_CACHE_DIR stands.

    Without a folder: a temporary one on accelerators, whose programs take long to compile. None on CPUs, for a
    program compiled on one kind of CPU may fail on another that shares the folder.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    if folder is None:
        if jax.default_backend() == "cpu":
            return
        folder = Path(tempfile.gettempdir()) / f"semgjax-compiled-{os.getuid()}"
    jax.config.update("jax_compilation_cache_dir", str(folder.absolute()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
