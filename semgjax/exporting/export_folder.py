"""A self-contained export: DIR/model.json describes the decoder, DIR/params holds its parameters (orbax)."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from semgjax.config_json import from_json, to_json
from semgjax.data.band import TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.keys import KEY_NAMES
from semgjax.errors import InputError
from semgjax.files import check_hashes, content_hash, disk_faults, file_hashes, folder_lock, read_json, write_json
from semgjax.model import network
from semgjax.model.config import Network, network_from_json
from semgjax.model.encoder import Params, count_parameters
from semgjax.model.finite import check_finite
from semgjax.model.for_band import check_fits
from semgjax.one_report import report_once

MODEL, PARAMS = "model.json", "params"
SCHEMA, VERSION = "semgjax/model", 4
"""version 4 says of a distilled run how it was taught; 3 says the band; earlier ones are of two wrists and keys"""
_AGAIN = "write the export again"


@dataclass(frozen=True)
class Export:
    """A decoder loaded from an export."""

    config: Network
    window: WindowSpec
    band: Band
    params: Params
    about: dict[str, Any]
    """the content of model.json"""


def write_export(
    config: Network,
    window: WindowSpec,
    band: Band,
    params: Params,
    source: dict[str, Any],
    out: Path,
    check: Callable[[Path], object] | None = None,
) -> dict[str, Any]:
    """Write the export as a new folder, whole or not at all; returns the body of model.json.

    It is written to .NAME.part next to `out` and then renamed; the remains of a killed export are overwritten.

    Args:
        window: how sessions were cut in training, so that readers cut them alike.
        band: electrodes, sample rate and classes of the sessions.
        source: origin of the parameters (`semgjax.exporting.export_run.source_of`).
        check: called with the complete export before it is renamed; if it raises, nothing is left.

    Raises:
        InputError: `out` exists and is not an empty folder, another process writes it, or the disk is full.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not an empty folder; choose a new one for the export", "out-exists")
    check_finite(params, "the parameters to export")
    body = {
        "source": source,
        "params": count_parameters(params),
        "params_sha256": params_hash(params),
        "model": to_json(config),
        "window": to_json(window),
        "band": to_json(band),
        **_facts(config, band),
    }
    report_once()
    part = out.parent / f".{out.name}.part"
    with disk_faults(out), folder_lock(part):
        try:
            work = part / "export"
            shutil.rmtree(work, ignore_errors=True)
            with ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save((work / PARAMS).absolute(), params)
            body["files"] = file_hashes(work)
            body["body_sha256"] = content_hash(body)
            write_json(work / MODEL, SCHEMA, VERSION, body)
            if check is not None:
                check(work)
            if out.exists():
                out.rmdir()
            work.rename(out)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return body


def load_export(folder: Path) -> Export:
    """Read an export, independently of its run.

    Raises:
        InputError: no export, a missing or damaged file, or parameters that do not match model.json.
    """
    about = read_json(folder / MODEL, SCHEMA, VERSION, oldest=1)
    where = str(folder / MODEL)
    _check_body(about, where)
    config = network_from_json(about["model"], where)
    window = from_json(WindowSpec, about["window"], where)
    band = TYPING if about["version"] < 3 else from_json(Band, about["band"], where)
    check_fits(config, band)
    for name, value in _facts(config, band).items():
        if about.get(name) != value:
            raise InputError(
                f"{where}: {name} is {about.get(name)!r}, but this model has {value!r}; {_AGAIN}", "changed"
            )
    path = (folder / PARAMS).absolute()
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; the export is incomplete, write it again", "damaged")
    # Checked before orbax reads them: its errors about damaged files are not one clear line.
    check_hashes(path, _below(about["files"], PARAMS), _AGAIN)
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    with ocp.StandardCheckpointer() as checkpointer:
        tree = checkpointer.metadata(path).item_metadata.tree
        target = jax.tree.map(lambda m: jax.ShapeDtypeStruct(m.shape, m.dtype, sharding=device), tree)
        params = checkpointer.restore(path, target)
    if params_hash(params) != about["params_sha256"]:
        raise InputError(f"{folder}: the parameters do not match model.json (SHA-256 differs); {_AGAIN}", "damaged")
    expected = jax.eval_shape(lambda: network.init(config, jax.random.key(0)))
    if _shapes(expected) != _shapes(params):
        raise InputError(f"{where}: describes another model than the parameters; {_AGAIN}", "changed")
    check_finite(params, str(folder))
    return Export(config, window, band, params, about)


def _facts(config: Network, band: Band) -> dict[str, Any]:
    """Facts in model.json besides the configuration, for readers in any language."""
    look_ahead = config.look_ahead
    return {
        "sample_rate": band.rate,
        "frame_samples": config.stride,
        # None: the decoder normalises or attends over the whole window.
        "look_ahead_samples": look_ahead,
        "look_ahead_seconds": None if look_ahead is None else look_ahead / band.rate,
        "emission_delay_seconds": config.emission_delay / band.rate,
        **({"keys": list(KEY_NAMES)} if band.classes is None else {}),
        "blank": band.blank,
    }


def _check_body(about: dict[str, Any], where: str) -> None:
    """Raises InputError: a field is missing, or the document was edited (version 1 has no hash of itself)."""
    signed = ("body_sha256",) if about["version"] > 1 else ()
    newer = ("band",) if about["version"] > 2 else ()
    for name in ("model", "window", "files", "params_sha256", *signed, *newer):
        if name not in about:
            raise InputError(f"{where}: lacks the field {name!r}; {_AGAIN}", "bad-field")
    body = {name: value for name, value in about.items() if name not in ("schema", "version", "body_sha256")}
    if signed and content_hash(body) != about["body_sha256"]:
        raise InputError(f"{where}: was edited after it was written; {_AGAIN}", "changed")


def _below(hashes: Any, folder: str) -> Any:
    """The hashes of the files in a folder, by relative path."""
    if not isinstance(hashes, dict):
        return None
    return {name.removeprefix(f"{folder}/"): value for name, value in hashes.items()}


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
