"""Parameters by name: "layers/expand/kernel" for the leaf params["layers"]["expand"]["kernel"]."""

from collections.abc import Mapping
from typing import Any

from semgjax.errors import InputError
from semgjax.model.encoder import Params


def by_name(params: Params) -> dict[str, Any]:
    """The leaves of a nested dict, by the keys on their path joined by "/", in sorted order.

    Raises:
        InputError: a key is no text, is empty or holds a "/" ("bad-name").
    """
    found: dict[str, Any] = {}

    def visit(tree: Mapping[str, Any], above: str) -> None:
        for key in sorted(tree):
            if not isinstance(key, str) or not key or "/" in key:
                raise InputError(f"parameters: the name {key!r} must be text without '/'", "bad-name")
            if isinstance(tree[key], Mapping):
                visit(tree[key], f"{above}{key}/")
            else:
                found[f"{above}{key}"] = tree[key]

    visit(params, "")
    return found


def nested(named: Mapping[str, Any]) -> Params:
    """The reverse of `by_name`.

    Raises:
        InputError: a name is a leaf and the beginning of another one ("bad-name").
    """
    params: Params = {}
    for name, leaf in sorted(named.items()):
        *above, last = name.split("/")
        place = params
        for key in above:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise InputError(f"parameters: {name} lies below another tensor", "bad-name")
        place[last] = leaf
    return params
