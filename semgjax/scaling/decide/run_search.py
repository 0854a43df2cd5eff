"""The search for the next runs: the interval after one more run at a place, or after other rates at a rung.

It is the delta method's, averaged over draws of the fit, times what untuned rungs add on the fit's own curve.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.scaling.bootstrap import draw, problems_of
from semgjax.scaling.decide.candidates import kind_of, new_inputs
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.goals import Goal
from semgjax.scaling.decide.sensitivity import information, log_gradients, variance_of
from semgjax.scaling.decide.tuning import Tuning
from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.kappa import kappa
from semgjax.scaling.noise import noise_scales
from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.solver import solve
from semgjax.scaling.table import table_of

Array = np.ndarray

DRAWS = 100
NOISE = 0.03  # relative scatter that is assumed where the runs show none: seeds differ by 1 to 5 % in error rate
# A half-width of a factor of exp(9), 8,000, says nothing; one without end counts as this.
_WIDEST = 9.0


@dataclass(frozen=True)
class Budget:
    """What runs cost: `cost` over `rate` hours each, and `overhead` hours beside; hours: at most, in all."""

    cost: Cost
    rate: float
    overhead: float = 0.1
    hours: float | None = None


@dataclass(frozen=True)
class Step:
    """One run to add: its inputs, its hours, and the interval's half-width (log) once it is there.

    kind: "beyond" the sweep, "between" its values, a new "combination" of them, another "seed" of a place, or a "rate":
    other rates at a place of the sweep that is not at its best learning rate. new: the inputs with a value that the
    sweep has not. gain: fall of the log half-width per device-hour. rates: of a "rate", one run each; of a new place,
    the rate that the bracketed rungs' best ones lead to, if there are any.
    """

    x: Mapping[str, float]
    hours: float
    half_width: float
    kind: str
    new: tuple[str, ...]
    gain: float
    rates: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Problem:
    """k curves over the free parameters: information so far [k, p, p], gradients at the candidates [k, m, p], goals
    [k, p] (None: the whole law); hours [m]; new [m]: whether a candidate is no place of the sweep."""

    matrix: Array
    rows: Array
    goals: Array | None
    hours: Array
    candidates: Mapping[str, Array]
    points: int
    levels: int
    level: float
    noise: float
    assumed: bool

    def place(self, j: int) -> dict[str, float]:
        """A candidate."""
        return {name: float(values[j]) for name, values in self.candidates.items()}

    @property
    def today(self) -> float:
        """Half-width (log) without any further run."""
        if self.levels <= self.matrix.shape[-1]:
            return np.inf
        none = np.zeros_like(self.rows[:, :1])
        return float(self.half_widths(self.matrix, none, self.points, np.array([self.levels]))[0])

    def half_widths(self, matrix: Array, rows: Array, points: int, levels: Array) -> Array:
        """Geometric means over the curves [m] after one run at each of rows [k, m, p]; inf without an interval."""
        free = matrix.shape[-1]
        if points <= free:
            return np.full(rows.shape[1], np.inf)
        t = float(t_quantile(0.5 + self.level / 2.0, points - free))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log(t * self.noise) + 0.5 * self._log_variances(matrix, rows)
        return np.where(levels > free, np.exp(_mean(found)), np.inf)

    def _log_variances(self, matrix: Array, rows: Array) -> Array:
        """Log variance of the goal [k, m] after one more run, in units of the noise; inf where it is open."""
        spread = np.sqrt(np.maximum(np.diagonal(matrix, axis1=1, axis2=2), 1e-300))
        unit = matrix / (spread[:, :, None] * spread[:, None, :])
        scaled = rows / spread[:, None, :]
        sizes = np.linalg.eigvalsh(unit)
        if (sizes[:, 0] > 1e-9 * sizes[:, -1]).all():
            # One more run is an update of rank one (Sherman and Morrison 1950).
            solved = np.linalg.solve(unit, np.swapaxes(scaled, 1, 2))
            leverage = np.einsum("kmp,kpm->km", scaled, solved)
            if self.goals is None:
                p = matrix.shape[-1]
                logs = np.linalg.slogdet(unit)[1] + 2.0 * np.log(spread).sum(axis=1)
                return -(logs[:, None] + np.log1p(leverage)) / p
            goal = self.goals / spread
            before = np.einsum("kp,kp->k", goal, np.linalg.solve(unit, goal[:, :, None])[:, :, 0])
            shared = np.einsum("kp,kpm->km", goal, solved)
            return np.log(np.maximum(before[:, None] - shared**2 / (1.0 + leverage), 1e-300))
        after = matrix[:, None] + rows[..., :, None] * rows[..., None, :]
        if self.goals is None:
            sign, logs = np.linalg.slogdet(after)
            return np.where(sign > 0, -logs / matrix.shape[-1], np.inf)
        return np.log(np.stack([variance_of(self.goals, after[:, j]) for j in range(rows.shape[1])], axis=1))


def problem_of(
    fit: Fit, goal: Goal, candidates: Mapping[str, Array], budget: Budget, level: float, seed: int
) -> Problem:
    assumed = fit.scatter is None
    thetas = np.concatenate([fit.theta[None], _curves(fit, NOISE if assumed else max(fit.scatter or 0.0, 1e-6), seed)])
    goals = None
    if goal.gradients is not None:
        goals = goal.gradients(fit, thetas)
        kept = np.isfinite(goals).all(axis=1)
        thetas, goals = thetas[kept], goals[kept][:, fit.free]
    rows = log_gradients(fit, thetas, candidates)[..., fit.free]
    hours = np.broadcast_to(budget.cost.at(candidates), (rows.shape[1],)) / budget.rate + budget.overhead
    own = log_gradients(fit, thetas, fit.table.x)[..., fit.free]
    points = fit.degrees_of_freedom + fit.free_count  # runs of weight 0 say nothing
    noise = NOISE if assumed else _noise(fit, goals, level)
    return Problem(
        information(own, fit.weights), rows, goals, hours, candidates, points, fit.levels, level, noise, assumed
    )


def greedy(fit: Fit, problem: Problem, tuning: Tuning | None, budget: Budget, runs: int, per_hour: bool) -> list[Step]:
    """`runs` runs one after another, each that with the largest fall of the log half-width, per hour or at all."""
    steps, matrix, count, sampling = list[Step](), problem.matrix, problem.points, problem.today
    current = sampling * _factor(tuning, problem, matrix[0], sampling)
    left = np.inf if budget.hours is None else budget.hours
    places = {name: fit.table.x[name] for name in fit.law.input_names}
    while runs > 0:
        paid = np.flatnonzero(problem.hours <= left)
        if not len(paid):
            break
        levels = _levels_after(places, problem.candidates, paid)
        plain = problem.half_widths(matrix, problem.rows[:, paid], count + 1, levels)
        after = plain * _factors(tuning, problem, matrix[0], paid, plain)
        fall = np.log(min(current, _WIDEST)) - np.log(np.minimum(after, _WIDEST))
        if not (fall > 0).any():
            # Nothing shows yet: first the places that the law lacks, then the least that can be said of the rest.
            fall = levels + 1e-3 / (1.0 + np.where(np.isfinite(after), after, 1e9))
        worth = fall / problem.hours[paid] if per_hour else fall
        best = int(np.argmax(worth))
        if tuning is not None:
            rungs = [
                (float(np.log(current / width)) / (hours if per_hour else 1.0), i, own, width, hours)
                for i, own, width, hours in _rate_steps(tuning, problem, budget, matrix, sampling, count, left)
                if len(tuning.rates[i]) <= runs
            ]
            gain, i, own, width, hours = max(rungs, default=(0.0, 0, 0.0, 0.0, 0.0))
            if gain > 0.0 and gain >= worth[best]:
                rates, per = tuning.rates[i], float(np.log(current / width)) / hours
                steps.append(Step(tuning.rungs[i].at, hours, width, "rate", (), per, rates))
                matrix, tuning = matrix + tuning.lost[i], tuning.tuned(i)
                runs, left, current, sampling = runs - len(rates), left - hours, width, own
                continue
        j = int(paid[best])
        x = problem.place(j)
        rates = () if tuning is None else tuning.rates_at(x)
        tuning = None if tuning is None else tuning.with_run(x, problem.rows[0, j])
        matrix = matrix + problem.rows[:, j, :, None] * problem.rows[:, j, None, :]
        hours = float(problem.hours[j])
        gain = float(np.log(min(current, _WIDEST)) - np.log(min(after[best], _WIDEST))) / hours
        runs, left, count = runs - 1, left - hours, count + 1
        current, sampling = float(after[best]), float(plain[best])
        kind = kind_of(fit, x, [step.x for step in steps])
        steps.append(Step(x, hours, current, kind, () if kind == "seed" else new_inputs(fit, x), gain, rates))
        places = {name: np.append(values, x[name]) for name, values in places.items()}
    return steps


def widened(tuning: Tuning | None, problem: Problem) -> float:
    """By what untuned rungs widen today's half-width."""
    return _factor(tuning, problem, problem.matrix[0], problem.today)


