"""Export of a finished run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.exporting.export_folder import write_export
from semgjax.training.run_folder import load_finished, read_result


def export_run(folder: Path, out: Path, check: Callable[[Path], object] | None = None) -> dict[str, Any]:
    """Export a run's final parameters; returns the body of model.json.

    Args:
        check: called with the complete export before it is renamed to `out`; if it raises, nothing is left.

    Raises:
        InputError: the run is not finished, or `out` is taken.
    """
    config, params = load_finished(folder)
    result = read_result(folder)
    if result is None:
        raise InputError(f"{folder}: the run has no result yet; resume it first", "not-finished")
    kept = (
        "preset",
        "kind",
        "config",
        "data",
        "teacher",
        "seed",
        "steps",
        "users",
        "hours",
        "metric",
        "spliced",
        "scores",
    )
    return write_export(
        config.model, config.window, config.band, params, {name: result[name] for name in kept}, out, check
    )
