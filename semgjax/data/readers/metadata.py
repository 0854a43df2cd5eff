"""Read the attributes of a session file: texts, and the JSON lists of keystrokes and prompts."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.errors import InputError


@dataclass(frozen=True)
class Keystroke:
    """One key press: pynput name of the key ("t", "Key.space") and unix seconds of the press."""

    key: str
    start: float


def text_attribute(path: Path, attributes: Mapping[str, object], name: str) -> str:
    """A text attribute; HDF5 gives str or bytes, depending on how it was written.

    Raises:
        InputError: missing, empty, or not a text.
    """
    if name not in attributes:
        raise InputError(f"{path}: attribute {name} is missing; download or write the file again", "bad-field")
    value = attributes[name]
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        text = None
    if not isinstance(text, str) or not text:
        raise InputError(f"{path}: attribute {name} is {_brief(value)}, expected a text; write it again", "bad-field")
    return text


def parse_list(path: Path, attributes: Mapping[str, object], name: str) -> list[Any]:
    """A JSON list in a text attribute.

    Raises:
        InputError: missing, not JSON, or not a list.
    """
    text = text_attribute(path, attributes, name)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: attribute {name} is not JSON ({error}); download the file again", "bad-json"
        ) from None
    if not isinstance(value, list):
        raise InputError(f"{path}: attribute {name} is a JSON {type(value).__name__}, expected a list", "bad-field")
    return value


def parse_keystrokes(path: Path, attributes: Mapping[str, object]) -> list[Keystroke]:
    """The keystrokes in the file's order; members other than key and start may be missing or extra.

    Raises:
        InputError: as `parse_list`, or a keystroke without a key name or a finite start.
    """
    strokes = []
    for index, record in enumerate(parse_list(path, attributes, "keystrokes")):
        place = f"{path}: keystrokes[{index}]"
        if not isinstance(record, dict):
            raise InputError(f"{place} is {_brief(record)}, expected an object with key and start", "bad-field")
        for member in ("key", "start"):
            if member not in record:
                raise InputError(f"{place} has no {member}; correct the attribute or leave the file out", "bad-field")
        key, start = record["key"], record["start"]
        if not isinstance(key, str) or not key:
            raise InputError(f"{place}: key is {_brief(key)}, expected a name such as 't' or 'Key.space'", "bad-field")
        strokes.append(Keystroke(key, _seconds(place, start)))
    return strokes


def _seconds(place: str, start: object) -> float:
    number = math.nan
    if isinstance(start, int | float) and not isinstance(start, bool):
        try:
            number = float(start)
        except OverflowError:
            number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{place}: start is {_brief(start)}, expected unix seconds", "bad-field")
    return number


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
