"""Frozen dataclasses of configuration <-> plain JSON values, strictly: nothing unknown, nothing missing."""

import dataclasses
import types
import typing
from typing import Any

from semgjax.errors import InputError

T = typing.TypeVar("T")
_TAG = "network"


def to_json(config: Any) -> dict[str, Any]:
    """A configuration as plain JSON values (tuples become lists); a class with a NETWORK writes it as "network"."""
    tag = _tag(type(config))
    return ({} if tag is None else {_TAG: tag}) | {
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
    tag = _tag(kind)
    if tag is not None and isinstance(value, dict):
        if value.get(_TAG) != tag:
            raise InputError(f"{where}: {_TAG} is {value.get(_TAG)!r}, expected {tag!r}", "wrong-schema")
        value = {name: member for name, member in value.items() if name != _TAG}
    if not isinstance(value, dict) or set(value) - names:
        extra = sorted(set(value) - names) if isinstance(value, dict) else value
        raise InputError(
            f"{where}: {kind.__name__} has no member {extra}; was it written by another version?", "bad-field"
        )
    members = {}
    for f in fields:
        if f.name not in value:
            raise InputError(
                f"{where}: {kind.__name__} lacks the member {f.name!r}; was it written by another version?", "bad-field"
            )
        members[f.name] = _convert(hints[f.name], value[f.name], f"{where}: {f.name}")
    return kind(**members)


def one_from_json(kinds: tuple[type[T], ...], value: dict[str, Any], where: str) -> T:
    """Build the one of `kinds` that the value's "network" names; a value without one is of the kind without one.

    So files that were written when there was one kind stay readable, and keep their hashes.

    Raises:
        InputError: it names none of them, or does not fit the one it names.
    """
    named = value.get(_TAG) if isinstance(value, dict) and len(kinds) > 1 else _tag(kinds[0])
    found = [kind for kind in kinds if _tag(kind) == named]
    if not found:
        known = ", ".join(repr(tag) for tag in map(_tag, kinds) if tag is not None)
        raise InputError(
            f"{where}: {_TAG} {named!r} is unknown, expected {known} or none; was it written by another version?",
            "wrong-schema",
        )
    return from_json(found[0], value, where)


def _tag(kind: type) -> str | None:
    return getattr(kind, "NETWORK", None)


def _convert(hint: Any, value: Any, where: str) -> Any:
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    kinds = tuple(option for option in options if dataclasses.is_dataclass(option))
    if kinds and isinstance(value, dict):
        return one_from_json(typing.cast(tuple[type, ...], kinds), value, where)
    for option in options:
        if option is type(None) and value is None:
            return None
        if typing.get_origin(option) is tuple and isinstance(value, list):
            return tuple(_convert(typing.get_args(option)[0], item, where) for item in value)
        if typing.get_origin(option) is dict and isinstance(value, dict):
            return {name: _convert(typing.get_args(option)[1], item, where) for name, item in value.items()}
        if typing.get_origin(option) is typing.Literal and value in typing.get_args(option):
            return value
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if option in (int, str, bool) and type(value) is option:
            return value
    raise InputError(f"{where}: {value!r} is not of type {hint}", "bad-field")
