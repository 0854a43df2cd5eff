"""Whether another law over the same inputs describes a sweep better than the fitted one, beyond what noise can do.

Cox's test (1962, JRSS B 24) by simulation: sweeps are drawn from the fitted law with its own scatter, both laws are
fitted to each, and the ratio of the sums of squares must exceed what the fitted law itself brings about. The better law
must also have predicted larger runs no worse.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import problems_of
from semgjax.scaling.choices import STARTS, alternatives
from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.fit import Fit, fit_law, predict
from semgjax.scaling.noise import noise_draws
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import no_interval_reason
from semgjax.scaling.rolling import rolling_origin
from semgjax.scaling.solver import solve

Array = np.ndarray

ALARM = 0.05
_DRAWS = 199
_MOST_ROWS = 300  # larger tables are judged by a part of the draws


@dataclass(frozen=True)
class Rival:
    """Another law beside the fitted one.

    ratio: its sum of squares (log) over that of the fitted law. p: probability of a ratio as low, for any of the
    rivals, if the fitted law is true. rolling_error, own_rolling_error: of predicting the next larger runs (log), where
    there are enough levels.
    """

    law: str
    ratio: float
    p: float
    rolling_error: float | None
    own_rolling_error: float | None

    @property
    def better(self) -> bool:
        """Whether it describes the sweep better, beyond noise, and predicts larger runs no worse."""
        if self.rolling_error is None or self.own_rolling_error is None:
            return self.p < ALARM
        return self.p < ALARM and self.rolling_error < self.own_rolling_error


def rivals(fit: Fit, seed: int = 0) -> tuple[Rival, ...]:
    """The other laws over the same inputs, the most likely first; none where the points leave nothing to judge by."""
    if no_interval_reason(fit) is not None or fit.fixed or not fit.converged:
        return ()
    squares = Objective("log_ls")
    table = fit.table.rows(np.flatnonzero(fit.run_weights > 0))
    own = fit_law(table, fit.law, squares, starts=STARTS)
    others = []
    for law in alternatives(fit.law):
        try:
            other = fit_law(table, law, squares, starts=STARTS)
        except InputError:
            continue  # too few levels for that law
        if other.converged and other.degrees_of_freedom > 0 and other.levels > other.free_count:
            others.append(other)
    least = _sum(own)
    lower = [other for other in others if _sum(other) < least]
    if not lower or least <= 1e-20 * len(fit.table.y):
        return ()
    drawn = _draws(own, _DRAWS if len(fit.table.y) <= _MOST_ROWS else _DRAWS // 2, seed)
    base = _sums(own, drawn, [own.theta])
    # Fewer or more parameters alone change a ratio: the simulated ones have that in them.
    ratios = np.array([_sums(other, drawn, [other.theta, _imitation(other, own)]) for other in lower]) / base
    observed = np.array([_sum(other) for other in lower]) / least
    error = rolling_origin(fit).error
    found = [
        Rival(other.law.name, float(ratio), p, rolling_origin(other).error, error)
        for other, ratio, p in zip(lower, observed, joint_p(observed, ratios), strict=True)
    ]
    return tuple(sorted(found, key=lambda rival: (rival.p, rival.ratio)))


def joint_p(observed: Array, drawn: Array) -> list[float]:
    """p of each of k ratios, adjusted for their number (Westfall and Young 1993): of the least rank being as low.

    observed [k]; drawn [k, d] under the fitted law, the k of one column from one sweep.
    """
    every = np.column_stack([observed, drawn])
    ranks = np.array([np.searchsorted(np.sort(row), row, side="right") for row in every])
    least = ranks.min(axis=0)
    return [float(np.mean(least <= rank)) for rank in ranks[:, 0]]


def better_law(found: tuple[Rival, ...]) -> Rival | None:
    """The rival that is better beyond noise; None without one. Of several, the best at predicting larger runs."""
    chosen = (rival for rival in found if rival.better)
    return min(chosen, key=lambda r: (np.inf if r.rolling_error is None else r.rolling_error, r.ratio), default=None)


def about_law(fit: Fit, found: tuple[Rival, ...]) -> list[Diagnostic]:
    """The finding that another law is better."""
    better = better_law(found)
    if better is None:
        return []
    text = (
        f"{better.law} describes these points better than {fit.law.name}: {1 / better.ratio:.3g} times smaller squares "
        f"(p = {better.p:.1g} if {fit.law.name} were true)"
    )
    if better.rolling_error is not None and better.own_rolling_error is not None:
        text += (
            f", and it predicted the next larger runs to {100 * better.rolling_error:.2g} % "
            f"instead of {100 * better.own_rolling_error:.2g} %"
        )
    return [Diagnostic("better-law", "warning", f"{text}; fit the law {better.law}")]


def as_json(found: tuple[Rival, ...]) -> dict[str, Any]:
    """The comparison as a JSON object: the better law's name or null, and every rival."""
    better = better_law(found)
    return {"better": None if better is None else better.law, "rivals": [asdict(rival) for rival in found]}


def _sum(fit: Fit) -> float:
    return float(np.sum(fit.weights * fit.residuals**2))


def _draws(fit: Fit, count: int, seed: int) -> Array:
    """y [count, n] of the fitted curve with normal noise by the models that its residuals allow."""
    noise = noise_draws(fit, count, np.random.default_rng(seed), own=False)
    return predict(fit, fit.table.x) * np.exp(np.clip(noise, -20.0, 20.0))


def _imitation(other: Fit, own: Fit) -> Array:
    """Coordinates of the other law fitted to the fitted curve itself: where draws of that curve lead it."""
    y = predict(own, own.table.x) / other.unit_y
    return solve(other.law, problems_of(other, y[None]), other.theta[None]).theta[0]


def _sums(fit: Fit, drawn: Array, starts: list[Array]) -> Array:
    """Least sum of squares of the law for each of drawn y [count, n], from each start."""
    problems = problems_of(fit, drawn / fit.unit_y)
    values = [solve(fit.law, problems, np.tile(start, (len(drawn), 1)), most=60).value for start in starts]
    best = np.min([np.where(np.isfinite(v), v, np.inf) for v in values], axis=0)
    return 2.0 * np.maximum(best, 1e-300)
