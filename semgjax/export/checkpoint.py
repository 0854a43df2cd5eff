"""A self-contained export: DIR/model.json (what the decoder is) and DIR/params (orbax), all that reading needs."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from semgjax.config_json import from_json, to_json
from semgjax.data.keys import KEY_NAMES
from semgjax.data.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.files import read_json, write_json
from semgjax.model import network
from semgjax.model.config import SAMPLE_RATE, Network, network_from_json
from semgjax.model.encoder import Params, count_parameters

MODEL, PARAMS = "model.json", "params"


@dataclass(frozen=True)
class Export:
    """A decoder as loaded from disk."""

    config: Network
    window: WindowSpec
    params: Params
    about: dict[str, Any]
    """all of model.json"""


def write_export(
    config: Network, window: WindowSpec, params: Params, source: dict[str, Any], out: Path
) -> dict[str, Any]:
    """Write the export as a whole new folder; returns model.json's body.

    Args:
        window: how sessions were cut in training, so that readers cut them alike.
        source: where the parameters come from (preset, kind, run, data, teacher, scores).

    Raises:
        InputError: `out` exists and is not an empty folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not an empty folder; choose a new one for the export")
    out.parent.mkdir(parents=True, exist_ok=True)
    look_ahead = config.look_ahead
    body = {
        "source": source,
        "params": count_parameters(params),
        "params_sha256": params_hash(params),
        "model": to_json(config),
        "window": to_json(window),
        "sample_rate": SAMPLE_RATE,
        "frame_samples": config.stride,
        # None: the decoder normalises over the whole window, or attends over all of it.
        "look_ahead_samples": look_ahead,
        "look_ahead_seconds": None if look_ahead is None else look_ahead / SAMPLE_RATE,
        "emission_delay_seconds": config.emission_delay / SAMPLE_RATE,
        "keys": list(KEY_NAMES),
        "blank": len(KEY_NAMES),
    }
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save((work / PARAMS).absolute(), params)
        body["files"] = _file_hashes(work)
        write_json(work / MODEL, "semgjax/model", 1, body)
        work.chmod(0o755)
        if out.exists():
            out.rmdir()
        work.rename(out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return body


def load_export(folder: Path) -> Export:
    """Read an export; nothing of the run that made it is needed.

    Raises:
        InputError: no export, a file that is missing or damaged, or parameters that do not match model.json.
    """
    about = read_json(folder / MODEL, "semgjax/model", 1)
    where = str(folder / MODEL)
    missing = [name for name in ("model", "window", "files", "params_sha256") if name not in about]
    if missing:
        raise InputError(f"{where}: lacks the member {missing[0]!r}; write the export again")
    config = network_from_json(about["model"], where)
    window = from_json(WindowSpec, about["window"], where)
    path = (folder / PARAMS).absolute()
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; the export is incomplete, write it again")
    # Every byte is checked before orbax sees it: what it says about damaged files is no single clear line.
    _check_files(folder, about["files"])
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    with ocp.StandardCheckpointer() as checkpointer:
        tree = checkpointer.metadata(path).item_metadata.tree
        target = jax.tree.map(lambda m: jax.ShapeDtypeStruct(m.shape, m.dtype, sharding=device), tree)
        params = checkpointer.restore(path, target)
    if params_hash(params) != about["params_sha256"]:
        raise InputError(f"{folder}: the parameters do not match model.json (SHA-256 differs); write the export again")
    expected = jax.eval_shape(lambda: network.init(config, jax.random.key(0)))
    if _shapes(expected) != _shapes(params):
        raise InputError(f"{where}: describes another model than the parameters beside it; write the export again")
    return Export(config, window, params, about)


def _file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below, by its path within the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _file_hash(path) for path in files}


def _file_hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_files(folder: Path, hashes: Any) -> None:
    if not isinstance(hashes, dict) or not hashes:
        raise InputError(f"{folder / MODEL}: 'files' is no list of the parameters' files; write the export again")
    for name, recorded in hashes.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path}: no such file; the export is incomplete, write it again")
        if _file_hash(path) != recorded:
            raise InputError(f"{path}: is damaged (its SHA-256 is not that of model.json); write the export again")


def _shapes(params: Params) -> list[tuple[str, tuple[int, ...]]]:
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return [(jax.tree_util.keystr(path), leaf.shape) for path, leaf in leaves]


def params_hash(params: Params) -> str:
    """SHA-256 over names, types, shapes and bytes of all parameters."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        array = np.asarray(leaf)
        digest.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape};".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
