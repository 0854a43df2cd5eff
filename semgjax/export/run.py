"""From a finished run directory to an export."""

from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.export.checkpoint import write_export
from semgjax.train.run import load_finished, read_result


def export_run(folder: Path, out: Path) -> dict[str, Any]:
    """Export a run's final parameters; returns model.json's body.

    Raises:
        InputError: the run is not finished, or `out` is taken.
    """
    config, params = load_finished(folder)
    result = read_result(folder)
    if result is None:
        raise InputError(f"{folder}: the run has no result yet; go on with it first")
    kept = ("preset", "kind", "config", "data", "teacher", "seed", "steps", "users", "hours", "scores")
    return write_export(config.model, config.window, params, {name: result[name] for name in kept}, out)
