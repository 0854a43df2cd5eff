"""What one bad run does to a small sweep: does the interval hold the truth, and is the run named?

Sweeps of nine sizes are simulated with one run off by a factor, at every position. Each row of the printed table is one
noise and one factor, each column the position of the bad run: the share of sweeps whose 95 % interval ten times beyond
the sweep holds the true curve, and the share in which the run is named (outlier or doubtful-run). Run it with
`python -m analysis.outliers`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from analysis.command import run
from analysis.simulated import Simulations, table
from semgjax.scaling.bootstrap import problems_of
from semgjax.scaling.fit import fit_law
from semgjax.scaling.law import Law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.objective import Objective
from semgjax.scaling.quantiles import f_quantile
from semgjax.scaling.robust import bisquare_weights, judge, residuals_of, weighted_scale
from semgjax.scaling.solver import Problems, curves, solve
from semgjax.scaling.starts import first_guesses

Array = np.ndarray
STARTS = 4
LEVEL = 0.95
NOISES = (0.02, 0.05)
FACTORS = (1.2, 1.5, 4.0, 1 / 1.2, 1 / 1.5, 0.25)


@dataclass(frozen=True)
class Sweep:
    """A sweep: the true curve over sizes, the sizes of the runs, the size asked for, the law fitted."""

    truth: Callable[[Array], Array] = lambda size: 8.0 + 60.0 * (size / 2e4) ** -0.45
    sizes: tuple[float, ...] = tuple(np.geomspace(2e4, 2e6, 9))
    asked: float = 2e7
    law: Law = LAWS["floor_power"]


@dataclass(frozen=True)
class Outcome:
    """Of k simulated sweeps [k]: does the interval hold the truth; is the bad run named; is any run named; log width
    (delta method); would leaving out one run move the answer by half the interval."""

    held: Array
    named: Array
    any_named: Array
    width: Array
    influential: Array


def outcome(
    sweep: Sweep, noise: float, factor: float, position: int | None, simulations: int, seed: int = 0
) -> Outcome:
    """Simulate sweeps with the run at `position` off by `factor` (None: no bad run). All are solved together.

    The allowance for noise that changes along the sweep, which would only widen intervals, is left out.
    """
    law, sizes = sweep.law, np.array(sweep.sizes)
    n, p = len(sizes), len(law.parameters)
    clean = sweep.truth(sizes)
    fit = fit_law((sizes, clean), law, Objective("log_ls"))
    logs = noise * np.random.default_rng(seed).standard_normal((simulations, n))
    if position is not None:
        logs[:, position] += np.log(factor)
    y = clean / fit.unit_y * np.exp(logs)
    problems = replace(problems_of(fit), y=y, weights=fit.weights[None])
    guesses = first_guesses(law, problems.x, clean / fit.unit_y, fit.weights, fit.low, fit.high, STARTS, seed)
    ends = solve(law, replace(problems, y=np.repeat(y, STARTS, axis=0)), np.tile(guesses, (simulations, 1)))
    best = np.where(np.isfinite(ends.value), ends.value, np.inf).reshape(simulations, STARTS).argmin(axis=1)
    squares = ends.theta.reshape(simulations, STARTS, p)[np.arange(simulations), best]
    found = judge(law, problems, squares, fit.table.groups)
    goal = float(np.log(sweep.truth(np.array(sweep.asked)) / fit.unit_y))
    at = {"N": np.array([sweep.asked / fit.reference["N"]])}
    first = _answer(law, problems, found.theta, found.cut, at, goal)
    second = _answer(law, problems, found.other_theta, found.other_cut, at, goal)
    low, high = np.minimum(first.low, second.low), np.maximum(first.high, second.high)
    between = (np.minimum(first.centre, second.centre) <= goal) & (goal <= np.maximum(first.centre, second.centre))
    named = found.out | (found.out != found.other) | (first.weights < 0.3)
    one = np.zeros(simulations, bool) if position is None else named[:, position]
    moves = _moves(law, problems, found.theta, first.weights, at, first.centre)
    return Outcome(
        first.held | second.held | between, one, named.any(axis=1), high - low, moves.max(axis=1) > 0.5 * (high - low)
    )


@dataclass(frozen=True)
class _Answer:
    held: Array
    weights: Array
    centre: Array
    low: Array
    high: Array


def _answer(law: Law, problems: Problems, thetas: Array, cuts: Array, at: dict[str, Array], goal: float) -> _Answer:
    """One answer of each sweep: does its profile hold the goal, weights, log prediction, the delta method's ends."""
    count, p = thetas.shape
    residuals = residuals_of(law, problems, np.arange(count), thetas)
    weights = bisquare_weights(residuals, cuts[:, None])
    scale = np.array([weighted_scale(r, w, c, p) for r, w, c in zip(residuals, weights, cuts, strict=True)]) + 1e-16
    cut = f_quantile(LEVEL, 1, (weights > 0).sum(axis=1) - p)
    own = replace(problems, weights=problems.weights * weights)
    free = solve(law, own, thetas)
    centre = np.log(curves(law, at, free.theta))[:, 0]
    statistic = np.full(count, np.inf)
    for steps in (1, 4):  # straight to the truth, and along the profile; the lower counts
        start = free.theta
        for step in range(1, steps + 1):
            value = centre + (goal - centre) * step / steps
            pull = 40.0 * cut * scale / (np.maximum(np.abs(value - centre), 1e-7) / 3.0) ** 2
            tied = replace(
                own, tie_x={name: np.full(count, v[0]) for name, v in at.items()}, tie_curve=np.ones(count),
                tie_row=np.zeros((1, p)), tie_value=value, tie_weight=pull,
            )  # fmt: skip
            ends = solve(law, tied, start)
            start = ends.theta
        lowest = 2.0 * (ends.value + pull * (goal - ends.tied) ** 2 - free.value) / scale
        statistic = np.minimum(statistic, np.where(np.isfinite(lowest), lowest, np.inf))
    half = np.sqrt(cut * scale * _variances(law, problems, free.theta, weights, at))
    return _Answer(statistic <= cut, weights, centre, centre - half, centre + half)


