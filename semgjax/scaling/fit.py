"""Fits one law to one table and predicts from the fit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from semgjax.errors import InputError
from semgjax.scaling.law import Law
from semgjax.scaling.laws import FLOOR_POWER
from semgjax.scaling.minima import other_curves
from semgjax.scaling.objective import Objective, delta_by_scale, losses, residuals_on
from semgjax.scaling.problem import Scaled, scaled_problem
from semgjax.scaling.robust import bisquare_weights, judge, residuals_of
from semgjax.scaling.solver import Ends, Problems, curves, solve
from semgjax.scaling.starts import first_guesses
from semgjax.scaling.table import Table, table_of

Array = np.ndarray
Point = float | ArrayLike | Mapping[str, ArrayLike]

STARTS = 64
COARSE = 64  # rows
AGREE = 1e-6  # relative: two objectives closer than this are the same minimum
# Absolute errors are reached through Huber losses of falling delta, in units of the residuals' scale.
_SHARPER = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6)


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted law with the points it was fitted to.

    problem: the law and the points, scaled. theta [p]: coordinates of the scaled parameters, what `predict` uses.
    delta: of the loss (None: squares); of mm_log, the residual beyond which a run weighs nothing. gradient_norm: of
    the scaled objective by the free coordinates. starts_agree: share of the starts that reached this objective
    within 1e-6 and this curve within 0.1 %; second_gap: how much higher, relatively, the next best minimum lies
    (None: there is none). minima [j, p]: the other curves that the search ended in (None: not known).
    """

    problem: Scaled
    objective: Objective
    delta: float | None
    theta: Array
    objective_value: float
    gradient_norm: float
    converged: bool
    starts: int
    starts_agree: float
    second_gap: float | None = None
    minima: Array | None = None

    @property
    def law(self) -> Law:
        return self.problem.law

    @property
    def table(self) -> Table:
        return self.problem.table

    @property
    def unit_y(self) -> float:
        return self.problem.unit_y

    @property
    def reference(self) -> Mapping[str, float]:
        return self.problem.reference

    @property
    def low(self) -> Array:
        """Lower bounds of the coordinates [p]."""
        return self.problem.low

    @property
    def high(self) -> Array:
        """Upper bounds of the coordinates [p]."""
        return self.problem.high

    @property
    def fixed(self) -> Mapping[str, float]:
        """Parameters held at a given value."""
        return self.problem.fixed

    @property
    def status(self) -> str:
        """converged, at-bound (converged, with a parameter at an end of its range) or not-converged."""
        return "not-converged" if not self.converged else "at-bound" if self.at_bound else "converged"

    @property
    def free(self) -> Array:
        """Which coordinates were fitted [p]."""
        return self.low < self.high

    @property
    def free_count(self) -> int:
        return int(self.free.sum())

    @property
    def levels(self) -> int:
        """Number of different points of the inputs, those of runs without weight aside."""
        return len(np.unique(self.table.groups[self.run_weights > 0]))

    @property
    def degrees_of_freedom(self) -> int:
        """Points less fitted parameters; runs without weight do not count."""
        return int((self.run_weights > 0).sum()) - self.free_count

    @property
    def residuals(self) -> Array:
        """log(measured) - log(law) [n]."""
        return np.log(self.table.y) - np.log(predict(self, self.table.x))

    @cached_property
    def run_weights(self) -> Array:
        """How much each run counts [n], 1 for fully: below 1 for runs off the curve, under mm_log only."""
        if self.objective.kind != "mm_log" or self.delta is None:
            return np.ones(len(self.table.y))
        return bisquare_weights(self.residuals * np.sqrt(self.problem.weights), self.delta)

    @cached_property
    def weights(self) -> Array:
        """Weights of the points [n]: from the stated noise, times `run_weights`."""
        return self.problem.weights * self.run_weights

    @cached_property
    def second_answer(self) -> "Fit | None":
        """The fit with the doubtful runs counted the other way, where the points leave open whether they are off."""
        return _second_answer(self)

    @property
    def scatter(self) -> float | None:
        """Standard deviation of the residuals (log: 0.02 is about 2 %); None without degrees of freedom."""
        dof = self.degrees_of_freedom
        return float(np.sqrt(np.sum(self.weights * self.residuals**2) / dof)) if dof > 0 else None

    @property
    def at_bound(self) -> tuple[str, ...]:
        """Names of the fitted parameters at an end of their range."""
        near = np.minimum(self.theta - self.low, self.high - self.theta) <= 1e-9
        return tuple(p.name for p, at in zip(self.law.parameters, near & self.free, strict=True) if at)

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters of the law's formula, in the units of the table."""
        return parameter_values(self)


