"""Configuration dataclasses <-> plain JSON: unknown fields are errors; fields with a default may be missing."""

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
_TAGS = {"network": "NETWORK", "loss": "LOSS"}
"""member in JSON -> class attribute that holds its value, of classes that a name distinguishes"""


def to_json(config: Any) -> dict[str, Any]:
    """A configuration as plain JSON values: tuples become lists, NETWORK becomes "network" and LOSS "loss"."""
    return _members(config, to_json)


def identity(config: Any) -> str:
    """The hash of a configuration (64 hex digits), which new fields and new defaults do not change.

    It covers the fields of version 1 and the later ones that differ from the default that they were added with
    (semgjax.config_history). A configuration that is read back from `to_json` has the same hash.
    """
    return content_hash(_counted(config))


def from_json(kind: type[T], value: dict[str, Any], where: str) -> T:
    """Build `kind` from plain JSON.

    Args:
        where: name of the source in messages (a file's path).

    Raises:
        InputError: a field is unknown, of a wrong type, or missing without a default.
    """
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = {f.name for f in fields}
    if isinstance(value, dict):
        for member, tag in _head(kind).items():
            if value.get(member) != tag:
                raise InputError(f"{where}: {member} is {value.get(member)!r}, expected {tag!r}", "wrong-schema")
            value = {name: other for name, other in value.items() if name != member}
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
    """(the value of this field in a file that lacks it,): the default that it was added with; () if it is required."""
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
    """The fields that the hash covers, as plain JSON values."""
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
    """A class's JSON before its members: the name of its network or loss, where it has one."""
    tags = {member: getattr(kind, attribute, None) for member, attribute in _TAGS.items()}
    return {member: tag for member, tag in tags.items() if tag is not None}


def one_from_json(kinds: tuple[type[T], ...], value: dict[str, Any], where: str) -> T:
    """Build the one of `kinds` that the value's "network" or "loss" names; without a name, the kind without one.

    Files written when there was only one kind stay readable, and keep their hashes.

    Raises:
        InputError: it names none of them, or does not fit the one that it names.
    """
    heads = [_head(kind) for kind in kinds]
    members = {member for head in heads for member in head}
    named = {m: value[m] for m in members if m in value} if isinstance(value, dict) and len(kinds) > 1 else heads[0]
    found = [kind for kind, head in zip(kinds, heads, strict=True) if head == named]
    if not found:
        known = ", ".join(repr(tag) for head in heads for tag in head.values())
        raise InputError(
            f"{where}: {', '.join(sorted(members))} {list(named.values())} is unknown, expected {known}; import the "
            "module that registers it (SEMGJAX_IMPORT=MODULE for a command), or was it written by another version?",
            "wrong-schema",
        )
    return from_json(found[0], value, where)


def _kinds(option: Any) -> tuple[Any, ...]:
    """The dataclasses that an option of a type hint stands for: itself, or what is registered for a base class."""
    if dataclasses.is_dataclass(option):
        return (option,)
    return tuple(option.kinds()) if hasattr(option, "kinds") else ()


def _convert(hint: Any, value: Any, where: str) -> Any:
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    kinds = tuple(kind for option in options for kind in _kinds(option))
    if kinds and isinstance(value, dict):
        return one_from_json(kinds, value, where)
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