def _factors(tuning: Tuning | None, problem: Problem, matrix: Array, chosen: Array, sampling: Array) -> Array:
    """`_factor` once a run at each of the chosen candidates is there [m]; sampling [m]: half-widths then."""
    if tuning is None:
        return np.ones(len(chosen))
    found = []
    for j, width in zip(chosen, sampling, strict=True):
        row = problem.rows[0, j]
        grown = tuning.with_run(problem.place(j), row)
        found.append(_factor(grown, problem, matrix + np.outer(row, row), float(width)))
    return np.array(found)


def _rate_steps(
    tuning: Tuning, problem: Problem, budget: Budget, matrix: Array, sampling: float, count: int, left: float
) -> Iterator[tuple[int, float, float, float]]:
    """(rung, half-width by noise alone, half-width, hours) of each rung whose rates can be paid.

    Runs that are off for their rates count once these are right, and are information again.
    """
    none = np.zeros_like(problem.rows[:, :1])
    for i, rates in enumerate(tuning.rates):
        cost = budget.cost.at({name: np.array([value]) for name, value in tuning.rungs[i].at.items()})
        hours = len(rates) * float(np.broadcast_to(cost, (1,))[0] / budget.rate + budget.overhead)
        if not rates or hours > left or not np.isfinite(sampling):
            continue
        plain, after = sampling, matrix
        if tuning.lost[i].any():
            after = matrix + tuning.lost[i]
            plain = min(plain, float(problem.half_widths(after, none, count, np.array([np.inf]))[0]))
        yield i, plain, plain * _factor(tuning.tuned(i), problem, after[0], plain), hours


