"""The run directory: config.json (who the run is), checkpoints/, metrics.jsonl, result.json (it is done)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semgjax.config_history import VERSION
from semgjax.config_json import from_json, to_json
from semgjax.errors import InputError
from semgjax.files import read_json, write_json
from semgjax.training.run_config import RunConfig

if TYPE_CHECKING:
    from semgjax.model.encoder import Params

CONFIG, RESULT, METRICS, CHECKPOINTS = "config.json", "result.json", "metrics.jsonl", "checkpoints"
RESULT_SCHEMA, RESULT_VERSION = "semgjax/result", 4
"""version 1 lacks the member "loss", which config.json gives too; 1 and 2 lack band, metric, spliced and untrained, for
they are of two wrists and keys; 1 to 3 lack trained_on and, of distilled runs, teachers"""


def check_claim(folder: Path, config: RunConfig) -> None:
    """Check that `folder` is empty or holds this run.

    Raises:
        InputError: the folder holds another run or other files.
    """
    if (folder / CONFIG).exists():
        differences = _differences(to_json(read_config(folder)), to_json(config))
        if differences:
            raise InputError(
                f"{folder}: already holds another run ({'; '.join(differences)}); choose another folder", "conflict"
            )
    elif folder.is_dir():
        ours = (".lock", f".{CONFIG}.")  # a run killed while it wrote its first file leaves them
        strangers = sorted(p.name for p in folder.iterdir() if not p.name.startswith(ours))
        if strangers:
            raise InputError(
                f"{folder}: is not empty ({strangers[0]}) and holds no run; choose another folder", "out-exists"
            )
    elif folder.exists():
        raise InputError(f"{folder}: is a file; choose a folder", "not-a-file")


def claim(folder: Path, config: RunConfig) -> None:
    """Write config.json to `folder`, which the caller has locked."""
    check_claim(folder, config)
    if not (folder / CONFIG).exists():
        write_json(folder / CONFIG, "semgjax/config", VERSION, {"hash": config.hash, **to_json(config)})


def read_config(folder: Path) -> RunConfig:
    """The configuration of a run directory.

    Raises:
        InputError: there is none, or it was edited.
    """
    body = read_json(folder / CONFIG, "semgjax/config", VERSION, oldest=1)
    recorded = body.pop("hash", None)
    body.pop("schema"), body.pop("version")
    config = from_json(RunConfig, body, str(folder / CONFIG))
    if config.hash != recorded:
        raise InputError(f"{folder / CONFIG}: was edited after it was written; make a new run instead", "changed")
    return config


def read_result(folder: Path) -> dict[str, Any] | None:
    """The result of a finished run, of version 1 to 4; None of an unfinished one.

    Raises:
        InputError: the file is damaged or of another version.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    return {"metric": "cer", "spliced": False, **read_json(path, RESULT_SCHEMA, RESULT_VERSION, oldest=1)}


def load_finished(folder: Path) -> tuple[RunConfig, "Params"]:
    """Configuration and final parameters of a finished run.

    Raises:
        InputError: no run, or one that is not finished.
    """
    # Not at the top: to look at a run, as a sweep's table does, needs no JAX.
    from semgjax.training.checkpoint import restore_params

    config = read_config(folder)
    step, params = restore_params(folder / CHECKPOINTS)
    if step != config.train.steps or read_result(folder) is None:
        raise InputError(
            f"{folder}: the run is not finished (step {step} of {config.train.steps}); resume it first",
            "not-finished",
        )
    return config, params


def _differences(old: Any, new: Any, name: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [d for key in keys for d in _differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)]
    return [] if old == new else [f"{name} {old!r}, now {new!r}"]
