"""Frozen dataclasses of configuration <-> plain JSON values: nothing unknown; what has a default may be missing."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable
from typing import Any

from semgjax.config_history import first_members, old_default
from semgjax.errors import InputError
from semgjax.files import content_hash

T = typing.TypeVar("T")
_TAG = "network"


def to_json(config: Any) -> dict[str, Any]:
    """A configuration as plain JSON values (tuples become lists); a class with a NETWORK writes it as "network"."""
    return _members(config, to_json)


def identity(config: Any) -> str:
    """The hash of a configuration (64 hex digits), which neither a new member nor a new default moves.

    It covers the members of version 1 and, of those added since, the ones that differ from the default that they were
    added with (semgjax.config_history). What is read back from `to_json` has the same.
    """
    return content_hash(_counted(config))


def from_json(kind: type[T], value: dict[str, Any], where: str) -> T:
    """Build `kind` from plain JSON: unknown members and wrong types are errors, as is a missing one without a default.

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
        if f.name in value:
            members[f.name] = _convert(hints[f.name], value[f.name], f"{where}: {f.name}")
            continue
        meant = default_in_files(kind, f, hints[f.name])
        if not meant:
            raise InputError(
                f"{where}: {kind.__name__} lacks the member {f.name!r}; was it written by another version?", "bad-field"
            )
        members[f.name] = meant[0]
    return kind(**members)


def default_in_files(kind: type, field: "dataclasses.Field[Any]", hint: Any) -> tuple[Any, ...]:
    """(what a file without this member means,): the default that it was added with; () where it may not be missing."""
    where = f"{kind.__name__}.{field.name}"
    old = old_default(kind, field.name)
    if old:
        return (_convert(hint, old[0], where),)
    if field.default is not dataclasses.MISSING:
        return (field.default,)
    if field.default_factory is dataclasses.MISSING:
        return ()
    if isinstance(field.default_factory, type) and dataclasses.is_dataclass(field.default_factory):
        return (from_json(field.default_factory, _head(field.default_factory), where),)
    return (field.default_factory(),)


def _counted(config: Any) -> dict[str, Any]:
    """The members that the hash covers, as plain JSON values."""
    kind, members = type(config), _members(config, _counted)
    first = first_members(kind)
    added = [f for f in dataclasses.fields(config) if f.name not in first]
    hints = typing.get_type_hints(kind) if added else {}
    for f in added:
        meant = default_in_files(kind, f, hints[f.name])
        if meant and _plain(meant[0], _counted) == members[f.name]:
            del members[f.name]
    return members


def _members(config: Any, inner: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    kind: Any = type(config)
    floats = _floats(kind)
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    return _head(kind) | {
        # A whole number in a field of floats is read back as a float, and the hash must not tell the two apart.
        name: float(value) if type(value) is int and name in floats else _plain(value, inner)
        for name, value in values.items()
    }


@functools.cache
def _floats(kind: type) -> frozenset[str]:
    """The fields that hold a float, or a float or nothing."""
    hints = typing.get_type_hints(kind)
    return frozenset(name for name, hint in hints.items() if hint is float or hint == float | None)


def _plain(value: Any, inner: Callable[[Any], dict[str, Any]]) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return inner(value) if dataclasses.is_dataclass(value) else value


def _head(kind: type) -> dict[str, Any]:
    """A class's JSON before its members: the name of its network, where it has one."""
    tag = _tag(kind)
    return {} if tag is None else {_TAG: tag}


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
