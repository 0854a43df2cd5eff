"""Which runs to train next: new sizes, users and seeds that shrink a chosen interval most per hour of the device.

One run at a place x adds the outer product of d log y / d theta at x to the information about the parameters; the
variance of the asked quantity g is then g' M^-1 g (c-optimality; for the whole law det M^-1, D-optimality: Atkinson,
Donev and Tobias 2007, Optimum Experimental Designs, 10 and 11). Both are averaged over draws of the fit.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw, problems_of
from semgjax.scaling.decide.candidates import kind_of, new_inputs
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.goals import Goal
from semgjax.scaling.decide.sensitivity import information, log_gradients, variance_of
from semgjax.scaling.diagnose import Diagnostic, diagnose
from semgjax.scaling.ends import number, place_text
from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.kappa import kappa
from semgjax.scaling.laws import simpler_law
from semgjax.scaling.noise import noise_scales
from semgjax.scaling.profile import LEVEL, no_interval_reason, parameter_intervals
from semgjax.scaling.quantiles import t_quantile
from semgjax.scaling.solver import solve
from semgjax.scaling.table import table_of

Array = np.ndarray

DRAWS = 100
NOISE = 0.03  # relative scatter that is assumed where the runs show none: seeds differ by 1 to 5 % in error rate
# A half-width of a factor of exp(9), 8,000, says nothing; one without end counts as this.
_WIDEST = 9.0
# Findings of severity error that more runs can cure: there a list of runs is the answer.
CURED_BY_RUNS = ("few-levels", "few-runs", "two-levels", "one-level", "collinear-axes", "not-identified")


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

    kind: "beyond" the sweep, "between" its values, a new "combination" of them, or another "seed" of a place. new: the
    inputs with a value that the sweep has not. gain: fall of the log half-width per device-hour.
    """

    x: Mapping[str, float]
    hours: float
    half_width: float
    kind: str
    new: tuple[str, ...]
    gain: float


@dataclass(frozen=True)
class Suggestion:
    """goal: in words. now: half-width (log) of its interval today, inf where there is none; steps: runs in the order
    to train them. noise: scatter of a run (log). assumed: whether that is `NOISE`. advice: what else would give an
    interval. blocked: whether a number is withheld: today's interval does not exist, or a finding forbids the rest.
    """

    goal: str
    now: float
    steps: tuple[Step, ...]
    hours: float
    level: float
    diagnostics: tuple[Diagnostic, ...]
    noise: float = NOISE
    assumed: bool = False
    advice: tuple[str, ...] = ()
    blocked: bool = False
    columns: Mapping[str, str] | None = None


def suggest(
    fit: Fit,
    goal: Goal,
    candidates: Mapping[str, Array],
    budget: Budget,
    runs: int = 3,
    level: float = LEVEL,
    seed: int = 0,
    force: bool = False,
) -> Suggestion:
    """Choose runs one after another, each the one with the largest fall of the log half-width per hour.

    candidates: {input: [m]}. The half-width is the delta method's with t and the noise models of the intervals, its
    logarithm averaged over draws of the fit, so that the choice does not hang on one curve; where a run is doubtful it
    is that of the first answer. With `budget.hours`, the largest fall that can still be paid is tried as well, and the
    better of the two lists is taken. With too few levels for an interval the noise of seeds is assumed, and the advice
    names a law with fewer parameters. A finding of severity error that no run cures withholds the list unless `force`.

    Raises:
        InputError: a rate, overhead, or number of runs out of range, or a budget that buys no run.
    """
    if not (np.isfinite(budget.rate) and budget.rate > 0 and budget.overhead >= 0) or runs < 1:
        raise InputError(
            f"rate {budget.rate}, overhead {budget.overhead}, runs {runs}: must be numbers above 0", "bad-value"
        )
    open_ended = no_interval_reason(fit) is not None
    found = tuple(
        d for d in diagnose(fit, None if open_ended else parameter_intervals(fit, level), level) if d.severity != "info"
    )
    columns = {name: fit.table.column(name) for name in fit.law.input_names}
    fatal = [d for d in found if d.severity == "error" and d.code not in CURED_BY_RUNS]
    if fatal and not force:
        return Suggestion(goal.text, np.inf, (), 0.0, level, found, blocked=True, columns=columns)
    problem = _problem(fit, goal, candidates, budget, level, seed)
    now = problem.today
    lists = [_greedy(fit, problem, runs, budget.hours, per_hour=True)]
    if budget.hours is not None:
        lists.append(_greedy(fit, problem, runs, budget.hours, per_hour=False))
        if not any(lists):
            raise InputError(
                f"{budget.hours:g} hours: the cheapest candidate takes {problem.hours.min():.3g}", "out-of-reach"
            )
    steps = min((steps for steps in lists if steps), key=lambda steps: steps[-1].half_width)
    return Suggestion(
        goal.text, now, tuple(steps), sum(step.hours for step in steps), level, found, problem.noise, problem.assumed,
        _advice(fit, steps), (not np.isfinite(now) or any(d.severity == "error" for d in found)) and not force, columns,
    )  # fmt: skip


