"""Which runs to train next: those that shrink a chosen interval most per hour of the device."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.inverse import check_input, reach, search_range
from semgjax.scaling.decide.sensitivity import information, log_gradients, log_slopes, variance_of
from semgjax.scaling.diagnose import Diagnostic, diagnose
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals
from semgjax.scaling.quantiles import t_quantile

Array = np.ndarray

DRAWS = 100


@dataclass(frozen=True)
class Goal:
    """A quantity whose interval is to shrink. gradients(fit, thetas [k, p]) -> [k, p] of its logarithm (a floor
    and an exponent: of itself over its value)."""

    text: str
    gradients: Callable[[Fit, Array], Array]


@dataclass(frozen=True)
class Budget:
    """What runs cost: `cost` over `rate` hours each, and `overhead` hours beside; hours: at most, in all."""

    cost: Cost
    rate: float
    overhead: float = 0.1
    hours: float | None = None


@dataclass(frozen=True)
class Step:
    """One run to add: its inputs, its hours, and the interval's half-width (log) once it is there."""

    x: Mapping[str, float]
    hours: float
    half_width: float


@dataclass(frozen=True)
class Suggestion:
    """goal: in words. now: half-width (log) of its interval today; steps: runs in the order to train them."""

    goal: str
    now: float
    steps: tuple[Step, ...]
    hours: float
    level: float
    diagnostics: tuple[Diagnostic, ...]


def goal_of(fit: Fit, shrink: str, at: Mapping[str, float], target: float | None) -> Goal:
    """The goal named "prediction", by a parameter of the law, or by an input that is to reach `target`.

    Raises:
        InputError: none of these, or something that the goal needs is missing.
    """
    if shrink == "prediction":
        if not at:
            raise InputError("shrink prediction: give the point, at INPUT=NUMBER", "bad-option")
        return prediction_goal(fit, at)
    if shrink in fit.law.parameter_names:
        return parameter_goal(fit, shrink)
    if shrink not in fit.law.input_names:
        names = ", ".join(("prediction", *fit.law.parameter_names, *fit.law.input_names))
        raise InputError(f"shrink {shrink}: choose one of {names}", "bad-value")
    if target is None:
        raise InputError(f"shrink {shrink}: give the error to reach, target", "bad-option")
    return inverse_goal(fit, shrink, target, at)


def prediction_goal(fit: Fit, at: Mapping[str, float]) -> Goal:
    """The law's value at a point."""
    log_gradients(fit, fit.theta[None], at)
    place = ", ".join(f"{fit.table.column(name)} = {value:g}" for name, value in at.items())
    return Goal(f"{fit.table.y_name} at {place}", lambda f, thetas: log_gradients(f, thetas, at)[:, 0])


def parameter_goal(fit: Fit, name: str) -> Goal:
    """A parameter of the law.

    Raises:
        InputError: the law has no such parameter, or it is held fixed.
    """
    fit.law.parameter(name)
    i = fit.law.parameter_names.index(name)
    if not fit.free[i]:
        raise InputError(f"parameter {name} is held fixed; there is nothing to learn about it", "conflict")
    row = fit.problem.coordinate_rows[i][0]

    def gradients(f: Fit, thetas: Array) -> Array:
        scale = np.ones(len(thetas)) if f.law.parameters[i].in_log else 1.0 / np.maximum(np.abs(thetas[:, i]), 1e-3)
        return scale[:, None] * row

    return Goal(f"parameter {name}", gradients)


def inverse_goal(fit: Fit, name: str, target: float, at: Mapping[str, float]) -> Goal:
    """The value of an input that reaches a target.

    Raises:
        InputError: the fitted curve does not reach it.
    """
    check_input(fit, name, at)
    ends = search_range(fit, name)
    if not np.isfinite(reach(fit, fit.theta[None], name, target, at, ends)[0]):
        raise InputError(
            f"{fit.table.y_name} {target:g} is out of reach of the fitted curve; shrink the floor, E",
            "out-of-reach",
        )

    def gradients(f: Fit, thetas: Array) -> Array:
        values = reach(f, thetas, name, target, at, ends)
        found = np.full(thetas.shape, np.nan)
        for k in np.flatnonzero(np.isfinite(values)):
            x = {**at, name: values[k]}
            slope = log_slopes(f, thetas[k : k + 1], x, name)[0, 0]
            found[k] = -log_gradients(f, thetas[k : k + 1], x)[0, 0] / slope
        return found

    return Goal(f"{fit.table.column(name)} for {fit.table.y_name} {target:g}", gradients)


def suggest(
    fit: Fit,
    goal: Goal,
    candidates: Mapping[str, Array],
    budget: Budget,
    runs: int = 3,
    level: float = LEVEL,
    seed: int = 0,
) -> Suggestion:
    """Choose runs one after another, each the one with the largest fall of the log half-width per hour.

    candidates: {input: [m]}. The half-width is the delta method's with t, its logarithm averaged over draws of the
    fit, so that the choice does not hang on one curve. With `budget.hours`, the largest fall that can still be
    paid is tried as well, and the better of the two lists is taken.

    Raises:
        InputError: no interval to shrink yet, or a budget that buys no run.
    """
    if no_interval_reason(fit) is not None or fit.scatter is None:
        raise InputError(
            f"{fit.table.source}: {no_interval_reason(fit)}; check a plan with `design` instead", "too-few-levels"
        )
    if not (np.isfinite(budget.rate) and budget.rate > 0 and budget.overhead >= 0) or runs < 1:
        raise InputError(
            f"rate {budget.rate}, overhead {budget.overhead}, runs {runs}: must be numbers above 0", "bad-value"
        )
    problem = _problem(fit, goal, candidates, budget, level, seed)
    now = problem.half_width(problem.matrix, len(fit.table.y))
    lists = [_greedy(problem, runs, budget.hours, now, per_hour=True)]
    if budget.hours is not None:
        lists.append(_greedy(problem, runs, budget.hours, now, per_hour=False))
        if not any(lists):
            raise InputError(
                f"{budget.hours:g} hours: the cheapest candidate takes {problem.hours.min():.3g}", "out-of-reach"
            )
    steps = min((found for found in lists if found), key=lambda found: found[-1].half_width)
    findings = diagnose(fit, parameter_intervals(fit, level), level)
    found = tuple(d for d in findings if d.severity != "info")
    return Suggestion(goal.text, now, tuple(steps), sum(step.hours for step in steps), level, found)


