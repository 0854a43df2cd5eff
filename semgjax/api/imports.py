"""`semgjax.import_parameters`: parameters from outside as a decoder folder."""

from pathlib import Path

from semgjax.api.models import place_of
from semgjax.api.runs import Export, Run
from semgjax.data.band import TYPING
from semgjax.data.corpus import read_band
from semgjax.errors import InputError
from semgjax.exporting.import_tensors import import_export, import_file
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset as preset_of
from semgjax.personalising.base import load_base
from semgjax.training.mirror import finished_folder
from semgjax.training.run_config import recipe


def import_parameters(
    source: str | Path | Export,
    /,
    out: str | Path,
    *,
    like: str | Path | Run | Export | None = None,
    preset: str | None = None,
    data: str | Path | None = None,
    splits: str | Path | None = None,
) -> Export:
    """Write parameters as a decoder folder: an export of format orbax, which can be trained further.

    Args:
        source: an export with parameters, its address, or a safetensors file whose tensors have the names, shapes and
            types of a network's parameters.
        out: new folder.
        like: of a file: a run or export whose network, windows and band the tensors are for.
        preset: of a file, in place of like: the size whose network they are for.
        data, splits: with preset: sessions whose band it is made to fit (default: two wrists at 2 kHz).

    Raises:
        InputError: no such source, a tensor that is missing, unknown or of another shape or type ("tensor-misfit"), an
            export that is damaged or holds no parameters, options that do not fit the source ("conflict"), or `out` is
            taken.

    Example:
        >>> export = semgjax.export("runs/small", "exports/tensors", format="safetensors")
        >>> semgjax.import_parameters(export, "imported/small").about["format"]
        'orbax'
    """
    place, target = place_of(source), Path(out)
    if not place.endswith(".safetensors") or Path(place).is_dir():
        if like is not None or preset is not None or data is not None:
            raise InputError(f"{place}: an export says itself what it is; leave like, preset and data out", "conflict")
        with finished_folder(place) as folder:
            return Export(str(out), import_export(folder, target))
    if (like is None) == (preset is None):
        raise InputError(f"{place}: name either a decoder that it is like, or a preset", "conflict")
    if (like is not None and data is not None) or (data is None and splits is not None):
        raise InputError("data: only with preset, and splits only with data", "conflict")
    if like is not None:
        with finished_folder(place_of(like)) as folder:
            base = load_base(folder)
        given = {"preset": base.preset, "init": {**base.about, "config": base.identity, "preset": base.preset}}
        return Export(str(out), import_file(Path(place), base.model, base.window, base.band, given, target))
    assert preset is not None
    band = TYPING if data is None else read_band(Path(data), None if splits is None else Path(splits))
    shape, window = fit_to_band(preset_of(preset), band), recipe(preset, band).window
    return Export(str(out), import_file(Path(place), shape, window, band, {"preset": preset}, target))
