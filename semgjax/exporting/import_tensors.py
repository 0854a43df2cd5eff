"""Parameters from outside as an export of format orbax: a safetensors file whose tensors are a network's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.exporting.export_folder import Export, load_export, params_hash, write_export
from semgjax.exporting.formats.orbax_files import is_orbax, read_bare
from semgjax.model import network
from semgjax.model.encoder import Params
from semgjax.model.finite import check_finite
from semgjax.model.kind import Network
from semgjax.model.named import by_name, nested
from semgjax.runtime.safetensors_runtime import read_tensors


def import_export(folder: Path, out: Path) -> dict[str, Any]:
    """Write an export again as one of format orbax; returns the body of its model.json.

    Raises:
        InputError: as `load_export` and `write_export`.
    """
    found: Export = load_export(folder)
    return write_export(found.config, found.window, found.band, found.params, found.about["source"], out)


def import_file(
    file: Path, config: Network, window: WindowSpec, band: Band, source: dict[str, Any], out: Path
) -> dict[str, Any]:
    """Write tensors by name as an export of format orbax; returns the body of its model.json.

    Args:
        file: a safetensors file, or the folder of an orbax checkpoint.
        config, window, band: what the tensors are for.
        source: what is known of them: preset, and in init the decoder that they are like.

    Raises:
        InputError: the file cannot be read, its tensors are not the network's ("tensor-misfit"), a number is not
            finite, or as `write_export`.
    """
    params = fitting(read_bare(file) if is_orbax(file) else read_tensors(file), config, str(file))
    check_finite(params, str(file))
    # Who trains it further names its start by `config`, as if it were a run; its parameters are all that is known.
    known = {"kind": "imported", "config": params_hash(params), "imported": file.name, **source}
    return write_export(config, window, band, params, known, out)


def fitting(tensors: Mapping[str, np.ndarray], config: Network, where: str) -> Params:
    """Tensors by name as a network's parameters.

    Raises:
        InputError: one is missing, unknown, or of another shape or type ("tensor-misfit").
    """
    check_fitting(by_name(jax.eval_shape(lambda: network.init(config, jax.random.key(0)))), tensors, where)
    return nested(tensors)


def check_fitting(expected: Mapping[str, Any], found: Mapping[str, Any], where: str) -> None:
    """Compare the names, shapes and types of tensors; the first difference is named.

    Raises:
        InputError: they differ ("tensor-misfit").
    """
    for names, fault in ((set(expected) - set(found), "lacks"), (set(found) - set(expected), "has")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            beside = "" if fault == "lacks" else ", which the network does not have"
            raise InputError(f"{where}: {fault} the tensor {min(names)!r}{more}{beside}", "tensor-misfit")
    for name, wanted in expected.items():
        if (tuple(found[name].shape), found[name].dtype) != (wanted.shape, wanted.dtype):
            raise InputError(
                f"{where}: tensor {name!r} is {found[name].dtype} {list(found[name].shape)}, the network's is "
                f"{wanted.dtype} {list(wanted.shape)}",
                "tensor-misfit",
            )