def fit_law(
    data: Table | tuple[ArrayLike, ArrayLike],
    law: Law = FLOOR_POWER,
    objective: Objective | None = None,
    fixed: Mapping[str, float] | None = None,
    starts: int = STARTS,
    seed: int = 0,
) -> Fit:
    """Fit `law` to `data` (a table, or (sizes [n], y [n])).

    Raises:
        InputError: fewer different points than the law has parameters, an input that does not vary, inputs or
            y out of range, or a fixed value that is none of a parameter.
    """
    objective = objective or Objective()
    problem = scaled_problem(data if isinstance(data, Table) else table_of(*data), law, fixed)
    x, y, weights, unit_y = problem.x, problem.y, problem.weights, problem.unit_y
    low, high = problem.low, problem.high
    problems = Problems(x, y, weights, np.array([np.inf]), low, high, scale=objective.scale, unit=unit_y)
    guesses = first_guesses(law, x, y, weights, low, high, starts, seed)
    unit = unit_y if objective.scale == "linear" else 1.0  # what the scaled residuals are counted in
    scaled = replace(objective, delta=objective.delta / unit) if objective.delta else objective
    ends, delta = _search(law, scaled, problems, guesses, int((low < high).sum()), problem.table.groups)
    delta = None if delta is None else objective.delta or delta * unit
    best = int(np.argmin(np.where(np.isfinite(ends.value), ends.value, np.inf)))
    theta = _without_traces(law, ends.theta[best], low)
    tolerance = AGREE * ends.value[best] + len(y) * 1e-17
    reached = np.where(ends.converged, ends.value, np.inf)
    same, minima = other_curves(problem, ends.theta, reached, best)
    agree = same & (ends.value <= ends.value[best] + tolerance)
    others = ends.value[~agree & ends.converged]
    fit = Fit(
        problem=problem,
        objective=objective,
        delta=delta,
        theta=theta,
        objective_value=0.0,
        gradient_norm=float(ends.gradient_norm[best]),
        converged=bool(ends.converged[best]),
        starts=starts,
        starts_agree=float(agree.mean()),
        second_gap=float(others.min() / max(ends.value[best], 1e-300) - 1.0) if len(others) else None,
        minima=minima,
    )
    return replace(fit, objective_value=objective_of(fit))


def objective_of(fit: Fit) -> float:
    """The objective at the fit, of residuals in the units of the table: sum or mean of weighted losses."""
    r = residuals_on(fit.objective.scale, fit.table.y, predict(fit, fit.table.x))
    if fit.objective.kind == "mm_log":
        total = float(np.sum(losses(fit.objective, r * np.sqrt(fit.problem.weights), fit.delta)))
    else:
        total = float(np.sum(fit.weights * losses(fit.objective, r, fit.delta)))
    return total / len(r) if fit.objective.reduction == "mean" else total


