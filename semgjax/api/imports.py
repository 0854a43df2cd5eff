"""`semgjax.import_parameters`: parameters from outside as a decoder folder."""

from pathlib import Path

from semgjax.api.models import place_of
from semgjax.api.runs import Export, Run
from semgjax.data.band import TYPING
from semgjax.data.corpus import read_band
from semgjax.errors import InputError
from semgjax.exporting.formats.orbax_files import is_orbax
from semgjax.exporting.import_tensors import import_export, import_file
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset as preset_of
from semgjax.personalising.base import load_base
from semgjax.runtime.about import MODEL
from semgjax.training.mirror import finished_folder
from semgjax.training.run_config import recipe
from semgjax.training.run_folder import CONFIG


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
        source: an export with parameters, its address, or tensors with the names, shapes and types of a network's
            parameters: a safetensors file, or the folder of an orbax checkpoint.
        out: new folder.
        like: of tensors: a run or export whose network, windows and band they are for.
        preset: of tensors, in place of like: the size whose network they are for.
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
    if not _is_tensors(Path(place)):
        with finished_folder(place) as folder:
            _check_is_export(place, folder)
            if like is not None or preset is not None or data is not None:
                raise InputError(
                    f"{place}: an export says itself what it is; leave like, preset and data out", "conflict"
                )
            return Export(str(out), import_export(folder, target))
    if (like is None) == (preset is None):
        raise InputError(
            f"{place}: does not say which network its tensors are for; name either a decoder that it is like (--like), "
            "or a preset (--preset)",
            "conflict",
        )
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


def _is_tensors(path: Path) -> bool:
    """Whether a source is tensors alone, without a model.json that says what they are for."""
    return (path.suffix == ".safetensors" and not path.is_dir()) or (is_orbax(path) and not (path / MODEL).is_file())


def _check_is_export(place: str, folder: Path) -> None:
    """
    Raises:
        InputError: it is a run ("conflict"), or holds nothing that can be read ("no-file").
    """
    if (folder / MODEL).is_file():
        return
    if (folder / CONFIG).is_file():
        raise InputError(f"{place}: is a run, which --init of another run takes as it is; or export it", "conflict")
    raise InputError(
        f"{place}: is no export ({MODEL}), no orbax checkpoint (_METADATA) and no FILE.safetensors; give one of these",
        "no-file",
    )
