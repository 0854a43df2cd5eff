"""The decoder of `semgjax bench stream`: the preset tiny with random parameters, in every format that exports have."""

import sys
from pathlib import Path
from typing import get_args

import jax

from semgjax.data.band import TYPING
from semgjax.errors import InputError
from semgjax.exporting.export_folder import write_export
from semgjax.model import network
from semgjax.model.presets import preset
from semgjax.runtime.about import Format
from semgjax.training.run_config import recipe

OTHERS = ("onnx", "litert")


def write_tiny(folder: Path) -> dict[str, str]:
    """Runtime -> folder of its export."""
    config = preset("tiny")
    params = network.init(config, jax.random.key(0))
    found = {}
    for name in ("jax", *OTHERS):
        kind = "orbax" if name == "jax" else name
        if kind not in get_args(Format):
            print(f"stream.{name}.step: left out: there is no export of this format", file=sys.stderr)
            continue
        try:
            write_export(config, recipe("tiny").window, TYPING, params, {"preset": "tiny"}, folder / name, kind=kind)
        except (ImportError, InputError) as error:
            print(f"stream.{name}.step: left out: {error}", file=sys.stderr)
            continue
        found[name] = str(folder / name)
    return found
