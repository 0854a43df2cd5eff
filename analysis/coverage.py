"""How often 95 % intervals hold the truth ten times beyond a sweep, in sweeps simulated from known laws.

Prints a table (and writes it with --out FILE.md): per cell the share of simulated sweeps whose interval for the
curve, ten times beyond the largest run, held the true value, with its standard error. Run it with
`python -m analysis.coverage`.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import f as f_distribution

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import problems_of
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.kappa import noise_scale
from semgjax.scaling.law import Law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.noise import LEAST_FREEDOM, trend_of, variables, widening
from semgjax.scaling.objective import Objective, delta_by_scale
from semgjax.scaling.robust import bisquare_weights, judge, residuals_of, weighted_scale
from semgjax.scaling.solver import curves, solve
from semgjax.scaling.starts import first_guesses
from semgjax.scaling.table import table_of

Array = np.ndarray
SIMULATIONS = 400
STARTS = 8
LEVEL = 0.95


@dataclass(frozen=True)
class Cell:
    """One setting: the true curve over inputs, the sweep's points, where it is asked, the law fitted, noise (log).

    last: noise at the largest size, where it moves geometrically from `noise` at the smallest.
    """

    name: str
    truth: Callable[[dict[str, Array]], Array]
    points: dict[str, Array]
    asked: dict[str, float]
    law: Law
    noise: float
    last: float | None = None


def cells() -> tuple[Cell, ...]:
    """The settings of the table."""
    found = []
    for label, truth, law in (
        ("power + floor, CER 68 -> 15 %", lambda x: 8.0 + 60.0 * (x["N"] / 2e4) ** -0.45, "floor_power"),
        ("near the floor, CER 24 -> 20 %", lambda x: 20.0 + 4.0 * (x["N"] / 2e4) ** -0.6, "floor_power"),
        ("near the ceiling, CER 98 -> 72 %", lambda x: 100.0 * -np.expm1(-4.0 * (x["N"] / 2e4) ** -0.25), "saturating"),
    ):
        for sizes in (5, 6, 8):
            for seeds in (1, 3):
                for noise in (0.02, 0.05):
                    points = {"N": np.repeat(np.geomspace(2e4, 2e6, sizes), seeds)}
                    name = f"{label}, {sizes} sizes x {seeds}, noise {100 * noise:.0f} %"
                    found.append(Cell(name, truth, points, {"N": 2e7}, LAWS[law], noise))
    users, hours = _star((4, 8, 16, 32, 64), 16, (0.25, 0.5, 1.0, 2.0, 4.0), 1.0)
    for noise in (0.02, 0.05):
        found.append(
            Cell(
                f"users x hours, star of 9, noise {100 * noise:.0f} %",
                lambda x: 6.0 + 60.0 * (x["U"] / 4.0) ** -0.4 * x["H"] ** -0.25,
                {"U": users, "H": hours},
                {"U": 640.0, "H": 1.0},
                LAWS["users_hours_product"],
                noise,
            )
        )
    for sizes, seeds in ((8, 1), (6, 3)):
        for noise, last in ((0.01, 0.06), (0.03, 0.03), (0.06, 0.01)):
            points = {"N": np.repeat(np.geomspace(2e4, 2e6, sizes), seeds)}
            name = f"moving noise, {sizes} sizes x {seeds}, {100 * noise:.0f} to {100 * last:.0f} %"
            found.append(
                Cell(name, lambda x: 8.0 + 60.0 * (x["N"] / 2e4) ** -0.45, points, {"N": 2e7},
                     LAWS["floor_power"], noise, last)
            )  # fmt: skip
    return tuple(found)


def _star(first: tuple, centre: float, second: tuple, middle: float) -> tuple[Array, Array]:
    """One axis at a time: all of `first` at `middle`, all of `second` at `centre`."""
    pairs = dict.fromkeys([(float(u), middle) for u in first] + [(float(centre), float(h)) for h in second])
    return np.array([u for u, _ in pairs]), np.array([h for _, h in pairs])


def coverage(cell: Cell, objective: Objective, simulations: int, seed: int = 0, allow: bool = True) -> float:
    """Share of simulated sweeps whose interval held the truth: its profile statistic lies below the F quantile.

    All sweeps of a cell are solved together; each is one more row of y. allow: for noise that may move along the sweep.
    """
    random = np.random.default_rng(seed)
    clean = cell.truth(cell.points)
    n, p = len(clean), len(cell.law.parameters)
    fit = fit_law(table_of(cell.points, clean), cell.law, Objective("log_ls"))
    place = np.log(fit.table.sizes / fit.table.sizes.min()) / np.log(fit.table.sizes.max() / fit.table.sizes.min())
    noise = cell.noise * ((cell.last or cell.noise) / cell.noise) ** place
    y = clean / fit.unit_y * np.exp(noise * random.standard_normal((simulations, n)))
    problems = problems_of(fit)
    guesses = first_guesses(cell.law, problems.x, problems.y, fit.weights, fit.low, fit.high, STARTS, seed)
    many = replace(problems, y=np.repeat(y, STARTS, axis=0))
    ends = solve(cell.law, many, np.tile(guesses, (simulations, 1)))
    best = np.where(np.isfinite(ends.value), ends.value, np.inf).reshape(simulations, STARTS).argmin(axis=1)
    theta = ends.theta.reshape(simulations, STARTS, p)[np.arange(simulations), best]
    fitted = np.log(curves(cell.law, problems.x, theta))
    deltas = np.array([delta_by_scale(r, p) for r in np.log(y) - fitted])
    own = replace(problems, y=y, delta=deltas if objective.kind == "huber_log" else np.array([np.inf]))
    if mm := objective.kind == "mm_log":  # of two answers the first: intervals that hold for both are wider
        judged = judge(cell.law, replace(problems, y=y, weights=fit.weights[None]), theta, fit.table.groups, seed)
        theta, cuts = judged.theta, judged.cut
        sizes = residuals_of(cell.law, replace(own, weights=fit.weights[None]), np.arange(simulations), theta)
        own = replace(own, weights=bisquare_weights(sizes, cuts[:, None]))
    free = solve(cell.law, own, theta)
    residuals = np.log(y) - np.log(curves(cell.law, problems.x, free.theta))
    scales = np.array([noise_scale(r, np.ones(n), own_delta, p) for r, own_delta in zip(
        residuals, np.broadcast_to(own.delta, simulations), strict=True)])  # fmt: skip
    asked = {name: np.full(simulations, value / fit.reference[name]) for name, value in cell.asked.items()}
    at = {name: value[:1] for name, value in asked.items()}
    centre = np.log(curves(cell.law, at, free.theta))[:, 0]
    goal = float(np.log(cell.truth({name: np.array(v) for name, v in cell.asked.items()}) / fit.unit_y))
    cut = f_distribution.ppf(LEVEL, 1, n - p)
    if mm:
        scales = np.array([weighted_scale(*row, p) for row in zip(residuals, own.weights, cuts, strict=True)]) + 1e-16
        cut = f_distribution.ppf(LEVEL, 1, (own.weights > 0).sum(axis=1) - p)
    statistic = np.full(simulations, np.inf)
    for steps in (1, 4):  # straight to the truth, and along the profile; the lower counts
        start = free.theta
        for step in range(1, steps + 1):
            value = centre + (goal - centre) * step / steps
            half = np.maximum(np.abs(value - centre), 1e-7) / 3.0
            pull = 40.0 * cut * scales / half**2
            tied = replace(
                own, tie_x=asked, tie_curve=np.ones(simulations), tie_row=np.zeros((1, p)), tie_value=value,
                tie_weight=pull,
            )  # fmt: skip
            found = solve(cell.law, tied, start)
            start = found.theta
        lowest = 2.0 * (found.value + pull * (goal - found.tied) ** 2 - free.value) / scales
        statistic = np.minimum(statistic, np.where(np.isfinite(lowest), lowest, np.inf))
    if allow:
        statistic = statistic / _widenings(cell, fit, problems.x, at, free.theta, residuals)
    return float(np.mean(statistic <= cut))


def _widenings(
    cell: Cell, fit: Fit, x: dict[str, Array], at: dict[str, Array], thetas: Array, residuals: Array
) -> Array:
    """By how much each simulated sweep's interval allows for noise that may move along it."""
    if residuals.shape[1] - thetas.shape[1] < LEAST_FREEDOM:
        return np.ones(len(thetas))
    step, floors = 1e-5, np.array([p.kind == "floor" for p in cell.law.parameters])
    slopes, gradients = [], []
    for j in range(thetas.shape[1]):
        up = thetas + step * np.eye(thetas.shape[1])[j]
        down = np.maximum(thetas - step * np.eye(thetas.shape[1])[j], np.where(floors, 0.0, -np.inf))
        gap = (up - down)[:, j, None]
        slopes.append((np.log(curves(cell.law, x, up)) - np.log(curves(cell.law, x, down))) / gap)
        gradients.append(((np.log(curves(cell.law, at, up)) - np.log(curves(cell.law, at, down))) / gap)[:, 0])
    matrix, goal = np.stack(slopes, axis=2), np.stack(gradients, axis=1)
    along = variables(fit)
    return np.array(
        [widening(trend_of(r, s, along), s, g[None])[0] for r, s, g in zip(residuals, matrix, goal, strict=True)]
    )