def _search(
    law: Law, objective: Objective, problems: Problems, guesses: Array, free: int, groups: Array
) -> tuple[Ends, float | None]:
    """Least squares from every guess, then the objective itself from each minimum found."""
    count = problems.y.shape[-1]
    if count > COARSE:
        # Of a large table a part of the rows tells which minimum a guess leads to; then each minimum is searched
        # on all rows.
        rows = np.sort(np.random.default_rng(0).permutation(count)[:COARSE])
        part = {name: v[rows] for name, v in problems.x.items()}
        coarse = solve(law, replace(problems, x=part, y=problems.y[rows], weights=problems.weights[rows]), guesses)
        unique, together = _minima(coarse)
        squares = _spread(solve(law, problems, coarse.theta[unique]), together)
    else:
        squares = solve(law, problems, guesses)
    if objective.kind.endswith("_ls"):
        return squares, None
    best = int(np.argmin(np.where(np.isfinite(squares.value), squares.value, np.inf)))
    if objective.kind == "mm_log":
        return _robust(law, problems, squares, best, groups)
    fitted = curves(law, problems.x, squares.theta[best])[0]
    residuals = residuals_on(objective.scale, problems.y, fitted)
    delta = objective.delta or delta_by_scale(residuals, free)
    # Many starts share a minimum of the squares: what follows is done once for each.
    unique, back = _minima(squares)
    theta = squares.theta[unique]
    if objective.smooth:
        nu = objective.nu if objective.kind == "student_t" else None
        ends = solve(law, replace(problems, delta=np.array([delta]), nu=nu), theta)
        return _spread(ends, back), delta
    typical = max(float(np.median(np.abs(residuals))), 1e-9)
    for share in _SHARPER:
        sharp = replace(problems, delta=np.array([share * typical]), sides=objective.sides)
        ends = solve(law, sharp, theta)
        theta = ends.theta
    return _spread(ends, back), None


def _robust(law: Law, problems: Problems, squares: Ends, best: int, groups: Array) -> tuple[Ends, float | None]:
    """The M step's minimum, and what it is in its own weighted squares to the other minima of the squares."""
    unique, back = _minima(squares)
    starts, own = squares.theta[unique], back[best]
    for _ in range(2):
        found = judge(law, replace(problems, y=problems.y[None]), starts[own][None], groups)
        cut = float(found.cut[0])
        if not np.isfinite(cut):
            return squares, None
        sizes = residuals_of(law, replace(problems, y=problems.y[None]), np.zeros(1, int), found.theta)
        weights = problems.weights * bisquare_weights(sizes[0], cut)
        starts[own] = found.theta[0]
        ends = solve(law, replace(problems, weights=weights), starts)
        lowest = int(np.argmin(np.where(np.isfinite(ends.value), ends.value, np.inf)))
        if ends.value[lowest] >= ends.value[own] * (1.0 - AGREE):
            break
        own = lowest
    if not ends.converged[own]:  # without the runs left out, the others do not determine the law
        return squares, None
    # Others reach the same minimum to rounding: the M step's own end is the fit.
    first = ends.value[own]
    others = np.maximum(ends.value, first * (1.0 + 1e-12) + 1e-300)
    return _spread(replace(ends, value=np.where(np.arange(len(starts)) == own, first, others)), back), cut


def _second_answer(fit: Fit) -> Fit | None:
    if fit.objective.kind != "mm_log" or fit.delta is None:
        return None
    problem = fit.problem
    problems = Problems(problem.x, problem.y[None], problem.weights, np.array([np.inf]), fit.low, fit.high)
    squares = solve(fit.law, problems, fit.theta[None])
    found = judge(fit.law, problems, squares.theta, fit.table.groups)
    if not found.doubtful[0]:
        return None
    # Of the two answers, the one that this fit is not.
    away = [np.abs(theta[0] - fit.theta).max() for theta in (found.theta, found.other_theta)]
    theta, cut = (found.theta, found.cut) if away[0] > away[1] else (found.other_theta, found.other_cut)
    other = replace(
        fit,
        theta=_without_traces(fit.law, theta[0], fit.low),
        delta=float(cut[0]),
        minima=np.zeros((0, len(fit.theta))),
    )
    return replace(other, objective_value=objective_of(other))


def _without_traces(law: Law, theta: Array, low: Array) -> Array:
    """theta with floors of rounding size, below 1e-10 of y, set to the 0 that they stand for."""
    floors = np.array([p.kind == "floor" for p in law.parameters])
    return np.where(floors & (low == 0.0) & (theta < 1e-10), 0.0, theta)


def _minima(ends: Ends) -> tuple[Array, Array]:
    """Index of one search for each different end, and for each search the place of its own in that list."""
    with np.errstate(over="ignore", invalid="ignore"):
        keys = np.round(np.column_stack([ends.theta * 1e3, np.log(np.maximum(ends.value, 1e-300)) * 1e5]))
    _, unique, back = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return unique, back.reshape(-1)


