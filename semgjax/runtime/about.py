"""What an export says of itself: DIR/model.json, checked against its own hash and those of the files beside it."""

from pathlib import Path
from typing import Any, Literal, get_args

from semgjax.errors import InputError
from semgjax.files import check_hashes, content_hash, read_json

MODEL, CARD, PARAMS = "model.json", "README.md", "params"
SCHEMA, VERSION = "semgjax/model", 5
"""version 5 says the format and whether it streams; 4 how a distilled run was taught; 3 the band; earlier ones are of
two wrists and keys, and all before 5 are orbax"""
AGAIN = "write the export again"
Format = Literal["orbax", "safetensors", "stablehlo", "onnx", "litert"]
"""formats of an export; each has its semgjax/exporting/formats/FORMAT_files.py and semgjax/runtime/FORMAT_runtime.py"""


def read_about(folder: Path) -> dict[str, Any]:
    """The content of model.json; older versions get format "orbax" and streams False.

    Raises:
        InputError: no export, one without its card, one that was edited, or a file that is missing, damaged or new.
    """
    about = read_json(folder / MODEL, SCHEMA, VERSION, oldest=1)
    _check_body(about, str(folder / MODEL))
    if about["version"] < 5:
        if not (folder / PARAMS).is_dir():
            raise InputError(f"{folder / PARAMS}: no such folder; the export is incomplete, {AGAIN}", "damaged")
        check_hashes(folder / PARAMS, _below(about["files"], PARAMS), AGAIN)
        return about | {"format": "orbax", "streams": False}
    if isinstance(about["files"], dict) and CARD not in about["files"]:
        raise InputError(f"{folder}: has no {CARD}, the card of the decoder; {AGAIN}", "damaged")
    check_hashes(folder, about["files"], AGAIN, beside=MODEL)
    return about


def check_format(about: dict[str, Any], folder: Path, *known: str) -> None:
    """
    Raises:
        InputError: the export is of another format than those known ("wrong-schema").
    """
    if about["format"] not in known:
        raise InputError(
            f"{folder}: its format is {about['format']!r}, not {' or '.join(known)}; give another export",
            "wrong-schema",
        )


def _check_body(about: dict[str, Any], where: str) -> None:
    """Raises InputError: a field is missing, or the document was edited (version 1 has no hash of itself)."""
    signed = ("body_sha256",) if about["version"] > 1 else ()
    newer = ("band",) if about["version"] > 2 else ()
    newest = ("format", "streams", "source") if about["version"] > 4 else ()
    for name in ("model", "window", "files", "params_sha256", *signed, *newer, *newest):
        if name not in about:
            raise InputError(f"{where}: lacks the field {name!r}; {AGAIN}", "bad-field")
    if not isinstance(about.get("source", {}), dict):
        raise InputError(f"{where}: source is {about['source']!r:.80}, expected an object; {AGAIN}", "bad-field")
    if newest and about["format"] not in get_args(Format):
        raise InputError(
            f"{where}: the format {about['format']!r} is unknown, expected {', '.join(get_args(Format))}; use the "
            "release that wrote it",
            "bad-field",
        )
    body = {name: value for name, value in about.items() if name not in ("schema", "version", "body_sha256")}
    if signed and content_hash(body) != about["body_sha256"]:
        raise InputError(f"{where}: was edited after it was written; {AGAIN}", "changed")


def _below(hashes: Any, folder: str) -> Any:
    """The hashes of the files in a folder, by relative path."""
    if not isinstance(hashes, dict):
        return None
    return {name.removeprefix(f"{folder}/"): value for name, value in hashes.items()}
