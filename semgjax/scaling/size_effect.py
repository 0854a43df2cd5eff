"""Why the means of replicates miss a curve: the law bends wrongly, or the runs of a configuration share an effect.

A wrong law misses the means by a bend along an input; what the runs of a configuration share by chance does not follow
any input. Both make the means scatter by more than the replicates explain.
"""

from dataclasses import dataclass

import numpy as np

from semgjax.scaling.fit import Fit
from semgjax.scaling.noise import log_slopes, sharing
from semgjax.scaling.quantiles import f_tail

Array = np.ndarray

_DEGREES = (2, 3, 4, 5)
_BREAKS = np.linspace(-0.8, 0.8, 9)  # of a log input between -1 and 1
_SIGNIFICANT, _DOUBTFUL = 0.05, 0.2
_DRAWS = 2000


@dataclass(frozen=True)
class SizeEffect:
    """What configurations share.

    rough_p: of the means' scatter without the bend that explains most of it, if replicates alone caused it. bend_p: of
    a bend that explains so much of it, if the effects were random. effect, seeds: standard deviations (log)
    of shared effects and of replicates. declared: whether the table's clusters say that the runs of a configuration
    share an effect.
    """

    rough_p: float
    bend_p: float
    effect: float
    seeds: float

    declared: bool

    @property
    def random(self) -> bool:
        """Whether random effects explain the misfit and a bend does not; in doubt, a bend does."""
        return self.rough_p < _SIGNIFICANT and self.bend_p > _DOUBTFUL


def size_effect(fit: Fit, seed: int = 0) -> SizeEffect | None:
    """Bends and random misfit of the replicates' means; None where the configurations are too few to tell."""
    groups, root = fit.table.groups, np.sqrt(fit.weights)
    n, levels = len(groups), int(groups.max()) + 1
    member = np.equal.outer(groups, np.arange(levels)) * root[:, None]
    counts = np.linalg.norm(member, axis=0)
    member = member / counts
    residuals = fit.residuals * root
    means = member.T @ residuals
    pure = float(residuals @ residuals - means @ means)
    basis = np.linalg.qr(member.T @ (log_slopes(fit)[:, fit.free] * root[:, None]))[0]
    left = levels - basis.shape[1]
    if n - levels < 2 or pure <= 0 or left < 3:
        return None
    bends = _bends(fit, groups, counts, basis)
    draws = np.random.default_rng(seed).standard_normal((_DRAWS, levels))
    every = np.concatenate([means[None], draws])
    every = every - (every @ basis) @ basis.T
    squares = np.sum(every**2, axis=1)
    share = np.max((every @ bends) ** 2, axis=1) / squares
    seeds, rough = pure / (n - levels), squares[0] * (1.0 - share[0]) / (left - 1)
    effect = max(squares[0] / left - seeds, 0.0) / (np.sum(counts**2) / levels)
    return SizeEffect(
        float(f_tail(max(rough, 0.0) / seeds, left - 1, n - levels)),
        float(np.mean(share >= share[0])),
        float(np.sqrt(effect)),
        float(np.sqrt(seeds)),
        _declared(fit),
    )


def _declared(fit: Fit) -> bool:
    """Whether every configuration lies in one cluster, and there are several."""
    shared = fit.table.clusters
    return shared is not None and sharing(fit) is not None and all(
        len(np.unique(shared[fit.table.groups == level])) == 1 for level in range(fit.levels))  # fmt: skip


def _bends(fit: Fit, groups: Array, counts: Array, basis: Array) -> Array:
    """Unit directions [levels, k] that the curve does not follow: polynomials and breaks of slope of the log inputs."""
    found = []
    for name in fit.law.input_names:
        values = np.log(np.maximum(fit.table.x[name], 1e-300))
        if not (fit.table.x[name] > 0).all() or np.ptp(values) <= 0.01:
            continue
        unit = np.bincount(groups, values) / np.bincount(groups)
        unit = 2.0 * (unit - unit.min()) / np.ptp(unit) - 1.0
        found += [np.polynomial.legendre.legval(unit, [0.0] * degree + [1.0]) for degree in _DEGREES]
        found += [np.maximum(unit - place, 0.0) for place in _BREAKS]
    columns = np.array(found).T * counts[:, None]
    size = np.linalg.norm(columns, axis=0)
    for _ in range(2):
        columns = columns - basis @ (basis.T @ columns)
    kept = np.linalg.norm(columns, axis=0) > 1e-3 * size
    return columns[:, kept] / np.linalg.norm(columns[:, kept], axis=0)