def _advice(fit: Fit, steps: list[Step]) -> tuple[str, ...]:
    """What gives an interval where there is none: a law with fewer parameters, and the runs of the list."""
    reason = no_interval_reason(fit)
    if reason is None:
        return ()
    simpler = simpler_law(fit.law, fit.levels, tuple(fit.fixed))
    advice = [f"no interval today: {reason}"]
    if simpler is not None and len(fit.table.y) > len(simpler.parameters):
        name = simpler.name.partition("(")[0]
        advice.append(
            f"fit --law {name} ({simpler.formula}): its {len(simpler.parameters)} parameters leave an interval from "
            "the same runs, if that law holds"
        )
    if steps and np.isfinite(steps[-1].half_width):
        first = next(i for i, step in enumerate(steps, start=1) if np.isfinite(step.half_width))
        advice.append(f"or add run 1 below: {fit.law.name} has an interval then" if first == 1 else
                      f"or add runs 1 to {first} below: {fit.law.name} has an interval then")  # fmt: skip
    return tuple(advice)


@dataclass(frozen=True, eq=False)
class _Problem:
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


def _problem(
    fit: Fit, goal: Goal, candidates: Mapping[str, Array], budget: Budget, level: float, seed: int
) -> _Problem:
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
    return _Problem(
        information(own, fit.weights), rows, goals, hours, candidates, points, fit.levels, level, noise, assumed
    )


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


def _greedy(fit: Fit, problem: _Problem, runs: int, most: float | None, per_hour: bool) -> list[Step]:
    steps, matrix, current = list[Step](), problem.matrix, problem.today
    left = np.inf if most is None else most
    places = {name: fit.table.x[name] for name in fit.law.input_names}
    for count in range(problem.points + 1, problem.points + 1 + runs):
        paid = np.flatnonzero(problem.hours <= left)
        if not len(paid):
            break
        levels = _levels_after(places, problem.candidates, paid)
        after = problem.half_widths(matrix, problem.rows[:, paid], count, levels)
        fall = np.log(min(current, _WIDEST)) - np.log(np.minimum(after, _WIDEST))
        if not (fall > 0).any():
            # Nothing shows yet: first the places that the law lacks, then the least that can be said of the rest.
            fall = levels + 1e-3 / (1.0 + np.where(np.isfinite(after), after, 1e9))
        best = int(np.argmax(fall / problem.hours[paid] if per_hour else fall))
        j = int(paid[best])
        matrix = matrix + problem.rows[:, j, :, None] * problem.rows[:, j, None, :]
        hours = float(problem.hours[j])
        gain = float(np.log(min(current, _WIDEST)) - np.log(min(after[best], _WIDEST))) / hours
        current = float(after[best])
        left -= hours
        x = {name: float(values[j]) for name, values in problem.candidates.items()}
        kind = kind_of(fit, x, [step.x for step in steps])
        steps.append(Step(x, hours, current, kind, () if kind == "seed" else new_inputs(fit, x), gain))
        places = {name: np.append(values, x[name]) for name, values in places.items()}
    return steps


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


_KINDS = {
    "beyond": "beyond the sweep",
    "between": "between the values of the sweep",
    "combination": "a combination that the sweep lacks",
    "seed": "another seed",
}


def lines(found: Suggestion) -> list[str]:
    """The runs as lines of text."""
    today = f"a factor of {np.exp(found.now):.3g} to each side today" if np.isfinite(found.now) else "not known today"
    shown = [f"{found.goal}: its {found.level:.3g} interval is {today}"]
    shown += [f"  {text}" for text in found.advice]
    columns = found.columns or {}
    for i, step in enumerate(found.steps, start=1):
        place = place_text(lambda name: columns.get(name, name), step.x)
        new = f"new {', '.join(columns.get(name, name) for name in step.new)}, " if step.new else ""
        then = f"then a factor of {np.exp(step.half_width):.3g}" if np.isfinite(step.half_width) else "no interval yet"
        shown.append(f"  {i}. {place} ({new}{_KINDS[step.kind]}): {step.hours:.3g} h, {then}")
    if found.steps:
        noise = f", assuming that seeds scatter by {100 * found.noise:.2g} %" if found.assumed else ""
        shown.append(f"  {number(found.hours)} device-hours in all; expected if the law holds{noise}")
    else:
        shown.append("  no runs: correct the errors below first (--force chooses all the same)")
    return shown + [f"  {d.severity} {d.code}: {d.message}" for d in found.diagnostics]


def as_json(found: Suggestion) -> dict[str, Any]:
    """The runs as a JSON object; half-widths are of logarithms, null where there is no end."""
    body = asdict(found)
    body["now"] = found.now if np.isfinite(found.now) else None
    for step in body["steps"]:
        step["half_width"] = step["half_width"] if np.isfinite(step["half_width"]) else None
    return body
