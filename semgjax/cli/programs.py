"""Where a short command keeps its compiled programs between calls."""

import hashlib
import os
import platform
import sys
from pathlib import Path


def keep_programs() -> None:
    """Let JAX keep what it compiles in the user's cache folder, so that the next call starts in a third of the time.

    Works only before JAX is imported, as in a command from the shell. A folder set by JAX_COMPILATION_CACHE_DIR stands.
    """
    if "jax" in sys.modules:
        return
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "semgjax" / f"programs-{_machine()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a home folder that cannot be written: every call compiles, and nothing else changes
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def _machine() -> str:
    """Names the kind of CPU: a program compiled on one may fail on another that shares the home folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        kind = "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    except FileNotFoundError:  # not Linux
        kind = platform.processor()
    return hashlib.sha256(f"{platform.machine()}\n{kind}".encode()).hexdigest()[:12]
