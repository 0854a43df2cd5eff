"""A self-contained export: DIR/model.json describes the decoder, DIR/README.md is its card, the rest are its files."""

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from semgjax.config_json import from_json, to_json
from semgjax.data.band import TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.keys import KEY_NAMES
from semgjax.errors import InputError
from semgjax.exporting.card import card
from semgjax.exporting.formats.write_format import PROGRAMS_ONLY, check_int8, read_params, write_files
from semgjax.exporting.parity import Windows, check_parity, made_up
from semgjax.files import content_hash, disk_faults, file_hashes, folder_lock, write_atomic, write_json
from semgjax.model import network, streaming
from semgjax.model.config import Network, network_from_json
from semgjax.model.decode_costs import costs
from semgjax.model.encoder import Params, count_parameters
from semgjax.model.finite import check_finite
from semgjax.model.for_band import check_fits
from semgjax.one_report import report_once
from semgjax.runtime.about import AGAIN, CARD, MODEL, SCHEMA, VERSION, Format, read_about
from semgjax.runtime.open_export import open_files
from semgjax.runtime.runtimes import Runtime

MOST_SHOWN = 80
"""characters of a value in a message"""


@dataclass(frozen=True)
class Export:
    """A decoder loaded from an export."""

    config: Network
    window: WindowSpec
    band: Band
    params: Params
    about: dict[str, Any]
    """the content of model.json"""
    runtime: Runtime | None = None
    """what runs it, of a format that holds programs only; there are no params then"""

    @property
    def source(self) -> dict[str, Any]:
        """Where the parameters come from; empty in an export of a version that does not say."""
        return dict(self.about.get("source", {}))


def write_export(
    config: Network,
    window: WindowSpec,
    band: Band,
    params: Params,
    source: dict[str, Any],
    out: Path,
    check: Callable[[Path], object] | None = None,
    kind: Format = "orbax",
    windows: Windows | None = None,
    int8: bool = False,
) -> dict[str, Any]:
    """Write the export as a new folder, whole or not at all; returns the body of model.json.

    It is written to .NAME.part next to `out` and then renamed; the remains of a killed export are overwritten.

    Args:
        window: how sessions were cut in training, so that readers cut them alike.
        band: electrodes, sample rate and classes of the sessions.
        source: origin of the parameters (`semgjax.exporting.export_run.source_of`).
        check: called with the complete export before it is renamed; if it raises, nothing is left.
        kind: format of the files.
        windows: the signal on which the written files must give what JAX gives; None: made up for the band.
        int8: weights as int8, of formats onnx and litert.

    Raises:
        InputError: `out` exists and is not an empty folder, another process writes it, the disk is full, the network
            cannot be written in this format, or what was written gives other numbers than JAX ("parity").
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not an empty folder; choose a new one for the export", "out-exists")
    check_int8(kind, int8)
    check_finite(params, "the parameters to export")
    sha256 = params_hash(params)
    body = {
        "format": kind,
        "int8": int8,
        "source": source,
        "params": count_parameters(params),
        "params_sha256": sha256,
        "model": to_json(config),
        "window": to_json(window),
        "band": to_json(band),
        **facts(config, band),
        **_stream_facts(config),
        "costs": dataclasses.asdict(costs(config, window.total)),
    }
    report_once()
    part = out.parent / f".{out.name}.part"
    with disk_faults(out), folder_lock(part):
        try:
            work = part / "export"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            write_files(kind, config, params, band, window, work, int8)
            signal = made_up(config, band, window, sha256) if windows is None else windows
            body["parity"] = check_parity(kind, work, body, config, params, signal)
            body["bytes"] = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
            write_atomic(work / CARD, card(body))
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


def load_export(folder: Path, programs: bool = False) -> Export:
    """Read an export, independently of its run.

    Args:
        programs: also of a format that holds programs only, with their runtime in place of parameters.

    Raises:
        InputError: no export, a missing or damaged file, parameters that do not match model.json, or a format that
            holds none ("conflict").
    """
    about = read_about(folder)
    where = str(folder / MODEL)
    config = network_from_json(about["model"], where)
    window = from_json(WindowSpec, about["window"], where)
    band = TYPING if about["version"] < 3 else from_json(Band, about["band"], where)
    check_fits(config, band)
    derived = facts(config, band) | ({} if about["version"] < 5 else _whether_it_streams(config))
    for name, value in derived.items():
        if about.get(name) != value:
            found = _short(about.get(name))
            raise InputError(f"{where}: {name} is {found}, but this model has {_short(value)}; {AGAIN}", "changed")
    if programs and about["format"] in PROGRAMS_ONLY:
        return Export(config, window, band, {}, about, open_files(folder, about))
    params = read_params(about["format"], folder)
    if params_hash(params) != about["params_sha256"]:
        raise InputError(f"{folder}: the parameters do not match model.json (SHA-256 differs); {AGAIN}", "damaged")
    expected = jax.eval_shape(lambda: network.init(config, jax.random.key(0)))
    if _shapes(expected) != _shapes(params):
        raise InputError(f"{where}: describes another model than the parameters; {AGAIN}", "changed")
    check_finite(params, str(folder))
    return Export(config, window, band, params, about)


def facts(config: Network, band: Band) -> dict[str, Any]:
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


def _whether_it_streams(config: Network) -> dict[str, Any]:
    why = streaming.why_not(config)
    return {"streams": why is None, "no_stream": why}


def _stream_facts(config: Network) -> dict[str, Any]:
    """Whether a decoder streams, why not, and the arrays [1, ...] that it keeps between frames.

    The arrays are those of the programs that are written beside: another release may keep others.
    """
    why = streaming.why_not(config)
    state = () if why else streaming.state_shapes(config)
    return {
        **_whether_it_streams(config),
        "state": [
            {"name": f"state_{index}", "shape": list(part.shape), "dtype": part.dtype.name}
            for index, part in enumerate(state)
        ],
        "state_bytes": sum(part.size * part.dtype.itemsize for part in state),
    }


def _short(value: Any) -> str:
    """A value in a message of one line."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


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
