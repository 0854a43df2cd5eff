"""Whether a table can determine a law at all: its inputs are there, in range, and vary in enough places."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.law import Law
from semgjax.scaling.table import Table, count_levels


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
    for name in fixed:
        law.parameter(name)
    names = [p.name for p in law.parameters if p.name not in fixed]
    if not names:
        raise InputError(f"every parameter of {law.name} is fixed; leave at least one to fit", "conflict")
    only = {name: table.x[name] for name in law.input_names}
    levels = int(replace(table, x=only).groups.max()) + 1
    inputs = ", ".join(table.column(name) for name in law.input_names)
    if levels < len(names):
        raise InputError(
            f"{table.source}: too-few-levels: {len(table.y)} points at {levels} different places ({inputs}), but "
            f"{law.formula} has {len(names)} parameters ({', '.join(names)}); it needs {len(names)} places, "
            f"and {len(names) + 1} for an interval",
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
