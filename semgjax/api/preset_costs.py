"""What presets cost to decode with, made to fit a band."""

from collections.abc import Sequence
from pathlib import Path

from semgjax.data.band import TYPING
from semgjax.data.corpus import read_band
from semgjax.errors import InputError
from semgjax.model.decode_costs import Costs, costs
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset
from semgjax.training.run_config import recipe


def decoding_costs(presets: Sequence[str], data: Path | None = None, splits: Path | None = None) -> dict[str, Costs]:
    """Costs by preset, with the windows of its recipe.

    Args:
        data: folder of sessions whose band the presets are made to fit; None: two wrists at 2 kHz.
        splits: split file (default: splits.json in the folder).

    Raises:
        InputError: an unknown preset, one that does not fit the band, or no such data.
    """
    if data is None and splits is not None:
        raise InputError("--splits needs --data", "conflict")
    band = TYPING if data is None else read_band(data, splits)
    return {name: costs(fit_to_band(preset(name), band), recipe(name, band).window.total) for name in presets}
