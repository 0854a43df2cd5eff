"""Which runs to train next: those that shrink a chosen interval most per hour of the device."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as t_distribution

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw
from semgjax.scaling.decide.cost import Cost
from semgjax.scaling.decide.inverse import check_input, reach, search_range
from semgjax.scaling.decide.sensitivity import information, log_gradients, log_slopes, variance_of
from semgjax.scaling.diagnose import Diagnostic, diagnose
from semgjax.scaling.fit import Fit, coordinate_rows
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals

Array = np.ndarray

DRAWS = 100


@dataclass(frozen=True)
class Goal:
    """A quantity whose interval is to shrink. gradients(fit, thetas [k, p]) -> [k, p] of its logarithm (a floor
    and an exponent: of itself over its value)."""

    text: str
    gradients: Callable[[Fit, Array], Array]


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
        raise InputError(f"parameter {name} is held fixed; there is nothing to learn about it")
    row = coordinate_rows(fit)[i][0]

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
            f"{fit.table.y_name} {target:g} is out of reach of the fitted curve; shrink the floor: --shrink E"
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
    cost: Cost,
    rate: float,
    runs: int = 3,
    level: float = LEVEL,
    seed: int = 0,
) -> Suggestion:
    """Choose runs one after another, each the one with the largest fall of the log half-width per hour.

    candidates: {input: [m]}. rate: cost per device-hour. The half-width is the delta method's with t, its
    logarithm averaged over draws of the fit, so that the choice does not hang on one curve.

    Raises:
        InputError: no interval to shrink yet, no candidate, or a rate that is not above 0.
    """
    if no_interval_reason(fit) is not None or fit.scatter is None:
        raise InputError(f"{fit.table.source}: {no_interval_reason(fit)}; check a plan with `design` instead")
    if not (np.isfinite(rate) and rate > 0) or runs < 1:
        raise InputError(f"rate {rate}, runs {runs}: the cost a device pays in an hour, and how many runs to choose")
    thetas = np.concatenate([fit.theta[None], draw(fit, DRAWS, "residual", seed).thetas])
    goals = goal.gradients(fit, thetas)
    kept = np.isfinite(goals).all(axis=1)
    thetas, goals = thetas[kept], goals[kept]
    rows = log_gradients(fit, thetas, candidates)
    hours = np.broadcast_to(cost.at(candidates), (rows.shape[1],)) / rate
    matrix = information(log_gradients(fit, thetas, fit.table.x), fit.weights)
    noise = max(fit.scatter, 1e-6)

    def half(matrices: Array, goals: Array, points: int) -> Array:
        t = float(t_distribution.ppf(0.5 + level / 2.0, points - fit.free_count))
        return np.log(t * noise * np.sqrt(variance_of(goals, matrices)))

    count = len(fit.table.y)
    now = _mean(half(matrix, goals, count))
    steps, current = list[Step](), now
    for _ in range(runs):
        count += 1
        each = matrix[:, None] + rows[..., :, None] * rows[..., None, :]
        after = np.array([_mean(half(each[:, j], goals, count)) for j in range(len(hours))])
        best = int(np.argmax((current - after) / hours)) if np.isfinite(current) else int(np.argmin(after))
        matrix, current = each[:, best], float(after[best])
        x = {name: float(values[best]) for name, values in candidates.items()}
        steps.append(Step(x, float(hours[best]), float(np.exp(current))))
    found = tuple(d for d in diagnose(fit, parameter_intervals(fit, level), level) if d.severity != "info")
    total = sum(step.hours for step in steps)
    return Suggestion(goal.text, float(np.exp(now)), tuple(steps), total, level, found)


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
            raise InputError(f"law {fit.law.name} has no input {name!r}; it has {', '.join(fit.law.input_names)}")
    mesh = np.meshgrid(*values.values(), indexing="ij")
    return {name: grid.reshape(-1) for name, grid in zip(values, mesh, strict=True)}
