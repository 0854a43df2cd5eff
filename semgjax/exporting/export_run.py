"""From a finished run directory to an export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.exporting.export_folder import write_export
from semgjax.training.run_folder import load_finished, read_result


def export_run(folder: Path, out: Path, check: Callable[[Path], object] | None = None) -> dict[str, Any]:
    """Export a run's final parameters; returns model.json's body.

    Args:
        check: looks at the whole export before it stands at `out`; what it raises leaves nothing behind.

    Raises:
        InputError: the run is not finished, or `out` is taken.
    """
    config, params = load_finished(folder)
    result = read_result(folder)
    if result is None:
        raise InputError(f"{folder}: the run has no result yet; resume it first", "not-finished")
    kept = ("preset", "kind", "config", "data", "teacher", "seed", "steps", "users", "hours", "scores")
    return write_export(config.model, config.window, params, {name: result[name] for name in kept}, out, check)