def _spread(ends: Ends, back: Array) -> Ends:
    return Ends(
        ends.theta[back], ends.value[back], ends.tied[back], ends.total[back], ends.gradient_norm[back],
        ends.converged[back], ends.iterations,
    )  # fmt: skip


def predict(fit: Fit, x: Point) -> Array:
    """The law's value at x: one number or an array for a law of one input, else {input: values}; y [...].

    Raises:
        InputError: a value that is out of range, or absurdly far from the sweep.
    """
    values, shape = points_of(fit, x)
    with np.errstate(over="ignore"):
        found = fit.problem.curve(values, fit.theta)[0]
    for i in np.flatnonzero(~np.isfinite(found))[:1]:
        raise InputError(
            f"{_shown(values, i)}: so far from the sweep that the law gives no finite value", "out-of-reach"
        )
    return found.reshape(shape)


def points_of(fit: Fit, x: Point) -> tuple[dict[str, Array], tuple[int, ...]]:
    """x as {input: [m]} with the shape it came in.

    Raises:
        InputError: an input is missing, not known, or holds a value out of range.
    """
    names = fit.law.input_names
    if not isinstance(x, Mapping):
        if len(names) > 1:
            raise InputError(
                f"law {fit.law.name} has the inputs {', '.join(names)}: give a value for each", "bad-option"
            )
        x = {names[0]: x}
    given = {name: np.asarray(x[name], np.float64) for name in names if name in x}
    for declared in fit.law.inputs:
        if declared.name not in given and declared.default in given:
            given[declared.name] = given[declared.default]
        if declared.name not in given:
            raise InputError(f"law {fit.law.name} needs a value for {declared.name} ({declared.meaning})", "bad-option")
        wrong = ~(np.isfinite(given[declared.name]) & (given[declared.name] > 0))
        if declared.zero:
            wrong &= given[declared.name] != 0
        for value in given[declared.name][wrong].reshape(-1)[:1]:
            raise InputError(f"{declared.name} = {value}: must be a finite number above 0, e.g. 2.2e6", "bad-value")
    shape = np.broadcast_shapes(*(v.shape for v in given.values()))
    return {name: np.broadcast_to(given[name], shape).reshape(-1) for name in names}, shape


def whole_point(fit: Fit, at: Mapping[str, float]) -> dict[str, float]:
    """One point with a value for every input, defaults filled in; errors as of `points_of`."""
    return {name: float(values[0]) for name, values in points_of(fit, at)[0].items()}


def _shown(values: Mapping[str, Array], i: int) -> str:
    return ", ".join(f"{name} = {v[i]:g}" for name, v in values.items())


def distance(fit: Fit, x: Point) -> float:
    """How many times a point lies beyond the sweep: the largest such factor over the inputs; 1 inside."""
    values, _ = points_of(fit, x)
    factor = 1.0
    for name, asked in values.items():
        seen = fit.table.x[name]
        least = seen[seen > 0].min(initial=np.inf)
        low = least / asked[asked > 0].min(initial=np.inf) if (seen > 0).all() else 1.0
        factor = max(factor, float(asked.max() / seen.max()), float(low))
    return factor


def parameter_values(fit: Fit, theta: Array | None = None) -> dict[str, float]:
    """The parameters of the law's formula in the units of the table; theta: other coordinates than the fit's."""
    rows = parameter_table(fit, (fit.theta if theta is None else theta)[None])
    return {name: float(values[0]) for name, values in rows.items()}


def parameter_table(fit: Fit, thetas: Array) -> dict[str, Array]:
    """Natural values [k] of each parameter for coordinates thetas [k, p]."""
    found: dict[str, Array] = {}
    for i, (parameter, row) in enumerate(zip(fit.law.parameters, fit.problem.coordinate_rows, strict=True)):
        if parameter.in_log:
            with np.errstate(over="ignore"):
                found[parameter.name] = np.exp(thetas @ row[0] + row[1])
        else:
            found[parameter.name] = thetas[:, i] * row[1]
    return found


def floor(fit: Fit) -> float | None:
    """What the law leaves however large its inputs are; None for a law without a floor."""
    return fit.parameters.get("E") if fit.law.has_floor else None
