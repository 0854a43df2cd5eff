"""Which column of a table is which input of a law: the arguments that `fit`, `compare` and `report` share."""

from collections.abc import Mapping, Sequence
from typing import Any

from semgjax.scaling.compare import default_laws
from semgjax.scaling.law import Law
from semgjax.scaling.laws import law_for
from semgjax.scaling.read import EXTRA, read_table
from semgjax.scaling.table import Table


def mapping_of(columns: Mapping[str, str] | None, inputs: Mapping[str, str], y: str | None) -> dict[str, str]:
    """{input: column}, with "y" where it is named."""
    return {**(columns or {}), **inputs, **({} if y is None else {"y": y})}


def inputs_of(mapping: Mapping[str, str]) -> tuple[str, ...]:
    """The inputs of a law that are mapped."""
    return tuple(name for name in mapping if name not in (*EXTRA, "y"))


def filters_of(where: Mapping[str, Any] | None) -> dict[str, str]:
    """column -> value, as the table's text."""
    return {name: str(value) for name, value in (where or {}).items()}


def law_of(law: str | Law, mapping: Mapping[str, str]) -> Law:
    """The law of a name or of file.py:NAME; a family stands over the inputs that are mapped.

    Raises:
        InputError: no such law.
    """
    return law if isinstance(law, Law) else law_for(law, inputs_of(mapping))


def laws_and_points(
    table: Any, laws: Sequence[str | Law], mapping: Mapping[str, str], where: Mapping[str, Any] | None,
    unit: str | None,
) -> tuple[tuple[Law, ...], Table]:  # fmt: skip
    """The laws to compare, by default those over the mapped inputs, and the points of the table.

    Raises:
        InputError: no such law, table or column, or values that cannot be used.
    """
    chosen = tuple(law_of(law, mapping) for law in laws)
    inputs = chosen[0].input_names if chosen else inputs_of(mapping) or ("N",)
    return chosen or default_laws(inputs), read_table(table, mapping, filters_of(where), unit, inputs)
