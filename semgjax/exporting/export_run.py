"""Export of a finished run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from semgjax.config_json import to_json
from semgjax.data.corpus import Corpus
from semgjax.data.simulate.session_names import all_simulated
from semgjax.data.trained_on import names_from_json
from semgjax.errors import InputError
from semgjax.exporting.export_folder import Export, load_export, write_export
from semgjax.exporting.parity import windows_of
from semgjax.exporting.verify import check_sessions
from semgjax.losses.loss import name_and_settings
from semgjax.runtime.about import MODEL, Format
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import RESULT, load_finished, read_result

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
_PERSONAL = ["personal", "base", "known"]
MOST_LICENCE = 200
"""characters of the licence line"""


def export_run(
    folder: Path,
    out: Path,
    check: Callable[[Path], object] | None = None,
    kind: Format = "orbax",
    corpus: Corpus | None = None,
    licence: str = "",
    int8: bool = False,
) -> dict[str, Any]:
    """Export a run's final parameters, or those of an export in another format; returns the body of model.json.

    Args:
        folder: of the run, or of an export that holds parameters.
        check: called with the complete export before it is renamed to `out`; if it raises, nothing is left.
        kind: format of the files.
        corpus: sessions of the run, on which the files must give what JAX gives; None: made-up signal.
        licence: of the parameters, one line for the card; "": not stated.
        int8: weights as int8, of formats onnx and litert.

    Raises:
        InputError: the run is not finished, `out` is taken, the corpus is not the run's ("conflict"), the export is
            damaged or holds programs only, or see `semgjax.exporting.export_folder.write_export`.
    """
    if licence and (not licence.isprintable() or len(licence) > MOST_LICENCE):
        raise InputError(
            f"licence {licence[:40]!r}: give one line of at most {MOST_LICENCE} characters, such as CC-BY-4.0",
            "bad-value",
        )
    found = load_export(folder) if (folder / MODEL).is_file() else _of_run(folder)
    source = found.source | ({"licence": licence} if licence else {})
    windows = None
    if corpus is not None:
        check_sessions(str(folder), source, found.band, corpus)
        windows = windows_of(found.config, found.window, corpus)
    return write_export(found.config, found.window, found.band, found.params, source, out, check, kind, windows, int8)


def _of_run(folder: Path) -> Export:
    """
    Raises:
        InputError: the run is not finished.
    """
    config, params = load_finished(folder)
    result = read_result(folder)
    if result is None:
        raise InputError(f"{folder}: the run has no result yet; resume it first", "not-finished")
    return Export(config.model, config.window, config.band, params, {"source": source_of(config, result)})


def source_of(config: RunConfig, result: dict[str, Any]) -> dict[str, Any]:
    """What an export says of its run; of a distilled one also how it was taught and by whom.

    trained_on: as in the result, with hidden names: an export goes to other people than the sessions do; absent if the
    run did not record it. simulated: whether all those sessions are (`all_simulated`). personal, base, known: of a
    personalised run, as in its result; init: of one that began with a decoder's parameters.
    loss: name and options that differ; distill: the teacher's part in it, with the teachers' identities; teachers: the
    members OF_TEACHER of each one's result, or its identity alone if the run is of a version that recorded no more.
    """
    source = {name: result[name] for name in _KEPT}
    if config.personal is not None:
        source |= {name: result[name] for name in _PERSONAL}
    if config.init:
        source["init"] = result["init"]
    if "trained_on" in result:
        source["simulated"] = all_simulated(result["trained_on"]["sessions"])
        source["trained_on"] = names_from_json(result["trained_on"], RESULT).hidden().as_json()
    if config.distill is None:
        return source
    identities = () if config.distill.by_itself else (config.distill.teacher, *config.distill.also)
    return source | {
        "loss": name_and_settings(config.loss),
        "distill": to_json(config.distill),
        "teachers": result.get("teachers", [{"config": one} for one in identities]),
    }
