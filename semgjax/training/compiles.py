"""Compiled programs: the persistent cache, and a note when a step is compiled again."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

Step = Callable[..., Any]
_EVENT = "/jax/core/compile/backend_compile_duration"


@contextlib.contextmanager
def report_recompiles(note: Callable[[str], None], start: int) -> Iterator[Callable[[Step], Step]]:
    """Yields a wrapper for a step function: a compilation in any but its first two calls is passed to `note`.

    Args:
        note: takes one line of text.
        start: steps that were done before the first call.
    """
    seen: list[str] = []

    def listen(event: str, duration_secs: float, **_: Any) -> None:
        if event == _EVENT:
            seen.append(event)

    def watched(function: Step) -> Step:
        calls = 0

        def step(*arguments: Any) -> Any:
            nonlocal calls
            calls, compiled = calls + 1, len(seen)
            results = function(*arguments)
            if calls > 2 and len(seen) > compiled:
                note(f"step {start + calls}: compiled again; its batch has another shape or type")
            return results

        return step

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield watched
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def use_cache(folder: Path | None) -> None:
    """Keep compiled programs on disk; JAX_COMPILATION_CACHE_DIR takes precedence.

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