def _variances(law: Law, problems: Problems, thetas: Array, weights: Array, at: dict[str, Array]) -> Array:
    """Variance of the log prediction [k] for noise of variance 1, by the delta method."""
    step, floors = 1e-5, np.array([p.kind == "floor" for p in law.parameters])
    slopes, gradients = [], []
    for unit in np.eye(thetas.shape[1]):
        up, down = thetas + step * unit, np.maximum(thetas - step * unit, np.where(floors, 0.0, -np.inf))
        gap = ((up - down) @ unit)[:, None]
        slopes.append((np.log(curves(law, problems.x, up)) - np.log(curves(law, problems.x, down))) / gap)
        gradients.append((np.log(curves(law, at, up)) - np.log(curves(law, at, down)))[:, 0] / gap[:, 0])
    matrix, gradient = np.stack(slopes, axis=2), np.stack(gradients, axis=1)
    information = np.einsum("kn,kni,knj->kij", weights, matrix, matrix)
    return np.einsum("ki,kij,kj->k", gradient, np.linalg.pinv(information, rcond=1e-12), gradient)


def _moves(law: Law, problems: Problems, thetas: Array, weights: Array, at: dict[str, Array], centre: Array) -> Array:
    """By how much the log prediction of each sweep moves without each run [k, n]."""
    count, n = weights.shape
    kept = (weights[:, None, :] * (1.0 - np.eye(n))).reshape(count * n, n)
    many = replace(problems, y=np.repeat(problems.y, n, axis=0), weights=problems.weights * kept)
    ends = solve(law, many, np.repeat(thetas, n, axis=0), 60)
    return np.abs(np.log(curves(law, at, ends.theta))[:, 0].reshape(count, n) - centre[:, None])


def study(options: Simulations) -> str:
    """The table as Markdown."""
    sweep = Sweep()
    n = len(sweep.sizes)
    caption = (
        f"Share of {options.simulations} simulated sweeps of {n} sizes whose 95 % interval holds the truth / in which "
        "the bad run is named, in %, by the position of the bad run from the smallest size to the largest."
    )

    def row(noise: float, factor: float) -> str:
        cells = []
        for position in range(n):
            found = outcome(sweep, noise, factor, position, options.simulations)
            cells.append(f"{100 * found.held.mean():.0f} / {100 * found.named.mean():.0f}")
        return " | ".join(cells)

    rows = [
        (f"{100 * noise:.0f} %, {100 * (factor - 1):+.0f} %", partial(row, noise, factor))
        for noise in NOISES for factor in FACTORS
    ]  # fmt: skip
    return table(options, __file__, caption, ["noise, bad run", *(str(i + 1) for i in range(n))], rows)


if __name__ == "__main__":
    run(study, Simulations, __doc__)
