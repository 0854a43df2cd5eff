"""Whether a table can determine a law at all: its inputs are there, in range, and vary in enough places."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.law import Law
from semgjax.scaling.laws import simpler_law
from semgjax.scaling.table import Table, count_levels

Array = np.ndarray


def check_table(table: Table, law: Law, fixed: Mapping[str, float]) -> None:
    """Raises InputError where the table cannot determine the law."""
    for name in law.input_names:
        if name not in table.x:
            raise InputError(
                f"{table.source}: law {law.name} needs the input {name} ({law.formula}); map it, {name}=COLUMN",
                "no-column",
            )
        values = table.x[name]
        zero = next(i.zero for i in law.inputs if i.name == name)
        for i in np.flatnonzero(values <= 0)[:1] if not zero else ():
            raise InputError(f"{table.source}: {name}[{i}] is {values[i]}, must be above 0", "bad-number")
        if values.max() >= 1e30 or values[values > 0].min(initial=1.0) <= 1e-30:
            raise InputError(f"{table.source}: {name} beyond 1e-30 to 1e30; give it in another unit", "bad-number")
    for part, whole in law.at_most.items():
        check_part(table.x[part], table.x[whole], table.column(part), table.column(whole), table.source)
    for name in fixed:
        law.parameter(name)
    names = [p.name for p in law.parameters if p.name not in fixed]
    if not names:
        raise InputError(f"every parameter of {law.name} is fixed; leave at least one to fit", "conflict")
    only = {name: table.x[name] for name in law.input_names}
    levels = int(replace(table, x=only).groups.max()) + 1
    inputs = ", ".join(table.column(name) for name in law.input_names)
    if levels < len(names):
        simpler = simpler_law(law, levels, tuple(fixed))
        instead = f", or --law {simpler.name.partition('(')[0]} ({simpler.formula})" if simpler else ""
        raise InputError(
            f"{table.source}: too-few-levels: {len(table.y)} points at {levels} different places ({inputs}), but "
            f"{law.formula} has {len(names)} parameters ({', '.join(names)}); it needs {len(names)} places, "
            f"and {len(names) + 1} for an interval{instead}",
            "too-few-levels",
        )
    defaulted = {i.name for i in law.inputs if i.default}
    for name in law.input_names:
        if count_levels(table.x[name]) < 2 and name not in defaulted:
            raise InputError(
                f"{table.source}: one-level: {table.column(name)} has the single value {table.x[name][0]:g}, so that "
                f"its effect in {law.formula} cannot be estimated; vary it, or choose a law without {name}",
                "too-few-levels",
            )


def check_part(part: Array, whole: Array, part_name: str, whole_name: str, source: str) -> None:
    """Raises InputError where values [n] exceed those [n] that they are a part of, by more than rounding."""
    wrong = np.flatnonzero(part > 1.01 * whole)
    if len(wrong):
        i = int(wrong[0])
        many = "the two columns seem to be swapped" if 2 * len(wrong) > len(part) else "correct the row"
        raise InputError(
            f"{source}: row {i + 1}: {part_name} = {part[i]:g} exceeds {whole_name} = {whole[i]:g}, "
            f"which it is a part of ({len(wrong)} of {len(part)} rows): {many}; Q is unique data, D all data",
            "swapped-columns",
        )