@dataclass(frozen=True, eq=False)
class _Problem:
    """k curves: information so far [k, p, p], that of each candidate [k, m, p, p]; hours [m]; half: log half-widths."""

    matrix: Array
    each: Array
    hours: Array
    candidates: Mapping[str, Array]
    points: int
    half: Callable[[Array, int], Array]

    def half_width(self, matrix: Array, points: int) -> float:
        """Geometric mean over the curves."""
        return float(np.exp(_mean(self.half(matrix, points))))


def _problem(
    fit: Fit, goal: Goal, candidates: Mapping[str, Array], budget: Budget, level: float, seed: int
) -> _Problem:
    thetas = np.concatenate([fit.theta[None], draw(fit, DRAWS, "residual", seed).thetas])
    goals = goal.gradients(fit, thetas)
    kept = np.isfinite(goals).all(axis=1)
    thetas, goals = thetas[kept], goals[kept]
    rows = log_gradients(fit, thetas, candidates)
    hours = np.broadcast_to(budget.cost.at(candidates), (rows.shape[1],)) / budget.rate + budget.overhead
    noise, free = max(fit.scatter or 0.0, 1e-6), fit.free_count

    def half(matrices: Array, points: int) -> Array:
        t = float(t_quantile(0.5 + level / 2.0, points - free))
        return np.log(t * noise * np.sqrt(variance_of(goals, matrices)))

    matrix = information(log_gradients(fit, thetas, fit.table.x), fit.weights)
    each = rows[..., :, None] * rows[..., None, :]
    return _Problem(matrix, each, hours, candidates, len(fit.table.y), half)


def _greedy(problem: _Problem, runs: int, most: float | None, now: float, per_hour: bool) -> list[Step]:
    steps, matrix, current = list[Step](), problem.matrix, now
    left = np.inf if most is None else most
    for count in range(problem.points + 1, problem.points + 1 + runs):
        paid = np.flatnonzero(problem.hours <= left)
        if not len(paid):
            break
        after = np.array([problem.half_width(matrix + problem.each[:, j], count) for j in paid])
        with np.errstate(divide="ignore", invalid="ignore"):
            fall = np.log(current) - np.log(after) if np.isfinite(current) else -np.log(after)
        best = int(np.argmax(fall / problem.hours[paid] if per_hour and np.isfinite(current) else fall))
        j = int(paid[best])
        matrix, current = matrix + problem.each[:, j], float(after[best])
        left -= float(problem.hours[j])
        x = {name: float(values[j]) for name, values in problem.candidates.items()}
        steps.append(Step(x, float(problem.hours[j]), current))
    return steps


def _mean(values: Array) -> float:
    """Mean over draws; those that tell nothing (inf) count as the widest that does, if few."""
    finite = values[np.isfinite(values)]
    if len(finite) < 0.5 * len(values):
        return float("inf")
    return float(np.mean(np.minimum(values, finite.max())))


def candidate_grid(fit: Fit, vary: Mapping[str, Sequence[float]]) -> dict[str, Array]:
    """Every combination of the given values; an input that is not named keeps its values of the sweep."""
    values = {}
    for name in fit.law.input_names:
        values[name] = np.asarray(vary[name], np.float64) if name in vary else np.unique(fit.table.x[name])
    for name in vary:
        if name not in values:
            raise InputError(
                f"law {fit.law.name} has no input {name!r}; it has {', '.join(fit.law.input_names)}", "unknown-name"
            )
    mesh = np.meshgrid(*values.values(), indexing="ij")
    return {name: grid.reshape(-1) for name, grid in zip(values, mesh, strict=True)}


def lines(found: Suggestion) -> list[str]:
    """The runs as lines of text."""
    shown = [f"{found.goal}: its {found.level:.3g} interval is a factor of {np.exp(found.now):.3g} to each side today"]
    for i, step in enumerate(found.steps, start=1):
        place = ", ".join(f"{name} = {value:g}" for name, value in step.x.items())
        shown.append(f"  {i}. {place}: {step.hours:.3g} h, then a factor of {np.exp(step.half_width):.3g}")
    shown.append(f"  {found.hours:.3g} device-hours in all; expected if the law holds")
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in found.diagnostics]


def as_json(found: Suggestion) -> dict[str, Any]:
    """The runs as a JSON object; half-widths are of logarithms, null where there is no end."""
    body = asdict(found)
    body["now"] = found.now if np.isfinite(found.now) else None
    for step in body["steps"]:
        step["half_width"] = step["half_width"] if np.isfinite(step["half_width"]) else None
    return body
