"""Checks a document against an OpenAPI schema as Kubernetes does; a member that the schema has not is a fault, too."""

import re
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float),
}  # fmt: skip
_KNOWN = {
    "type", "properties", "required", "items", "enum", "pattern", "additionalProperties", "anyOf", "minimum",
    "maxItems", "maxLength", "minLength", "x-kubernetes-int-or-string",
}  # fmt: skip


def faults(schema: dict[str, Any], value: Any, where: str = "") -> list[str]:
    """What is wrong, by place; a schema with a word that is not understood here is an error, never passed over."""
    assert set(schema) <= _KNOWN, f"{where}: schema words {set(schema) - _KNOWN}"
    if schema.get("x-kubernetes-int-or-string"):
        return [] if isinstance(value, int | str) else [f"{where}: {value!r} is neither number nor text"]
    kind = schema.get("type")
    if kind is not None and (not isinstance(value, _TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))):
        return [f"{where}: {value!r} is no {kind}"]
    found = [f"{where}: lacks {name}" for name in schema.get("required", ()) if name not in value]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where}: {value!r} does not match {schema['pattern']}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{where}: {value} is below {schema['minimum']}")
    if kind in ("array", "string"):
        limits = schema.get("minLength", 0), schema.get("maxItems", schema.get("maxLength", len(value)))
        if not limits[0] <= len(value) <= limits[1]:
            found.append(f"{where}: length {len(value)} is not within {limits}")
    if kind == "array":
        return found + [f for i, item in enumerate(value) for f in faults(schema["items"], item, f"{where}[{i}]")]
    if kind != "object" or ("properties" not in schema and "additionalProperties" not in schema):
        return found
    for name, item in value.items():
        inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        found += [f"{where}: has no member {name}"] if inner is None else faults(inner, item, f"{where}.{name}")
    return found
