"""A curve that is believed before there are results: a law with given parameters over the points of a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.scaling.fit import Fit
from semgjax.scaling.law import Law
from semgjax.scaling.objective import Objective
from semgjax.scaling.problem import Scaled, references, unchecked_problem
from semgjax.scaling.table import table_of

Array = np.ndarray


def prior_fit(law: Law, parameters: Mapping[str, float], x: Mapping[str, ArrayLike], unit: str = "") -> Fit:
    """A fit whose points lie on the law exactly; parameters in the units of x and y.

    Raises:
        InputError: a parameter is missing, unknown or out of range, or an input has no values.
    """
    for name in parameters:
        law.parameter(name)
    for parameter in law.parameters:
        if parameter.name not in parameters:
            raise InputError(f"law {law.name}: no value for {parameter.name} ({parameter.meaning}); give "
                             f"{parameter.name}=NUMBER", "bad-option")  # fmt: skip
        value = parameters[parameter.name]
        if not np.isfinite(value) or value < 0 or (parameter.in_log and value <= 0):
            raise InputError(f"law {law.name}: {parameter.name} = {value} is out of range", "bad-value")
    for name in law.input_names:
        if name not in x:
            raise InputError(
                f"law {law.name} needs values for {name}; give the planned ones, vary {name}=1e5,2e5,5e5", "bad-option"
            )
    points = {name: np.asarray(x[name], np.float64) for name in law.input_names}
    blank = table_of(points, np.ones(len(points[law.input_names[0]])), unit)
    reference, _ = references(blank, law)
    # Coordinates for y as it is; the unit of y is the curve's geometric mean, and moves amplitudes and floors.
    raw = unchecked_problem(blank, law, reference, 1.0)
    y = raw.curve(points, coordinates(raw, parameters))[0]
    unit_y = float(np.exp(np.log(y).mean())) if law.scaled else 1.0
    problem = unchecked_problem(replace(blank, y=y), law, reference, unit_y)
    theta = np.clip(coordinates(problem, parameters), problem.low, problem.high)
    return Fit(problem, Objective("log_ls"), None, theta, 0.0, 0.0, True, 1, 1.0)


def coordinates(problem: Scaled, parameters: Mapping[str, float]) -> Array:
    """theta [p] of parameters given in the table's units: the inverse of `Scaled.coordinate_rows`."""
    rows, goals = [], []
    for parameter, (row, offset) in zip(problem.law.parameters, problem.coordinate_rows, strict=True):
        value = parameters[parameter.name]
        rows.append(row if parameter.in_log else row * offset)
        goals.append(np.log(value) - offset if parameter.in_log else value)
    return np.linalg.solve(np.array(rows), np.array(goals))


def points_of_plan(vary: Mapping[str, Sequence[float]], shape: str, seeds: int) -> dict[str, Array]:
    """The runs of a plan, {input: [n]}: every combination ("grid"), or one input at a time about the middle of the
    others ("star"), each with so many seeds.

    Raises:
        InputError: no seed, or another shape.
    """
    if seeds < 1:
        raise InputError(f"seeds {seeds}: must be at least 1", "bad-value")
    names = list(vary)
    if shape == "grid":
        rows = list(product(*vary.values()))
    elif shape == "star":
        centre = {name: sorted(values)[len(values) // 2] for name, values in vary.items()}
        rows = [tuple({**centre, name: value}[k] for k in names) for name in names for value in vary[name]]
        rows = list(dict.fromkeys(rows))
    else:
        raise InputError(f"shape {shape}: choose grid or star", "bad-value")
    return {name: np.repeat([row[i] for row in rows], seeds).astype(np.float64) for i, name in enumerate(names)}