def _factor(tuning: Tuning | None, problem: Problem, matrix: Array, sampling: float) -> float:
    """By what untuned rungs widen a half-width that noise alone would give (`sampling`)."""
    if tuning is None or not np.isfinite(sampling):
        return 1.0
    return tuning.factor(matrix, None if problem.goals is None else problem.goals[0], problem.noise)


def _noise(fit: Fit, goals: Array | None, level: float) -> float:
    """Scatter of a run (log) that gives the goal the interval of the noise models, as a prediction has it.

    goals [k, p]: its gradients, the fit's own first; None: of all parameters, their geometric mean.
    """
    gradients = np.eye(int(fit.free.sum())) if goals is None else goals[:1]
    plain = kappa(fit)
    scales = noise_scales(fit, gradients, level, plain)
    base = plain if fit.objective.scale == "log" else (fit.scatter or 0.0) ** 2
    return max(float(np.exp(0.5 * np.mean(np.log(scales / plain * base)))), 1e-6)


def _curves(fit: Fit, noise: float, seed: int) -> Array:
    """Other curves [k, p] that the runs may come from: residual draws, or refits of the curve with assumed noise."""
    if fit.degrees_of_freedom > 0:
        return draw(fit, DRAWS, "residual", seed).thetas
    shifts = noise * np.random.default_rng(seed).standard_normal((DRAWS, len(fit.table.y)))
    y = predict(fit, fit.table.x) / fit.unit_y * np.exp(shifts)
    ends = solve(fit.law, problems_of(fit, y), np.tile(fit.theta, (DRAWS, 1)), most=60)
    return ends.theta[np.isfinite(ends.value) & np.isfinite(ends.theta).all(axis=1)]


def _levels_after(places: Mapping[str, Array], candidates: Mapping[str, Array], chosen: Array) -> Array:
    """Number of different points [m] once a run at each of the chosen candidates is there."""
    now = int(table_of(places, np.ones(len(next(iter(places.values()))))).groups.max()) + 1
    own = np.log(np.maximum(np.stack(list(places.values()), axis=1), 1e-300))
    other = np.log(np.maximum(np.stack([candidates[name][chosen] for name in places], axis=1), 1e-300))
    near = (np.abs(other[:, None] - own[None]) < 0.01).all(axis=2).any(axis=1)
    return now + ~near


def _mean(values: Array) -> Array:
    """Mean over draws [k, m] -> [m]; those without an end count as the widest that have one, if few."""
    finite = np.isfinite(values)
    widest = np.max(np.where(finite, values, -np.inf), axis=0)
    found = np.mean(np.where(finite, values, widest), axis=0)
    return np.where(finite.mean(axis=0) < 0.5, np.inf, found)
