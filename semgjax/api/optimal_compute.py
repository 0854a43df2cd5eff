"""`semgjax.isoflop`: the best model size for a compute budget by two approaches, each with its own bias."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from semgjax.api.columns import filters_of, mapping_of
from semgjax.errors import InputError
from semgjax.scaling.decide import isoflop as approaches
from semgjax.scaling.decide.isoflop import IsoFlop
from semgjax.scaling.objective import Objective, ObjectiveKind
from semgjax.scaling.profile import LEVEL
from semgjax.scaling.read import read_table


def isoflop(
    table: Any,
    budgets: Sequence[float] = (),
    columns: Mapping[str, str] | None = None,
    /,
    *,
    y: str | None = None,
    where: Mapping[str, str] | None = None,
    unit: str | None = None,
    objective: ObjectiveKind | None = None,
    delta: float | None = None,
    reduction: Literal["sum", "mean"] = "sum",
    level: float = LEVEL,
    force: bool = False,
    **inputs: str,
) -> IsoFlop:
    """Parameters and tokens that minimise the loss for a compute budget, by approaches 2 and 3 of Hoffmann et al. 2022.

    Args:
        table, columns, y, where, unit, objective, delta, reduction: see `semgjax.fit`.
        budgets: FLOP to answer for (default: ten times the largest budget of the table).
        level: of the intervals.
        force: give the numbers even where a finding of severity error says that they mean nothing.
        inputs: N="params", D="tokens", and C="flops" where the compute was measured (default: 6 N D).

    Returns:
        `parabolas` (approach 2) and `parametric` (approach 3) with exponent, optima and what each makes of sweeps
        simulated from the fitted law; `valleys`, the budgets with their vertices.

    Raises:
        InputError: no such table or column, or values that cannot be fitted.

    Example:
        >>> grid = [(c, (c / 120) ** 0.5 * 2.0**k) for c in (1e15, 1e16, 1e17) for k in range(-2, 3)]
        >>> runs = [(n, c / 6 / n) for c, n in grid]
        >>> table = {"N": [n for n, _ in runs], "D": [d for _, d in runs]}
        >>> table["loss"] = [1.7 + 400 * n**-0.34 + 410 * d**-0.28 for n, d in runs]
        >>> found = semgjax.isoflop(table, [1e18], y="loss", N="N", D="D", force=True)
        >>> round(found.parametric.exponent, 3)
        0.452
    """
    mapping = mapping_of(columns, inputs, y)
    for name in mapping:
        if name not in ("N", "D", "C", "y", "sd", "run", "cluster", "keys"):
            raise InputError(f"{name}={mapping[name]}: isoflop has the inputs N, D and C", "unknown-name")
    measured = "C" in mapping
    points = read_table(table, mapping, filters_of(where), unit, ("N", "D", "C") if measured else ("N", "D"))
    compute = points.x["C"] if measured else None
    if measured:
        points = replace(points, x={name: points.x[name] for name in ("N", "D")})
    asked = [float(v) for v in np.atleast_1d(np.asarray(budgets, np.float64))]
    return approaches.isoflop(
        points, asked, compute, Objective(objective or "", delta, reduction=reduction), level, force
    )
