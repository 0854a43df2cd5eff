"""Export of a finished run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from semgjax.config_json import to_json
from semgjax.errors import InputError
from semgjax.exporting.export_folder import write_export
from semgjax.exporting.parity import Windows
from semgjax.losses.loss import name_and_settings
from semgjax.runtime.about import Format
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import load_finished, read_result

_KEPT = [
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
]


def export_run(
    folder: Path,
    out: Path,
    check: Callable[[Path], object] | None = None,
    kind: Format = "orbax",
    windows: Windows | None = None,
) -> dict[str, Any]:
    """Export a run's final parameters; returns the body of model.json.

    Args:
        kind, windows: see `semgjax.exporting.export_folder.write_export`.
        check: called with the complete export before it is renamed to `out`; if it raises, nothing is left.

    Raises:
        InputError: the run is not finished, or `out` is taken.
    """
    config, params = load_finished(folder)
    result = read_result(folder)
    if result is None:
        raise InputError(f"{folder}: the run has no result yet; resume it first", "not-finished")
    return write_export(
        config.model, config.window, config.band, params, source_of(config, result), out, check, kind, windows
    )


def source_of(config: RunConfig, result: dict[str, Any]) -> dict[str, Any]:
    """What an export says of its run; of a distilled one also how it was taught and by whom.

    loss: name and options that differ; distill: the teacher's part in it, with the teachers' identities; teachers: the
    members OF_TEACHER of each one's result, or its identity alone if the run is of a version that recorded no more.
    """
    source = {name: result[name] for name in _KEPT}
    if config.distill is None:
        return source
    identities = () if config.distill.by_itself else (config.distill.teacher, *config.distill.also)
    return source | {
        "loss": name_and_settings(config.loss),
        "distill": to_json(config.distill),
        "teachers": result.get("teachers", [{"config": one} for one in identities]),
    }