def table(objectives: tuple[Objective, ...], simulations: int, only: str = "") -> str:
    """The table as Markdown."""
    lines = [
        f"95 % profile-likelihood intervals ten times beyond the sweep, {simulations} simulated sweeps per cell, seed 0"
        f"; standard error of a share {100 * np.sqrt(0.95 * 0.05 / simulations):.1f} points.",
        "",
        "| setting | " + " | ".join(o.kind for o in objectives) + " |",
        "|---|" + "---|" * len(objectives),
    ]
    for cell in cells():
        if only in cell.name:
            found = [coverage(cell, objective, simulations) for objective in objectives]
            lines.append(f"| {cell.name} | " + " | ".join(f"{100 * held:.1f} %" for held in found) + " |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def main(words: list[str]) -> None:
    """coverage.py [--simulations N] [--only TEXT] [--out FILE.md]"""
    options = dict(zip(words[::2], words[1::2], strict=True))
    unknown = set(options) - {"--simulations", "--only", "--out"}
    if unknown:
        raise InputError(f"{sorted(unknown)[0]}: known are --simulations, --only and --out")
    objectives = (Objective(), Objective("log_ls"))
    text = table(objectives, int(options.get("--simulations", SIMULATIONS)), options.get("--only", ""))
    print(text)
    if "--out" in options:
        Path(options["--out"]).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
