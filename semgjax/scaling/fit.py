"""Fits one law to one table and predicts from the fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.scaling.laws import FLOOR_POWER, Law
from semgjax.scaling.objective import Objective, delta_by_scale
from semgjax.scaling.solver import solve
from semgjax.scaling.table import Table, table_of

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted law with the points it was fitted to.

    reference: N0, the geometric mean of the sizes. coefficients [K] and shape [J] belong to x = log(N / N0);
    they are what `predict` uses, so storing them in full stores the curve. delta: the Huber delta used (None:
    least squares). gradient_norm: of the objective at the end; starts_agree: share of the starts that reached
    the same minimum.
    """

    law: Law
    table: Table
    objective: Objective
    delta: float | None
    reference: float
    coefficients: Array
    shape: Array
    objective_value: float
    gradient_norm: float
    converged: bool
    starts: int
    starts_agree: float

    @property
    def levels(self) -> int:
        """Number of different sizes."""
        return count_levels(self.table.sizes)

    @property
    def degrees_of_freedom(self) -> int:
        """Points less parameters."""
        return len(self.table.sizes) - len(self.law.parameters)

    @property
    def residuals(self) -> Array:
        """log(measured) - log(law) [n]."""
        return np.log(self.table.y) - np.log(predict(self, self.table.sizes))

    @property
    def scatter(self) -> float | None:
        """Standard deviation of the residuals (log: 0.02 is about 2 %); None without degrees of freedom."""
        dof = self.degrees_of_freedom
        return float(np.sqrt(np.sum(self.residuals**2) / dof)) if dof > 0 else None

    @property
    def at_bound(self) -> tuple[str, ...]:
        """Names of the parameters at an end of their range."""
        values = (*self.coefficients, *self.shape)
        return tuple(
            p.name for p, v in zip(self.law.parameters, values, strict=True) if min(v - p.low, p.high - v) <= 1e-12
        )


def fit_law(
    data: Table | tuple[ArrayLike, ArrayLike], law: Law = FLOOR_POWER, objective: Objective | None = None
) -> Fit:
    """Fit `law` to `data` (a table, or (sizes [n], y [n])).

    Raises:
        InputError: fewer different sizes than the law has parameters, or sizes or y that are not finite and
            above 0.
    """
    objective = objective or Objective()
    table = data if isinstance(data, Table) else table_of(*data)
    names = [p.name for p in law.parameters]
    levels = count_levels(table.sizes)
    if not 1e-30 < table.sizes.min() <= table.sizes.max() < 1e30:
        raise InputError(f"{table.source}: sizes beyond 1e-30 to 1e30; give them in another unit")
    if levels < len(names):
        raise InputError(
            f"{table.source}: {len(table.sizes)} points at {levels} different sizes ({table.size_name}), but "
            f"{law.formula} has {len(names)} parameters ({', '.join(names)}); it needs {len(names)} sizes, "
            f"and {len(names) + 1} for an interval"
        )
    logs, log_y = np.log(table.sizes), np.log(table.y)
    reference = float(np.exp(logs.mean()))
    x = np.log(table.sizes / reference)
    delta = objective.delta
    if objective.kind == "huber_log" and delta is None:
        squares = solve(law, x, log_y, None, starts=4)
        delta = delta_by_scale(log_y - np.log(_curve(law, squares.coefficients, squares.shape, x)), len(names))
    solution = solve(law, x, log_y, delta)
    return Fit(
        law=law,
        table=table,
        objective=objective,
        delta=delta,
        reference=reference,
        coefficients=solution.coefficients,
        shape=solution.shape,
        objective_value=solution.objective,
        gradient_norm=solution.gradient_norm,
        converged=solution.converged,
        starts=solution.starts,
        starts_agree=solution.starts_agree,
    )


def predict(fit: Fit, sizes: ArrayLike) -> Array:
    """The law's value at `sizes` [...] (the unit of the table's sizes): y [...] in the unit of the table's y.

    Raises:
        InputError: a size that is not a finite number above 0, or absurdly far from the sweep.
    """
    sizes = np.asarray(sizes, np.float64)
    check_sizes(sizes)
    x = np.log(sizes.reshape(-1) / fit.reference)
    with np.errstate(over="ignore"):
        values = _curve(fit.law, fit.coefficients, fit.shape, x)
    for size in sizes.reshape(-1)[~np.isfinite(values)]:
        raise InputError(f"size {size}: so far from the sweep that the law gives no finite value")
    return values.reshape(sizes.shape)


def check_sizes(sizes: Array) -> None:
    """Raises InputError for a size that is not a finite number above 0."""
    for size in sizes[~(np.isfinite(sizes) & (sizes > 0))].reshape(-1):
        raise InputError(f"size {size}: must be a finite number above 0, e.g. 2.2e6")


def count_levels(sizes: Array) -> int:
    """Number of different sizes [n]; those within 1 % of the next count as one."""
    return 1 + int(np.sum(np.diff(np.log(np.sort(sizes))) > 0.01))


def extrapolation(fit: Fit, size: float) -> float:
    """How many times `size` lies beyond the sweep: size / largest or smallest / size; 1 inside."""
    return float(max(size / fit.table.sizes.max(), fit.table.sizes.min() / size, 1.0))


def parameter_values(fit: Fit) -> dict[str, float]:
    """The parameters of the law's formula, with N in the unit of the table's sizes.

    The terms are powers of N, so that a coefficient at N = 1 is the one at N0 times the term at x = -log N0.
    """
    log_terms = fit.law.log_terms(fit.shape, -np.log([fit.reference]))[0]
    values = [*(fit.coefficients * np.exp(log_terms)), *fit.shape]
    return {p.name: float(v) for p, v in zip(fit.law.parameters, values, strict=True)}


def _curve(law: Law, coefficients: Array, shape: Array, x: Array) -> Array:
    return np.sum(coefficients * np.exp(law.log_terms(shape, x)), axis=-1)
