"""One law on one table in the numbers that the search works with: scaled and checked once, used by every layer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.scaling.enough import check_table
from semgjax.scaling.law import Law, signed
from semgjax.scaling.solver import curves
from semgjax.scaling.starts import bounds
from semgjax.scaling.table import Table

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Scaled:
    """A law on a table, in scaled numbers.

    reference: the geometric mean of each input; unit_y: that of y; the law is fitted to x / reference and y / unit_y.
    low, high [p]: bounds of the coordinates. fixed: parameters held at a given value.
    """

    law: Law
    table: Table
    reference: Mapping[str, float]
    unit_y: float
    low: Array
    high: Array
    fixed: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def x(self) -> dict[str, Array]:
        """Scaled inputs of the rows, {input: [n]}."""
        return self.inputs(self.table.x)

    @cached_property
    def y(self) -> Array:
        """Scaled y [n]."""
        return self.table.y / self.unit_y

    @cached_property
    def weights(self) -> Array:
        """Weights [n] from the stated noise, 1 for the median row."""
        table = self.table
        if table.sd is not None:
            return (np.median(table.sd) / table.sd) ** 2
        if table.keys is None:
            return np.ones(len(table.y))
        # A run's own noise is not known yet: it is taken as large as what the median number of keys gives.
        stated = 1.0 + np.median(table.keys) / table.keys
        return 2.0 / stated

    @cached_property
    def coordinate_rows(self) -> list[tuple[Array, float]]:
        """For each parameter (row [p], offset): log value = row @ theta + offset, or value = theta * offset."""
        law, found = self.law, []
        for i, parameter in enumerate(law.parameters):
            row = np.zeros(len(law.parameters))
            row[i] = 1.0
            unit = self.unit_y if parameter.unit == "y" else 1.0
            if not parameter.in_log:
                found.append((row, unit))
                continue
            offset = float(np.log(unit))
            for name, power in parameter.scaling.items():
                if isinstance(power, str):
                    row[law.parameter_names.index(power.lstrip("-"))] += signed(power) * np.log(self.reference[name])
                else:
                    offset += power * float(np.log(self.reference[name]))
            found.append((row, offset))
        return found

    def inputs(self, values: Mapping[str, ArrayLike]) -> dict[str, Array]:
        """Scaled inputs of other points, {input: [m]} in the units of the table."""
        return {name: np.asarray(values[name], np.float64) / value for name, value in self.reference.items()}

    def curve(self, values: Mapping[str, ArrayLike], thetas: Array) -> Array:
        """The law at points {input: [m]} for each of thetas [k, p] or one [p]: [k, m], all in the table's units."""
        return self.unit_y * curves(self.law, self.inputs(values), thetas)


def scaled_problem(table: Table, law: Law, fixed: Mapping[str, float] | None = None) -> Scaled:
    """A law on a table, checked.

    Raises:
        InputError: fewer different points than the law has parameters, an input that does not vary, inputs or
            y out of range, or a fixed value that is none of a parameter.
    """
    fixed = dict(fixed or {})
    check_table(table, law, fixed)
    reference, unit_y = references(table, law)
    most = np.inf
    if table.unit == "%" and law.ceiling is not None:
        most = max(100.0, 1.05 * float(table.y.max())) / unit_y
    problem = unchecked_problem(table, law, reference, unit_y, most)
    low, high = problem.low.copy(), problem.high.copy()
    for i, parameter in enumerate(law.parameters):
        if parameter.name in fixed:
            low[i] = high[i] = _fixed_coordinate(law, i, fixed, reference, unit_y)
    return Scaled(law, table, reference, unit_y, low, high, fixed)


def unchecked_problem(
    table: Table, law: Law, reference: Mapping[str, float], unit_y: float, most: float = np.inf
) -> Scaled:
    """A law on points that need not determine it; most: largest ceiling (scaled; inf: none known)."""
    blank = np.zeros(len(law.parameters))
    free = Scaled(law, table, reference, unit_y, blank, blank)
    return Scaled(law, table, reference, unit_y, *bounds(law, free.x, free.y, most))


def references(table: Table, law: Law) -> tuple[dict[str, float], float]:
    """(geometric mean of each input, that of y); 1 where the law takes raw values."""
    found: dict[str, float] = {}
    for declared in law.inputs:
        values = table.x[declared.name]
        if declared.group in found:
            found[declared.name] = found[declared.group]
        elif law.scaled and declared.centred and (values > 0).any():
            found[declared.name] = float(np.exp(np.log(values[values > 0]).mean()))
        else:
            found[declared.name] = 1.0
    return found, float(np.exp(np.log(table.y).mean())) if law.scaled else 1.0


def _fixed_coordinate(
    law: Law, i: int, fixed: Mapping[str, float], reference: Mapping[str, float], unit_y: float
) -> float:
    parameter = law.parameters[i]
    value = fixed[parameter.name] / (unit_y if parameter.unit == "y" else 1.0)
    if not np.isfinite(value) or value < 0 or (parameter.in_log and value <= 0):
        raise InputError(f"{parameter.name} = {fixed[parameter.name]}: cannot be fixed at that value", "bad-value")
    for name, power in parameter.scaling.items():
        exponent = power.lstrip("-") if isinstance(power, str) else ""
        if exponent and exponent not in fixed:
            raise InputError(f"{parameter.name} cannot be fixed alone: fix {exponent} too", "bad-value")
        value /= reference[name] ** (signed(power) * fixed[exponent] if isinstance(power, str) else power)
    return float(np.log(value)) if parameter.in_log else float(value)
