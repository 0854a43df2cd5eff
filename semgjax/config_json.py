"""Frozen dataclasses of configuration <-> plain JSON values, strictly: nothing unknown, nothing missing."""

import dataclasses
import types
import typing
from typing import Any

from semgjax.errors import InputError

T = typing.TypeVar("T")


def to_json(config: Any) -> dict[str, Any]:
    """A configuration as plain JSON values (tuples become lists)."""
    return {
        key: list(v) if isinstance(v, tuple) else to_json(v) if dataclasses.is_dataclass(v) else v
        for key, v in ((f.name, getattr(config, f.name)) for f in dataclasses.fields(config))
    }


def from_json(kind: type[T], value: dict[str, Any], where: str) -> T:
    """Build `kind` from plain JSON, strictly: unknown or missing members are errors, as is a wrong type.

    Args:
        where: names the source in messages (a file's path).

    Raises:
        InputError: the value does not fit the dataclass.
    """
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = {f.name for f in fields}
    if not isinstance(value, dict) or set(value) - names:
        extra = sorted(set(value) - names) if isinstance(value, dict) else value
        raise InputError(f"{where}: {kind.__name__} has no member {extra}; was it written by another version?")
    members = {}
    for f in fields:
        if f.name not in value:
            raise InputError(
                f"{where}: {kind.__name__} lacks the member {f.name!r}; was it written by another version?"
            )
        members[f.name] = _convert(hints[f.name], value[f.name], f"{where}: {f.name}")
    return kind(**members)


def _convert(hint: Any, value: Any, where: str) -> Any:
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    for option in options:
        if option is type(None) and value is None:
            return None
        if dataclasses.is_dataclass(option) and isinstance(value, dict):
            return from_json(typing.cast(type, option), value, where)
        if typing.get_origin(option) is tuple and isinstance(value, list):
            return tuple(_convert(typing.get_args(option)[0], item, where) for item in value)
        if typing.get_origin(option) is typing.Literal and value in typing.get_args(option):
            return value
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if option in (int, str, bool) and type(value) is option:
            return value
    raise InputError(f"{where}: {value!r} is not of type {hint}")
