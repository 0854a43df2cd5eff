"""Scaling-law fits: 256 starts, 4,000 bootstrap refits and 1,000 draws, beside scipy's minimisers.

The table is simulated: 240 points of the shape of a published study of language models (joint parameters and data).
"""

import time

import numpy as np
from scipy.optimize import minimize

from benchmarks.measure import Comparison, medians
from semgjax.scaling.bootstrap import draw
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.laws import CHINCHILLA, FLOOR_POWER
from semgjax.scaling.objective import Objective
from semgjax.scaling.table import Table, table_of

ROUNDS = 5
PRESET = Objective("huber_log", 1e-3)
FEW = 20  # searches of scipy that are timed; the others take as long


def points(seed: int = 0) -> Table:
    """240 runs: y = 1.8 + 480 N^-0.35 + 2100 D^-0.37 with 1 % noise, sizes 5e7 to 1.6e10."""
    random = np.random.default_rng(seed)
    n = np.exp(random.uniform(np.log(5e7), np.log(1.6e10), 240))
    d = n * np.exp(random.uniform(np.log(2.0), np.log(200.0), 240))
    y = (1.8 + 480.0 * n**-0.35 + 2100.0 * d**-0.37) * np.exp(0.01 * random.standard_normal(240))
    return table_of({"N": n, "D": d}, y)


def run() -> dict[str, Comparison]:
    """scaling.fit, scaling.bootstrap and scaling.draws, in seconds, warm; the note holds the time of compiling."""
    table = points()
    begun = time.perf_counter()
    fit = fit_law(table, CHINCHILLA, PRESET, starts=256)
    compiled = time.perf_counter() - begun
    begun = time.perf_counter()
    draw(fit, 4000, "pairs")
    compiled_draws = time.perf_counter() - begun
    sweep = fit_law((np.geomspace(2e4, 2e6, 8), _sweep()), FLOOR_POWER)
    begun = time.perf_counter()
    draw(sweep, 1000)
    compiled_few = time.perf_counter() - begun
    ours, theirs = medians(
        [lambda: fit_law(table, CHINCHILLA, PRESET, starts=256), lambda: _scipy(fit, FEW, spread=True)], ROUNDS
    )
    boot, boot_theirs = medians([lambda: draw(fit, 4000, "pairs"), lambda: _scipy(fit, FEW, spread=False)], ROUNDS)
    draws, draws_theirs = medians([lambda: draw(sweep, 1000), lambda: _scipy(sweep, FEW, spread=False)], ROUNDS)
    agree, reached = fit.starts_agree, _share(fit, 64)
    peer = f"scipy BFGS with analytic gradients on the same centred logs, {FEW} searches timed and scaled up"
    return {
        "scaling.fit": Comparison(
            ours, theirs * 256 / FEW, "s",
            f"256 starts, 240 points, Huber 1e-3; {agree:.0%} of ours reach the optimum, {reached:.0%} of the peer's; "
            f"first call {compiled:.1f} s with compiling; peer: {peer}",
        ),
        "scaling.bootstrap": Comparison(
            boot, boot_theirs * 4000 / FEW, "s",
            f"4,000 refits of resampled rows, Huber 1e-3; first call {compiled_draws:.1f} s; peer: {peer}",
        ),
        "scaling.draws": Comparison(
            draws, draws_theirs * 1000 / FEW, "s",
            f"1,000 draws of E + A N^-alpha on 8 points; first call {compiled_few:.1f} s; peer: {peer}",
        ),
    }  # fmt: skip


def _sweep() -> np.ndarray:
    clean = 8.0 + 60.0 * np.geomspace(1.0, 100.0, 8) ** -0.45
    return clean * np.exp(0.02 * np.random.default_rng(0).standard_normal(8))


def _scipy(fit: Fit, count: int, spread: bool, seed: int = 0) -> np.ndarray:
    """Objectives of `count` searches: from spread starts, or from the fit on resampled rows."""
    random = np.random.default_rng(seed)
    names = fit.law.input_names
    logs = np.stack([np.log(fit.table.x[name] / fit.reference[name]) for name in names])
    goal = np.log(fit.table.y / fit.unit_y)
    delta = fit.delta or 1.0
    k = len(names)

    def value(theta: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        parts = np.exp(
            np.concatenate([np.full((1, len(goal)), theta[0]), theta[1::2, None] - theta[2::2, None] * logs])
        )
        total = parts.sum(axis=0)
        r = goal - np.log(total)
        shares = parts / total
        first = weights * np.clip(r, -delta, delta)
        size = np.abs(r)
        loss = np.where(size <= delta, 0.5 * r**2, delta * (size - 0.5 * delta))
        gradient = np.empty_like(theta)
        gradient[0] = -first @ shares[0]
        gradient[1::2] = -shares[1:] @ first
        gradient[2::2] = (shares[1:] * logs) @ first
        return float(weights @ loss) * 1e3, gradient * 1e3

    best = np.concatenate([[np.log(max(fit.theta[0], 1e-9))], fit.theta[1:]])
    found = []
    for _ in range(count):
        weights = np.ones(len(goal))
        start = best
        if spread:
            start = np.concatenate(
                [
                    [random.uniform(-3, 0)],
                    np.column_stack([random.uniform(-3, 0, k), random.uniform(0.05, 1.2, k)]).reshape(-1),
                ]
            )
        else:
            weights = random.multinomial(len(goal), np.full(len(goal), 1 / len(goal))).astype(float)
        with np.errstate(all="ignore"):
            end = minimize(value, start, args=(weights,), jac=True, method="BFGS", options={"gtol": 1e-6})
        found.append(end.fun / 1e3)
    return np.array(found)


def _share(fit: Fit, count: int) -> float:
    """Share of scipy's searches from spread starts that reach our objective within 1e-6."""
    return float(np.mean(_scipy(fit, count, spread=True) <= fit.objective_value * (1 + 1e-6)))
