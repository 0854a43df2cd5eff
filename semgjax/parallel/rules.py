"""Sharding rules: ordered path patterns over the whole train state; optimiser moments follow their parameters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.sharding import NamedSharding, PartitionSpec

from semgjax.errors import InputError
from semgjax.parallel.mesh import AnyMesh


@dataclass(frozen=True)
class Rule:
    """Leaves whose path matches the pattern are split along their last dimensions over `axes`; () replicates them."""

    pattern: str
    axes: tuple[str | None, ...] = ()


RULES = (Rule(r"kernel$", ("fsdp",)), Rule(r""))
"""For any network; the first rule that fits a leaf holds."""


def rules_for(own: Sequence[tuple[str, tuple[str | None, ...]]]) -> tuple[Rule, ...]:
    """The rules of a network: its own (pattern, axes) first, then the general ones."""
    return (*(Rule(pattern, axes) for pattern, axes in own), *RULES)


def path_name(path: tuple[Any, ...]) -> str:
    """The path of a leaf as text: optimizer/1/0/mu/layers/expand/kernel."""
    return "/".join(str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in path)


def leaf_spec(name: str, shape: tuple[int, ...], mesh: AnyMesh, rules: Sequence[Rule] = RULES) -> PartitionSpec:
    """The partition of one leaf.

    Raises:
        InputError: its rule's axis does not divide the dimension, or the leaf has fewer dimensions than the rule.
    """
    rule = next((rule for rule in rules if re.search(rule.pattern, name)), None)
    if rule is None:
        raise InputError(f"sharding: no rule matches {name}; end the rules with one for all", "bad-value")
    if len(rule.axes) > len(shape):
        raise InputError(
            f"sharding: rule {rule.pattern!r} names {len(rule.axes)} dimensions, {name} is {shape}", "bad-value"
        )
    axes = (None,) * (len(shape) - len(rule.axes)) + rule.axes
    sizes = dict(mesh.shape)
    for dimension, (size, axis) in enumerate(zip(shape, axes, strict=True)):
        if axis is not None and size % sizes[axis]:
            raise InputError(
                f"sharding: rule {rule.pattern!r} splits dimension {dimension} of {name} {shape} by {axis} = "
                f"{sizes[axis]}, which does not divide {size}; choose another engine.{axis}",
                "bad-value",
            )
    split = [axis if axis is not None and sizes[axis] > 1 else None for axis in axes]
    return PartitionSpec(*split) if any(split) else PartitionSpec()


def shardings(tree: Any, mesh: AnyMesh, rules: Sequence[Rule] = RULES) -> Any:
    """A NamedSharding for every leaf of `tree` (arrays or their shapes).

    Raises:
        InputError: see `leaf_spec`.
    """
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: NamedSharding(mesh, leaf_spec(path_name(path), leaf.shape, mesh, rules)), tree
    )


def bytes_per_device(tree: Any, mesh: AnyMesh, rules: Sequence[Rule] = RULES) -> int:
    """Bytes of `tree` that one device holds."""
    placed = jax.tree.leaves(shardings(tree, mesh, rules))
    leaves = zip(jax.tree.leaves(tree), placed, strict=True)
    return sum(_size(place.shard_shape(leaf.shape)) * leaf.dtype.itemsize for leaf, place in leaves)


def table(tree: Any, mesh: AnyMesh, rules: Sequence[Rule] = RULES) -> list[str]:
    """One line per leaf: path, type and shape, mesh axes, and the part that one device holds."""
    rows = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = path_name(path)
        spec = leaf_spec(name, leaf.shape, mesh, rules)
        shown = ", ".join("-" if axis is None else str(axis) for axis in spec) or "copied"
        part = NamedSharding(mesh, spec).shard_shape(leaf.shape)
        rows.append((name, f"{leaf.dtype}{list(leaf.shape)}", shown, str(list(part))))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total
